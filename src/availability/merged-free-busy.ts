/**
 * Decides the digit of every slot: the highest status that touches it (MS-ASCMD 2.2.3.107),
 * with half-open overlaps, slots counted from the window's start in elapsed time.
 *
 * Working elsewhere counts as free, as Exchange writes it: 4 is taken by "no data", which
 * is the highest digit, so nothing unknown ever hides behind something known.
 *
 * Pure; work is proportional to slots and events.
 */

import {
  type BusyType,
  type CalendarEvent,
  type FreeBusyView,
  inOrder,
  type MergedFreeBusy,
} from "./free-busy-view.js";
import { MINUTE_MS, type TimeWindow } from "./time-window.js";

const DIGIT: Readonly<Record<BusyType, number>> = {
  Free: 0,
  WorkingElsewhere: 0,
  Tentative: 1,
  Busy: 2,
  OOF: 3,
  NoData: 4,
};
const ZERO = 0x30;
const NO_DATA = 0x34;

/** How many slots a window has; the last may reach beyond its end. */
export function slotsIn(window: TimeWindow, intervalMinutes: number): number {
  return Math.ceil((window.end - window.start) / (intervalMinutes * MINUTE_MS));
}

/** A view in the slots of a question, whatever the slots or events it was learnt in. */
export function mergedFreeBusy(view: FreeBusyView, window: TimeWindow, intervalMinutes: number): MergedFreeBusy {
  const digits =
    view.detail === "merged"
      ? reslotted(view.merged, window, intervalMinutes)
      : fromEvents(view.events, window, intervalMinutes);
  return { start: window.start, intervalMinutes, digits };
}

/**
 * The slots of a group: in each, the highest status of the members whose slots are known, and "no data" where none is.
 * `someUnknown`: a member's slots are missing, though somebody has them; then a slot is not called free.
 */
export function mergedOfMembers(members: readonly string[], slots: number, someUnknown: boolean): string {
  const merged = Buffer.alloc(slots, NO_DATA);
  for (let slot = 0; slot < slots; slot++) {
    let highest = -1;
    for (const digits of members) {
      const digit = digits.charCodeAt(slot);
      if (digit !== NO_DATA && digit > highest) highest = digit;
    }
    if (highest > ZERO || (highest === ZERO && !someUnknown)) merged[slot] = highest;
  }
  return merged.toString("latin1");
}

function fromEvents(events: readonly CalendarEvent[], window: TimeWindow, intervalMinutes: number): string {
  const intervalMs = intervalMinutes * MINUTE_MS;
  const slots = Buffer.alloc(slotsIn(window, intervalMinutes), ZERO);
  // How far each digit has been written without a gap before it: what starts later need not write it there again.
  const written = [0, 0, 0, 0, 0];
  for (const { start, end, busyType } of inOrder(events)) {
    const digit = DIGIT[busyType];
    if (digit === 0 || end <= start) continue;
    const from = Math.max((start - window.start) / intervalMs, written[digit] as number);
    const to = (end - window.start) / intervalMs;
    if (from >= to) continue;
    raise(slots, from, to, ZERO + digit);
    written[digit] = Math.ceil(to);
  }
  return slots.toString("latin1");
}

function reslotted(known: MergedFreeBusy, window: TimeWindow, intervalMinutes: number): string {
  if (known.start === window.start && known.intervalMinutes === intervalMinutes) {
    const length = slotsIn(window, intervalMinutes);
    return known.digits.slice(0, length).padEnd(length, "4");
  }
  const intervalMs = intervalMinutes * MINUTE_MS;
  const knownMs = known.intervalMinutes * MINUTE_MS;
  const knownEnd = known.start + known.digits.length * knownMs;
  const slots = Buffer.alloc(slotsIn(window, intervalMinutes), ZERO);
  const slotOf = (at: number) => (at - window.start) / intervalMs;
  for (let i = 0; i < known.digits.length; i++) {
    const digit = known.digits.charCodeAt(i);
    if (digit > ZERO) raise(slots, slotOf(known.start + i * knownMs), slotOf(known.start + (i + 1) * knownMs), digit);
  }
  // What lies outside the known slots is unknown, not free.
  if (known.start > window.start) raise(slots, 0, slotOf(known.start), NO_DATA);
  if (knownEnd < window.end) raise(slots, slotOf(knownEnd), slots.length, NO_DATA);
  return slots.toString("latin1");
}

/** Raises every slot that `[from, to)` touches, both in slots and possibly fractional. */
function raise(slots: Buffer, from: number, to: number, digit: number): void {
  if (to <= from) return;
  const last = Math.min(slots.length, Math.ceil(to));
  for (let slot = Math.max(0, Math.floor(from)); slot < last; slot++) {
    if ((slots[slot] as number) < digit) slots[slot] = digit;
  }
}
