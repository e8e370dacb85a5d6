import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lowered } from "../../src/availability/disclosure.js";
import {
  BUSY_TYPES,
  type CalendarEvent,
  type FreeBusyView,
  inOrder,
  VIEW_DETAILS,
  viewWithin,
  type WorkingHours,
  withoutPrivateText,
} from "../../src/availability/free-busy-view.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { covers, instant, MINUTE_MS, overlaps, wholeDaysAround } from "../../src/availability/time-window.js";
import { UTC_RULES } from "../../src/availability/zone-rules.js";

const T0 = Date.UTC(2026, 6, 1);
const at = (minutes: number) => instant(T0 + minutes * MINUTE_MS);
const window = { start: at(0), end: at(600) };
const workingHours: WorkingHours = {
  zone: UTC_RULES,
  periods: [{ weekdays: [1, 2], startMinutes: 480, endMinutes: 960 }],
};
const flags = { isMeeting: true, isRecurring: true, isException: false, isReminderSet: true };
const anyEvent: fc.Arbitrary<CalendarEvent> = fc
  .record({
    from: fc.integer({ min: -600, max: 1200 }),
    length: fc.integer({ min: 0, max: 300 }),
    busyType: fc.constantFrom(...BUSY_TYPES),
    subject: fc.option(fc.constantFrom("canary one", "canary two"), { nil: undefined }),
    plain: fc.boolean(),
  })
  .map(({ from, length, busyType, subject, plain }) => ({
    start: at(from),
    end: at(from + length),
    busyType,
    ...(plain ? {} : { details: { id: "canary id", subject, location: "canary place", ...flags, isPrivate: false } }),
  }));
const anyView: fc.Arbitrary<FreeBusyView> = fc.oneof(
  fc.record({ detail: fc.constant("details" as const), events: fc.array(anyEvent, { maxLength: 6 }) }),
  fc.record({
    detail: fc.constant("times" as const),
    events: fc.array(
      anyEvent.map(({ start, end, busyType }) => ({ start, end, busyType })),
      { maxLength: 6 },
    ),
    workingHours: fc.constant(workingHours),
  }),
  fc.record({
    detail: fc.constant("merged" as const),
    merged: fc.record({
      start: fc.constant(at(0)),
      intervalMinutes: fc.constant(30),
      digits: fc.stringMatching(/^[0-4]{20}$/),
    }),
  }),
);
const rank = (view: FreeBusyView) => VIEW_DETAILS.indexOf(view.detail);

describe("what a caller may see", () => {
  it("is never more than the limit, and never more than is known", () => {
    fc.assert(
      fc.property(anyView, fc.constantFrom(...VIEW_DETAILS), (view, limit) => {
        const shown = lowered(view, limit, window, 30);
        expect(rank(shown)).toBe(Math.min(rank(view), VIEW_DETAILS.indexOf(limit)));
        if (limit !== "details") expect(JSON.stringify(shown)).not.toMatch(/canary|details|isPrivate/);
        if (limit === "merged") expect(shown).not.toHaveProperty("workingHours");
      }),
    );
  });

  it("lowered twice is what it was lowered to once", () => {
    fc.assert(
      fc.property(anyView, fc.constantFrom(...VIEW_DETAILS), (view, limit) => {
        const once = lowered(view, limit, window, 30);
        expect(lowered(once, limit, window, 30)).toEqual(once);
      }),
    );
  });

  it("keeps the slots as they were: taking detail away makes nobody freer", () => {
    fc.assert(
      fc.property(anyView, fc.constantFrom(...VIEW_DETAILS), (view, limit) => {
        expect(mergedFreeBusy(lowered(view, limit, window, 30), window, 30).digits).toBe(
          mergedFreeBusy(view, window, 30).digits,
        );
      }),
    );
  });

  it("keeps times, statuses and working hours where only details are taken", () => {
    const view: FreeBusyView = {
      detail: "details",
      events: [
        { start: at(0), end: at(60), busyType: "OOF", details: { subject: "canary", ...flags, isPrivate: false } },
      ],
      workingHours,
    };
    expect(lowered(view, "times", window, 30)).toEqual({
      detail: "times",
      events: [{ start: at(0), end: at(60), busyType: "OOF" }],
      workingHours,
    });
  });
});

describe("a view within a window", () => {
  it("holds the events with a moment in it and no others, whole and in order", () => {
    fc.assert(
      fc.property(fc.array(anyEvent), (events) => {
        const shown = viewWithin({ detail: "details", events, workingHours }, window);
        const inside = events.filter(({ start, end }) =>
          start === end
            ? start >= window.start && start < window.end
            : Math.max(start, window.start) < Math.min(end, window.end),
        );
        expect(shown).toEqual({ detail: "details", events: inside, workingHours });
      }),
    );
  });

  it("has the same slots as the view had", () => {
    fc.assert(
      fc.property(anyView, (view) => {
        expect(mergedFreeBusy(viewWithin(view, window), window, 25).digits).toBe(
          mergedFreeBusy(view, window, 25).digits,
        );
      }),
    );
  });
});

/** Rounded down to few starts, so that often the end decides. */
const startingTogether = (event: CalendarEvent): CalendarEvent => ({
  ...event,
  start: instant(Math.floor(event.start / (300 * MINUTE_MS)) * 300 * MINUTE_MS),
});

describe("events in order", () => {
  it("are the same events, by start and then by end", () => {
    fc.assert(
      fc.property(fc.array(anyEvent.map(startingTogether)), (events) => {
        const given = [...events];
        const ordered = inOrder(events);
        expect(events).toEqual(given);
        expect(new Set(ordered)).toEqual(new Set(events));
        expect(ordered).toHaveLength(events.length);
        for (let i = 1; i < ordered.length; i++) {
          const [one, next] = [ordered[i - 1] as CalendarEvent, ordered[i] as CalendarEvent];
          expect(one.start < next.start || (one.start === next.start && one.end <= next.end)).toBe(true);
        }
      }),
    );
  });
});

describe("private text", () => {
  it("is taken from private events only, and nothing but text is", () => {
    const details = { id: "1", subject: "s", location: "l", ...flags };
    expect(withoutPrivateText({ ...details, isPrivate: false })).toEqual({ ...details, isPrivate: false });
    expect(Object.keys(withoutPrivateText({ ...details, isPrivate: true })).sort()).toEqual(
      [...Object.keys(flags), "isPrivate"].sort(),
    );
  });
});

describe("a window", () => {
  const anyWindow = fc
    .tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }))
    .map(([from, length]) => ({ start: at(from), end: at(from + length) }));

  it("is covered by the whole days around it, which are its own whole days", () => {
    fc.assert(
      fc.property(anyWindow, (one) => {
        const days = wholeDaysAround(one);
        expect(covers(days, one)).toBe(true);
        expect(wholeDaysAround(days)).toEqual(days);
        expect(one.start - days.start).toBeLessThan(1440 * MINUTE_MS);
        expect(days.end - one.end).toBeLessThan(1440 * MINUTE_MS);
      }),
    );
  });

  it("that covers another overlaps all that the other overlaps", () => {
    fc.assert(
      fc.property(anyWindow, fc.nat(3000), fc.nat(3000), anyEvent, (inner, earlier, later, { start, end }) => {
        const outer = {
          start: instant(inner.start - earlier * MINUTE_MS),
          end: instant(inner.end + later * MINUTE_MS),
        };
        expect(covers(outer, inner)).toBe(true);
        if (overlaps(inner, start, end)) expect(overlaps(outer, start, end)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
