import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUSY_TYPES, type CalendarEvent } from "../../../src/availability/free-busy-view.js";
import { FAILURE_REASONS, failed, type MailboxAnswer, viewed } from "../../../src/availability/mailbox-answer.js";
import { instant, MINUTE_MS, type TimeWindow } from "../../../src/availability/time-window.js";
import { type Stretch, stretchesOf, stretchesOfAll, workingTimes } from "../../../src/operations/console/stretches.js";

const START = Date.parse("2026-06-30T22:00Z");
const DAY: TimeWindow = { start: instant(START), end: instant(START + 1440 * MINUTE_MS) };
const minutes = (from: number, to: number) => ({
  start: instant(START + from * MINUTE_MS),
  end: instant(START + to * MINUTE_MS),
});
const kindAt = (stretches: readonly Stretch[], minute: number) =>
  stretches.findLast(({ start, end }) => start <= START + minute * MINUTE_MS && START + minute * MINUTE_MS < end)?.kind;

const anyEvent: fc.Arbitrary<CalendarEvent> = fc
  .record({
    from: fc.integer({ min: -120, max: 1500 }),
    length: fc.integer({ min: 0, max: 600 }),
    busyType: fc.constantFrom(...BUSY_TYPES),
  })
  .map(({ from, length, busyType }) => ({ ...minutes(from, from + length), busyType }));
const anyAnswer: fc.Arbitrary<MailboxAnswer> = fc.oneof(
  fc.constantFrom(...FAILURE_REASONS).map((reason) => failed({ reason })),
  fc.array(anyEvent, { maxLength: 6 }).map((events) => viewed({ detail: "times", events })),
  fc
    .record({
      digits: fc.stringMatching(/^[0-4]{1,96}$/),
      intervalMinutes: fc.constantFrom(15, 30, 60),
      from: fc.integer({ min: -600, max: 600 }),
    })
    .map(({ digits, intervalMinutes, from }) =>
      viewed({ detail: "merged", merged: { start: minutes(from, 0).start, intervalMinutes, digits } }),
    ),
);

describe("what is drawn of a day", () => {
  it("of an answer without a view is unknown from beginning to end, whatever the reason", () => {
    for (const reason of FAILURE_REASONS) {
      expect(stretchesOf(failed({ reason }), DAY)).toEqual([{ ...DAY, kind: "unknown" }]);
    }
  });

  it("never reaches beyond the day, and no stretch is empty", () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        for (const { start, end } of stretchesOf(answer, DAY)) {
          expect(start >= DAY.start && end <= DAY.end && start < end).toBe(true);
        }
      }),
    );
  });

  it("calls no minute free in which something takes time or is not known", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 6 }), fc.nat(1439), (events, minute) => {
        const at = START + minute * MINUTE_MS;
        const there = events.filter(({ start, end }) => start <= at && at < end).map(({ busyType }) => busyType);
        const kind = kindAt(stretchesOf(viewed({ detail: "times", events }), DAY), minute);
        if (there.includes("NoData")) expect(kind).toBe("unknown");
        else if (there.includes("OOF")) expect(kind).toBe("away");
        else if (there.includes("Busy")) expect(kind).toBe("busy");
        else if (there.includes("Tentative")) expect(kind).toBe("tentative");
        else expect(kind).toBe(there.includes("WorkingElsewhere") ? "elsewhere" : undefined);
      }),
    );
  });

  it("calls nothing free for everybody that is not free for each", () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { minLength: 1, maxLength: 4 }), fc.nat(1439), (answers, minute) => {
        const each = answers.map((answer) => kindAt(stretchesOf(answer, DAY), minute));
        const all = kindAt(stretchesOfAll(answers, DAY), minute);
        if (each.some((kind) => kind !== undefined && kind !== "elsewhere")) expect(all).not.toBe(undefined);
        if (each.some((kind) => kind === "busy" || kind === "away" || kind === "unknown"))
          expect(["busy", "unknown"]).toContain(all);
        // By the quarter of an hour, as it is drawn: of one person what weighs most in it, of several first whoever is busy.
        const slots = answers.map((answer) => kindAt(stretchesOfAll([answer], DAY), minute));
        const kinds = ["busy", "unknown", "tentative"] as const;
        expect(all).toBe(kinds.find((kind) => slots.includes(kind)));
      }),
    );
  });

  it("is working time by the owner's clock, not the reader's", () => {
    const zone = {
      bias: 480,
      standard: { bias: 0, timeOfDayMs: 7_200_000, dayOrder: 1, month: 11, weekday: 0 },
      daylight: { bias: -60, timeOfDayMs: 7_200_000, dayOrder: 2, month: 3, weekday: 0 },
    };
    const periods = [{ weekdays: [1, 2, 3, 4, 5], startMinutes: 540, endMinutes: 1080 }];
    const view = { detail: "times", events: [], workingHours: { zone, periods } } as never;
    // 09:00 to 18:00 in Los Angeles is 18:00 to 03:00 in Berlin, of which the day has the end of one and the beginning of the other.
    expect(workingTimes(viewed(view), DAY)).toEqual([minutes(0, 180), minutes(1080, 1440)]);
    expect(workingTimes(failed({ reason: "no-access" }), DAY)).toBeUndefined();
  });
});
