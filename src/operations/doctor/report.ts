/**
 * Decides how the doctor's findings read: for people, the worst first and what is fine in one
 * line; for programs, all of them. Secrets are taken out of both, wherever they may have come in.
 */

import { byGravity, exitCodeOf, type Finding, type Verdict } from "./finding.js";
import type { Examination } from "./runner.js";

const HEADS: Readonly<Record<Exclude<Verdict, "fine">, string>> = {
  failure: "FAILURE",
  warning: "WARNING",
  "not-checked": "NOT CHECKED",
  note: "NOTE",
};

export function reportText({ findings, tookMs }: Examination): string {
  const fine = findings.filter(({ verdict }) => verdict === "fine");
  const said = byGravity(findings).flatMap((finding) =>
    finding.verdict === "fine" ? [] : [blockOf(finding, HEADS[finding.verdict])],
  );
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const counts = `${count("failure")} failures, ${count("warning")} warnings, ${count("not-checked")} not checked, ${fine.length} fine`;
  const checked =
    fine.length === 0
      ? []
      : [`Fine:\n${fine.map(({ check, about, found }) => `  ${check}: ${about}: ${found}`).join("\n")}\n`];
  return `${[...said, ...checked].join("\n")}\n${counts}, in ${(tookMs / 1000).toFixed(1)} s.\n`;
}

function blockOf({ check, about, expected, found, why, todo }: Finding, head: string): string {
  const lines = [
    `${head}  ${about}  [${check}]`,
    `  expected: ${expected}`,
    `  found:    ${found}`,
    `  why:      ${why}`,
  ];
  todo.forEach((line, i) => {
    lines.push(`  ${i === 0 ? "do:       " : "          "}${line}`);
  });
  return `${lines.join("\n")}\n`;
}

/** Stable for programs: fields are added, never renamed. */
export function reportJson({ findings, tookMs }: Examination, version: string, at: string): string {
  const report = { version, at, seconds: tookMs / 1000, exitCode: exitCodeOf(findings), findings: byGravity(findings) };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Short ones are words of the report as well, and no secrets worth the name. */
const SHORTEST = 6;

/** The text without any of the secrets, as they are and as JSON or a URL would write them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const written = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const longestFirst = [...new Set(written)].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, "(removed)"), text);
}
