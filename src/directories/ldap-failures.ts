/**
 * Decides how a failure of LDAP is told: a short code and a sentence of ours. What the server wrote
 * itself stays out, because it quotes names of entries, and so does everything that was sent.
 */

import { InvalidCredentialsError, ResultCodeError } from "ldapts";
import { DirectoryError } from "./directory-source.js";

/** Active Directory answers every refused bind with the same code and hides the reason in its text, as "data 52e". */
const REFUSED_BECAUSE: Readonly<Record<string, string>> = {
  "525": "there is no such account",
  "52e": "the account or its password is wrong",
  "530": "the account may not sign in at this time",
  "531": "the account may not sign in from this machine",
  "532": "the password has expired",
  "533": "the account is disabled",
  "701": "the account has expired",
  "773": "the password must be changed first",
  "775": "the account is locked",
};

const REFERRAL = 10;

const MEANINGS: Readonly<Record<string, string>> = {
  StrongAuthRequired: "the server takes passwords over TLS only: use ldaps or StartTLS",
  ConfidentialityRequired: "the server takes passwords over TLS only: use ldaps or StartTLS",
  InsufficientAccess: "the account may not read this",
  NoSuchObject: "there is no such entry; is the base DN right?",
  Referral: "the entry is on another server; a global catalog has the whole forest",
  TimeLimitExceeded: "the server gave up the search, as it took too long",
  Operations: "the server could not do it; on Active Directory often a search without a bind",
};

/** The connection is gone and was not at fault before: another one may do. */
const LOST: ReadonlySet<string> = new Set(["ConnectionClosed", "ECONNRESET", "EPIPE"]);

export function isLostConnection(error: unknown): boolean {
  return error instanceof DirectoryError && LOST.has(error.code);
}

export function connectionClosed(): DirectoryError {
  return new DirectoryError("ConnectionClosed", "the connection to the directory was closed");
}

export function unreadableAnswer(): DirectoryError {
  return new DirectoryError("UnreadableAnswer", "the directory's answer could not be read");
}

export function repeatedPage(): DirectoryError {
  return new DirectoryError("RepeatedPage", "the directory gave the same page twice");
}

/** Any failure as a {@link DirectoryError}: LDAP's result by its name ("InvalidCredentials"), the network by its code. */
export function ldapFailure(error: unknown): DirectoryError {
  if (error instanceof DirectoryError) return error;
  if (error instanceof InvalidCredentialsError) {
    const reason = REFUSED_BECAUSE[/\bdata ([0-9a-f]{3})\b/.exec(error.message)?.[1] ?? ""];
    return new DirectoryError("InvalidCredentials", `the directory refused the bind: ${reason ?? "wrong password?"}`);
  }
  if (error instanceof ResultCodeError) {
    const named = error.name.replace(/Error$/, "");
    const code = error.code === REFERRAL ? "Referral" : named === "UnknownStatusCode" ? `Result${error.code}` : named;
    return new DirectoryError(code, MEANINGS[code] ?? `the directory answered with result ${error.code}`);
  }
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: "", message: "" };
  if (typeof code === "string" && code !== "") return networkFailure(code, error);
  // ldapts wraps what happens to an open connection, and leaves the code in the text only.
  const wrapped = /^Socket error\.[^\n]*\n.*\b(E[A-Z]{3,})\b/s.exec(message)?.[1];
  if (wrapped !== undefined) return networkFailure(wrapped, error);
  if (/timed out|timeout/i.test(message))
    return new DirectoryError("ETIMEDOUT", "the directory did not answer in time");
  if (/^(Socket|Connection|write after)/.test(message)) return connectionClosed();
  return unreadableAnswer();
}

function networkFailure(code: string, cause: unknown): DirectoryError {
  return new DirectoryError(code, `the directory cannot be reached: ${code}`, { cause });
}
