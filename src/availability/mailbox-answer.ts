/**
 * Decides what can come of asking about one mailbox: a view, or a failure with a reason
 * an administrator can act on. A failure is a value: it concerns one mailbox and never
 * ends the request, and it is never turned into an empty view, because empty reads as free.
 *
 * Pure. How a reason is worded on a wire is the codec's business.
 */

import type { FreeBusyView } from "./free-busy-view.js";
import type { InstantMs } from "./time-window.js";

export const FAILURE_REASONS = [
  /** The text is not an SMTP address. */
  "invalid-address",
  /** An EX (legacyExchangeDN) address that nothing here can resolve. */
  "unresolved-legacy-dn",
  /** No address space names the domain. Nobody was asked. */
  "no-address-space",
  /** The mailbox belongs to the very system that asks. Nobody was asked. */
  "belongs-to-origin",
  /** The question is one of our own, sent back by the system that was asked. Nobody was asked again. */
  "loop-detected",
  /** A group whose directory could not be asked for its members. */
  "group-unresolved",
  /** The backend knows no such mailbox. */
  "mailbox-not-found",
  /** The backend knows the mailbox and grants the service account nothing. */
  "no-access",
  /** The caller may not see this mailbox. Nobody was asked. */
  "not-disclosed",
  /** The backend gave no answer in its time. */
  "backend-timeout",
  /** The request's own time budget ran out first. */
  "budget-spent",
  /** More waited for the backend already than is kept waiting. Nobody was asked. */
  "queue-full",
  /** The backend's turn did not come in its time: too much was asked before. Nobody was asked. */
  "queue-timeout",
  /** No connection: name, network, TLS. */
  "backend-unreachable",
  /** Every endpoint failed again and again, and is left alone for a while. Nobody was asked. */
  "backend-circuit-open",
  /** HTTP 401: the service account's credentials. */
  "backend-refused-credentials",
  /** HTTP 403, or a fault that says the account may not use EWS. */
  "backend-denied-access",
  /** Throttled: ErrorServerBusy, 429, 503. */
  "backend-busy",
  /** Any other HTTP status, or a redirect. */
  "backend-http-error",
  /** A fault for the whole question. */
  "backend-fault",
  /** Not EWS, not XML, cut short, or too large. */
  "backend-unreadable",
  /** More or fewer answers than mailboxes: positions mean nothing, so none is used. */
  "backend-wrong-count",
  /** The backend answered with an error of its own for this mailbox. */
  "backend-error",
  /** More calendar entries than the backend hands out. */
  "too-many-events",
  /** A distribution list of more members than free/busy data is given for. */
  "group-too-large",
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

export interface MailboxFailure {
  readonly reason: FailureReason;
  /** The backend that was, or would have been, asked. */
  readonly backend?: string | undefined;
  /** The backend's own response code, where it gave one. */
  readonly code?: string | undefined;
  /** For the log: what happened, without secrets, addresses or calendar text. */
  readonly detail?: string | undefined;
  /** How long the backend asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/** `learntAt`: when the owning system said so; a group's is its oldest member's. Absent: no system was asked. */
export type MailboxAnswer =
  | {
      readonly kind: "view";
      readonly view: FreeBusyView;
      readonly learntAt?: InstantMs;
      /** Past its time, and given because nothing newer was to be had at once. A group's, when any member's is. */
      readonly stale?: true;
    }
  | { readonly kind: "failure"; readonly failure: MailboxFailure; readonly learntAt?: InstantMs };

export const viewed = (view: FreeBusyView): MailboxAnswer => ({ kind: "view", view });
export const failed = (failure: MailboxFailure): MailboxAnswer => ({ kind: "failure", failure });

/** The answer with the time it is from; the very same object when it has one. */
export function learnt(answer: MailboxAnswer, at: InstantMs): MailboxAnswer {
  return answer.learntAt === undefined ? { ...answer, learntAt: at } : answer;
}
