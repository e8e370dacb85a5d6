/**
 * Port: answers kept for a while. Decides when a kept answer serves a question: same
 * backend, same service account, same mailbox, a window that covers the one asked, and
 * learnt while asking for at least the detail wanted.
 *
 * Only views and "no such mailbox" are ever kept. A failure is not data.
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
  readonly answer: MailboxAnswer;
  /** The window that was asked of the backend, in whole. */
  readonly window: TimeWindow;
  /** The detail that was asked for; the view inside may hold less, if rights allowed less. */
  readonly detail: AskedDetail;
  readonly learntAt: InstantMs;
  readonly expiresAt: InstantMs;
}

export type Found = readonly (CachedAnswer | undefined)[];

export interface ViewCache {
  /**
   * For each question, in order, an answer that serves it and has not expired by `now`. Not a promise where it can be
   * told at once: most answers come from here.
   */
  find(questions: readonly CacheQuestion[], now: InstantMs): Found | Promise<Found>;
  store(entries: readonly { readonly key: string; readonly kept: CachedAnswer }[]): Promise<void>;
  /** Drops what is kept under these keys, or everything. */
  forget(keys: readonly string[] | "all"): Promise<void>;
}

export function serves(kept: CachedAnswer, question: CacheQuestion, now: InstantMs): boolean {
  if (kept.expiresAt <= now) return false;
  // "No such mailbox" is true of every window and every detail.
  if (kept.answer.kind === "failure") return true;
  return reaches(kept.detail, question.detail) && covers(kept.window, question.window);
}
