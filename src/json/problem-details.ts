/**
 * Decides how a refused look-up reads: application/problem+json (RFC 9457), with everything
 * that is wrong with the request in `problems`, each with its parameter and what was expected.
 *
 * Holds fixed words and the names of parameters only; values are not repeated.
 */

import type { ParameterProblem } from "./availability-question.js";

export const PROBLEM_JSON = "application/problem+json";

export function writeProblem(status: number, detail: string, problems?: readonly ParameterProblem[]): string {
  const title = TITLES[status] ?? (status < 500 ? "The request cannot be answered" : "The answer cannot be given");
  return `${JSON.stringify({ type: "about:blank", title, status, detail, problems })}\n`;
}

export function problemCount(problems: readonly ParameterProblem[]): string {
  const parameters = [...new Set(problems.map(({ parameter }) => parameter))].join(", ");
  return problems.length === 1 ? `1 problem: ${parameters}` : `${problems.length} problems: ${parameters}`;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};
