/**
 * Decides when a view that is past its time may still be given, and marks it: never without
 * saying so, never for longer than allowed, and never where the failure is an answer. "No
 * such mailbox" and "no access" are what is known now, so they stand; so do refused
 * credentials, because somebody may have withdrawn them on purpose.
 *
 * A stale view may call a slot free that has been taken since. That is why nothing here
 * happens unless a site asks for it.
 *
 * Pure.
 */

import type { FailureReason, MailboxAnswer } from "../availability/mailbox-answer.js";
import type { InstantMs } from "../availability/time-window.js";
import type { CachedAnswer } from "./view-cache.js";

/** Reasons that say nothing about the mailbox, only that its system cannot be asked for now. */
const PASSING: ReadonlySet<FailureReason> = new Set<FailureReason>([
  "backend-timeout",
  "budget-spent",
  "backend-unreachable",
  "backend-busy",
  "queue-full",
  "queue-timeout",
  "backend-circuit-open",
  "backend-http-error",
  "backend-fault",
  "backend-unreadable",
  "backend-wrong-count",
]);

export function isPassing(answer: MailboxAnswer): boolean {
  return answer.kind === "failure" && PASSING.has(answer.failure.reason);
}

/** The view, marked as stale, for as long as `allowedMs` after its time; undefined when it is no view or too old. */
export function staleView({ answer, freshUntil, learntAt }: CachedAnswer, now: InstantMs, allowedMs: number) {
  if (answer.kind !== "view" || now >= freshUntil + allowedMs) return undefined;
  return { ...answer, learntAt, stale: true as const };
}

export interface AnsweredInstead {
  readonly cache: "hit" | "stale";
  readonly answer: MailboxAnswer;
}

/** What stands in for a failure that passes. Fresh, when somebody else has learnt it meanwhile. */
export function answeredInstead(kept: CachedAnswer, now: InstantMs, allowedMs: number): AnsweredInstead | undefined {
  if (kept.freshUntil > now) return { cache: "hit", answer: kept.answer };
  const stale = staleView(kept, now, allowedMs);
  return stale && { cache: "stale", answer: stale };
}
