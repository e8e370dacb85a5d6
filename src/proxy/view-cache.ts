/**
 * Port: answers kept for a while. Decides when a kept answer serves a question: same
 * backend, same service account, same mailbox, a window that covers the one asked, and
 * learnt while asking for at least the detail wanted.
 *
 * Only views and "no such mailbox" are ever kept. A failure is not data.
 *
 * A view may be kept beyond the time in which it answers by itself. Whether such a stale one
 * is of any use is the asker's decision; here it is kept and found like any other.
 */

import type { ViewDetail } from "../availability/free-busy-view.js";
import { reaches } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { covers, type InstantMs, type TimeWindow } from "../availability/time-window.js";

/** A backend is asked for events, with or without their details; slots are worked out here. */
export type AskedDetail = Exclude<ViewDetail, "merged">;

export interface CacheQuestion {
  /** Backend, service account and mailbox; made by the asker, opaque here. */
  readonly key: string;
  readonly window: TimeWindow;
  readonly detail: AskedDetail;
}

export interface CachedAnswer {
  /** Says itself when it was learnt, so that the very same object can be given again and again. */
  readonly answer: MailboxAnswer;
  /** The window that was asked of the backend, in whole. */
  readonly window: TimeWindow;
  /** The detail that was asked for; the view inside may hold less, if rights allowed less. */
  readonly detail: AskedDetail;
  readonly learntAt: InstantMs;
  /** Until then it answers by itself; after that it is stale. */
  readonly freshUntil: InstantMs;
  /** From then on it is nothing any more; never before `freshUntil`. */
  readonly expiresAt: InstantMs;
}

export type Found = readonly (CachedAnswer | undefined)[];

/** How far a forgetting went: to the gateways that share the cache too, or to this one alone. */
export type Reached = "everywhere" | "here";

export interface ViewCache {
  /**
   * For each question, in order, the newest answer that serves it and has not expired by `now`, fresh or stale. Not a
   * promise where it can be told at once: most answers come from here.
   */
  find(questions: readonly CacheQuestion[], now: InstantMs): Found | Promise<Found>;
  store(entries: readonly { readonly key: string; readonly kept: CachedAnswer }[]): Promise<void>;
  /**
   * Drops what is kept under these keys, or everything. "here": others who share the cache keep what they have, because
   * they find out for themselves; what they had learnt by now is not believed here any more.
   */
  forget(keys: readonly string[] | "all", reach: Reached): Promise<Reached>;
}

export function serves(kept: CachedAnswer, question: CacheQuestion, now: InstantMs): boolean {
  if (kept.expiresAt <= now) return false;
  // "No such mailbox" is true of every window and every detail.
  if (kept.answer.kind === "failure") return true;
  return reaches(kept.detail, question.detail) && covers(kept.window, question.window);
}
