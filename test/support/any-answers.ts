/** Answers of every kind, for properties that have to hold for all of them. */

import fc from "fast-check";
import { BUSY_TYPES, type CalendarEvent, type FreeBusyView } from "../../src/availability/free-busy-view.js";
import { FAILURE_REASONS, failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { slotsIn } from "../../src/availability/merged-free-busy.js";
import { instant, type TimeWindow } from "../../src/availability/time-window.js";

export const START = Date.UTC(2026, 6, 1);
export const anyWindow: fc.Arbitrary<TimeWindow> = fc
  .tuple(fc.integer({ min: -3000, max: 3000 }), fc.integer({ min: 30, max: 3000 }))
  .map(([from, minutes]) => ({
    start: instant(START + from * 60_000),
    end: instant(START + (from + minutes) * 60_000),
  }));

const anyEvent: fc.Arbitrary<CalendarEvent> = fc
  .tuple(fc.integer({ min: -6000, max: 6000 }), fc.integer({ min: 0, max: 2000 }), fc.constantFrom(...BUSY_TYPES))
  .map(([from, minutes, busyType]) => ({
    start: instant(START + from * 60_000),
    end: instant(START + (from + minutes) * 60_000),
    busyType,
  }));

/** Of an owner who gives slots, or events; the slots are the window's, as the core hands them out. */
export function anyView(window: TimeWindow, intervalMinutes: number): fc.Arbitrary<FreeBusyView> {
  const slots = slotsIn(window, intervalMinutes);
  return fc.oneof(
    fc.array(fc.constantFrom(..."01234"), { minLength: slots, maxLength: slots }).map((digits): FreeBusyView => {
      return { detail: "merged", merged: { start: window.start, intervalMinutes, digits: digits.join("") } };
    }),
    fc
      .array(anyEvent, { maxLength: 12 })
      .map((events): FreeBusyView => ({ detail: "times", events: events.sort((a, b) => a.start - b.start) })),
  );
}

export function anyAnswer(window: TimeWindow, intervalMinutes: number): fc.Arbitrary<MailboxAnswer> {
  return fc.oneof(
    anyView(window, intervalMinutes).map(viewed),
    fc.constantFrom(...FAILURE_REASONS).map((reason) => failed({ reason, backend: "exchange" })),
  );
}
