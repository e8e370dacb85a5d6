/**
 * Port: whoever wants to know how a lookup went (logs, metrics). Decides what is told:
 * enough to explain any answer afterwards, and nothing out of anybody's calendar.
 */

import type { ViewDetail } from "../availability/free-busy-view.js";
import type { MailboxFailure } from "../availability/mailbox-answer.js";
import type { InstantMs } from "../availability/time-window.js";

/** "stale": what was known was past its time, and given because nothing newer was to be had at once. */
export type CacheOutcome = "hit" | "miss" | "joined" | "stale" | "none";

export interface MailboxOutcome {
  /** As asked. Whether it may appear in clear is the observer's decision. */
  readonly mailbox: string;
  /** The rule that decided, without any address: "workmail-directory: ENABLED, role USER", "address space corp.example". */
  readonly rule: string;
  readonly backend: string | undefined;
  readonly cache: CacheOutcome;
  readonly delivered: ViewDetail | undefined;
  readonly failure: MailboxFailure | undefined;
  /** Of a stale answer: when it was learnt. */
  readonly asOf?: InstantMs | undefined;
}

export interface LookupOutcome {
  readonly id: string;
  readonly caller: string;
  readonly origin: string | undefined;
  /** The address it came from; undefined: from inside. */
  readonly source?: string | undefined;
  readonly windowMs: number;
  readonly durationMs: number;
  readonly mailboxes: readonly MailboxOutcome[];
}

export interface BackendCallOutcome {
  readonly backend: string;
  readonly mailboxes: number;
  readonly durationMs: number;
  readonly failures: readonly MailboxFailure[];
}

/** A request that never became a lookup: not authenticated, not readable, not allowed. */
export interface RefusedRequest {
  readonly id: string;
  readonly source: string;
  readonly caller: string | undefined;
  /** 0: nothing was answered. */
  readonly status: number;
  readonly reason: string;
  /** How many were refused like this since the last one told; absent: it alone. */
  readonly times?: number;
}

export interface LookupObserver {
  requestRefused(refused: RefusedRequest): void;
  lookupAnswered(outcome: LookupOutcome): void;
  backendAsked(outcome: BackendCallOutcome): void;
  /** Something that should not be able to happen did; the lookup went on without it. */
  unexpected(what: string, error: unknown): void;
}
