/**
 * Decides what becomes of a response that is larger than may be returned: AWS Lambda takes
 * 6 MB, and a larger one fails every mailbox. Details go first, then the largest calendars
 * become errors; never a part of a calendar, because what is left out would look free.
 *
 * A calendar whose events alone are too many is known before it is written, and is not: an
 * event may name a thousand mailboxes, or one a thousand times.
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { type CapEntry, type CapEvent, capEntry, eventCount } from "./cap-response.js";

export interface AnsweredMailbox {
  /** As it came. */
  readonly mailbox: unknown;
  readonly answer: MailboxAnswer;
  /** Of one event all have the same window and view. */
  readonly query: AvailabilityQuery;
}

/** What Lambda takes, less what it may add; WorkMail gets no more over HTTP either. */
const MAXIMUM_BYTES = 5_500_000;
const EMPTY = '{"mailboxes":[]}'.length;
/** The shortest event there is, with its comma. */
const EVENT_BYTES = '{"startTime":"2026-07-01T00:00:00.000Z","endTime":"2026-07-01T00:00:00.000Z","busyType":"BUSY"},'
  .length;

/**
 * One entry per mailbox of an event, in order; no more of them are written than may be returned, and what several
 * mailboxes were answered is written once.
 */
export function entriesWithin(all: readonly AnsweredMailbox[], maximumBytes = MAXIMUM_BYTES): readonly CapEntry[] {
  const atLeast = all.map(({ answer, query }) => eventCount(answer, query) * EVENT_BYTES);
  const beyond = largestBeyond(atLeast, maximumBytes);
  const written = new Map<MailboxAnswer, CapEntry>();
  const entries = all.map(({ mailbox, answer, query }, i) => {
    if (beyond.has(i)) return tooLarge(mailbox);
    const entry = written.get(answer) ?? capEntry(mailbox, answer, query);
    written.set(answer, entry);
    return { ...entry, mailbox };
  });
  return withinSize(entries, maximumBytes);
}

/** The entries, in order, in at most so many bytes of JSON as far as errors for all of them fit. */
export function withinSize(entries: readonly CapEntry[], maximumBytes: number): readonly CapEntry[] {
  if (fits(entries, maximumBytes)) return entries;
  const plain = entries.map(withoutDetails);
  const errors = plain.map(({ mailbox }) => tooLarge(mailbox));
  const forErrors = errors.reduce((sum, error) => sum + bytesOf(error), EMPTY);
  const saved = plain.map((entry, i) => bytesOf(entry) - bytesOf(errors[i] as CapEntry));
  const beyond = largestBeyond(saved, maximumBytes - forErrors);
  return plain.map((entry, i) => (beyond.has(i) ? (errors[i] as CapEntry) : entry));
}

/** Which have to go, the largest first, for the sum of the others to be no more than the maximum; none that saves nothing. */
function largestBeyond(sizes: readonly number[], maximum: number): ReadonlySet<number> {
  const beyond = new Set<number>();
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const largestFirst = sizes.map((_, i) => i).sort((a, b) => (sizes[b] as number) - (sizes[a] as number));
  for (const i of largestFirst) {
    const size = sizes[i] as number;
    if (total <= maximum || size <= 0) break;
    beyond.add(i);
    total -= size;
  }
  return beyond;
}

/** Writes no more of them than it takes to know. */
function fits(entries: readonly CapEntry[], maximumBytes: number): boolean {
  let total = EMPTY;
  return entries.every((entry) => {
    total += bytesOf(entry);
    return total <= maximumBytes;
  });
}

/** With its comma. */
function bytesOf(entry: CapEntry): number {
  return Buffer.byteLength(JSON.stringify(entry)) + 1;
}

function tooLarge(mailbox: unknown): CapEntry {
  return { mailbox, error: "ErrorFreeBusyGenerationFailed" };
}

function withoutDetails(entry: CapEntry): CapEntry {
  if (!("events" in entry)) return entry;
  const events = entry.events.map(({ startTime, endTime, busyType }): CapEvent => ({ startTime, endTime, busyType }));
  return { ...entry, events };
}
