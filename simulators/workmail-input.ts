/**
 * What the operations of the simulated control API share: parameters by their patterns, lists
 * by pages, and answers that are errors.
 */

export type Input = Record<string, unknown>;

/** An answer that is an error: HTTP 400 unless it says otherwise. */
export class ApiError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** The default is not documented; a small one makes callers say what they want. */
const DEFAULT_PAGE = 20;

/** Tokens say how far the list has been read; a list that changes in between may repeat or skip, as real ones do. */
export function page(name: string, rows: readonly unknown[], input: Input): object {
  const size = input.MaxResults ?? DEFAULT_PAGE;
  if (typeof size !== "number" || size < 1 || size > 100) throw invalid("MaxResults must be between 1 and 100.");
  const token = input.NextToken;
  const from = token === undefined ? 0 : Number(Buffer.from(String(token), "base64").toString().replace("from ", ""));
  if (!Number.isInteger(from)) throw invalid("The token is not valid.");
  const to = from + size;
  const next = to < rows.length ? Buffer.from(`from ${to}`).toString("base64") : undefined;
  return { [name]: rows.slice(from, to), NextToken: next };
}

export function text(input: Input, name: string, pattern: RegExp): string {
  const value = input[name];
  if (typeof value !== "string" || !pattern.test(value)) throw invalid(`${name} does not match its pattern.`);
  return value;
}

export const invalid = (message: string) => new ApiError("InvalidParameterException", message);
