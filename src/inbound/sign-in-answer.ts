/**
 * Decides what somebody who is not let in is told over HTTP: the same words whoever they
 * are and whatever was wrong, so that nothing can be learnt from them.
 *
 * Knows no scheme; the challenges come as they are to be sent.
 */

import type { Authentication, SignInRefusal } from "./caller-authentication.js";
import { retryAfter } from "./retry-after.js";

export interface SignInAnswer {
  readonly status: 401 | 429 | 503;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly sentence: string;
  /** For the log; undefined: a step every client takes on its way in, and no incident. */
  readonly reason: SignInRefusal | undefined;
}

const SIGN_IN = "Sign in as one of the configured callers, in a way that WWW-Authenticate names.";
const TOO_MANY_CHECKS = "Too many sign-ins are being checked. Try again in a few seconds.";
const TOO_MANY_FAILURES = "Too many sign-ins from this address have failed. Try again later.";
const KEYS_UNAVAILABLE = "Tokens cannot be checked just now. Try again in a few seconds.";

export function signInAnswer(result: Exclude<Authentication, { readonly kind: "known" }>): SignInAnswer {
  if (result.kind === "continue") return unauthorised([result.challenge], undefined);
  const { reason, challenges, retryAfterMs } = result;
  const later = { "retry-after": retryAfter(retryAfterMs) };
  switch (reason) {
    case "too-many-failures":
      return { status: 429, headers: later, sentence: TOO_MANY_FAILURES, reason };
    case "too-many-checks":
      return { status: 503, headers: later, sentence: TOO_MANY_CHECKS, reason };
    case "keys-unavailable":
      return { status: 503, headers: later, sentence: KEYS_UNAVAILABLE, reason };
    case "no-credentials":
      return unauthorised(challenges, undefined);
    default:
      return unauthorised(challenges, reason);
  }
}

function unauthorised(challenges: readonly string[], reason: SignInRefusal | undefined): SignInAnswer {
  return { status: 401, headers: { "www-authenticate": [...challenges] }, sentence: SIGN_IN, reason };
}
