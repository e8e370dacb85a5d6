/**
 * Decides when an answer to a look-up can be believed by whoever asked for it: as many
 * mailboxes as were asked about, in that order, each with a view or a failure. Anything else
 * is no answer at all, because a grid drawn from it could show one person's time as another's.
 */

import type { MergedFreeBusy } from "../availability/free-busy-view.js";
import { instant, MINUTE_MS, type TimeWindow } from "../availability/time-window.js";

export interface LookedUp {
  readonly mailbox: string;
  /** Undefined: it failed. */
  readonly merged: MergedFreeBusy | undefined;
  /** Only when it failed. */
  readonly failure: { readonly reason: string; readonly sentence: string } | undefined;
  /** Milliseconds since 1970, where a system was asked. */
  readonly learntAt: number | undefined;
}

/** One per mailbox of the question, in order; undefined when the text answers something else. */
export function readAnswers(answer: unknown, mailboxes: readonly string[], window: TimeWindow): LookedUp[] | undefined {
  const { from, intervalMinutes, mailboxes: entries } = fieldsOf(answer);
  if (typeof from !== "string" || typeof intervalMinutes !== "number" || !Array.isArray(entries)) return undefined;
  if (Date.parse(from) !== window.start || entries.length !== mailboxes.length) return undefined;
  const slots = Math.ceil((window.end - window.start) / (intervalMinutes * MINUTE_MS));
  const read = entries.map((entry, i) => readEntry(entry, mailboxes[i] as string, slots, window, intervalMinutes));
  return read.every((one) => one !== undefined) ? read : undefined;
}

function readEntry(
  entry: unknown,
  asked: string,
  slots: number,
  { start }: TimeWindow,
  intervalMinutes: number,
): LookedUp | undefined {
  const { mailbox, view, failure, learntAt } = fieldsOf(entry);
  if (mailbox !== asked.trim()) return undefined;
  const at = typeof learntAt === "string" ? Date.parse(learntAt) : undefined;
  const { reason, sentence } = fieldsOf(failure);
  if (typeof reason === "string" && typeof sentence === "string" && view === undefined) {
    return { mailbox, merged: undefined, failure: { reason, sentence }, learntAt: at };
  }
  const { merged: digits } = fieldsOf(view);
  if (typeof digits !== "string" || !/^[0-4]*$/.test(digits) || digits.length !== slots) return undefined;
  return {
    mailbox,
    merged: { start: instant(start), intervalMinutes, digits },
    failure: undefined,
    learntAt: at,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
