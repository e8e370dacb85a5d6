/**
 * Decides what becomes of a response that is larger than may be returned: AWS Lambda takes
 * 6 MB, and a larger one fails every mailbox. Details go first, then the largest calendars
 * become errors; never a part of a calendar, because what is left out would look free.
 */

import type { CapEntry, CapEvent } from "./cap-response.js";

/** The entries, in order, in at most so many bytes of JSON as far as errors for all of them fit. */
export function withinSize(entries: readonly CapEntry[], maximumBytes: number): readonly CapEntry[] {
  if (totalOf(entries.map(bytesOf)) <= maximumBytes) return entries;
  const plain = entries.map(withoutDetails);
  const sizes = plain.map(bytesOf);
  let total = totalOf(sizes);
  const largestFirst = plain.map((_, i) => i).sort((a, b) => (sizes[b] as number) - (sizes[a] as number));
  for (const i of largestFirst) {
    if (total <= maximumBytes) break;
    const { mailbox } = plain[i] as CapEntry;
    const error: CapEntry = { mailbox, error: "ErrorFreeBusyGenerationFailed" };
    const saved = (sizes[i] as number) - bytesOf(error);
    if (saved <= 0) continue;
    plain[i] = error;
    total -= saved;
  }
  return plain;
}

/** `{"mailboxes":[]}`, and each entry with its comma. */
function totalOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, '{"mailboxes":[]}'.length);
}

function bytesOf(entry: CapEntry): number {
  return Buffer.byteLength(JSON.stringify(entry)) + 1;
}

function withoutDetails(entry: CapEntry): CapEntry {
  if (!("events" in entry)) return entry;
  const events = entry.events.map(({ startTime, endTime, busyType }): CapEvent => ({ startTime, endTime, busyType }));
  return { ...entry, events };
}
