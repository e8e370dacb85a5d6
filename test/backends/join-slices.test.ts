import { describe, expect, it } from "vitest";
import type { CalendarEvent, ViewDetail } from "../../src/availability/free-busy-view.js";
import { viewed } from "../../src/availability/mailbox-answer.js";
import { instant, slices } from "../../src/availability/time-window.js";
import { joinSlices } from "../../src/backends/join-slices.js";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 6, 1);
const at = (hour: number) => instant(START + hour * HOUR);
const days = (count: number) => slices({ start: at(0), end: at(24 * count) }, 24 * HOUR);
const busy = (from: number, to: number, subject?: string): CalendarEvent => ({
  start: at(from),
  end: at(to),
  busyType: "Busy",
  ...(subject !== undefined && {
    details: {
      subject,
      isMeeting: true,
      isRecurring: false,
      isException: false,
      isReminderSet: false,
      isPrivate: false,
    },
  }),
});
const joined = (detail: Exclude<ViewDetail, "merged">, ...parts: CalendarEvent[][]) =>
  joinSlices(
    parts.map((events) => viewed({ detail, events })),
    days(parts.length),
    30,
  );
const times = (...events: CalendarEvent[]) => viewed({ detail: "times", events });

describe("a meeting across the border of two slices", () => {
  const night = busy(20, 34);

  it.each([
    ["both", [night], [night]],
    ["the earlier one", [night], []],
    ["the later one", [], [night]],
  ])("is there, and once, when it is reported by %s", (_, earlier, later) => {
    expect(joined("times", earlier, later)).toEqual(times(night));
  });

  it("is there once when it covers three slices and the middle one does not report it", () => {
    const long = busy(-5, 60);
    expect(joined("times", [long], [], [long])).toEqual(times(long));
    expect(joined("times", [], [long], [long])).toEqual(times(long));
  });

  it("comes where it belongs in the order of time", () => {
    expect(joined("times", [busy(10, 11), busy(22, 23)], [night, busy(30, 31)])).toEqual(
      times(busy(10, 11), night, busy(22, 23), busy(30, 31)),
    );
  });

  it("is another one than a meeting at the same time about something else", () => {
    const answer = joined("details", [busy(20, 34, "Watch")], [busy(20, 34, "Watch"), busy(20, 34, "Party")]);
    expect(answer).toEqual(viewed({ detail: "details", events: [busy(20, 34, "Watch"), busy(20, 34, "Party")] }));
  });

  it("is one and the same when only one slice tells what it is about", () => {
    const parts = [viewed({ detail: "details", events: [busy(20, 34, "Watch")] }), times(night)];
    expect(joinSlices(parts, days(2), 30)).toEqual(times(night));
  });
});

it("two meetings at the same time within one slice stay two, also where they began before it", () => {
  expect(joined("times", [busy(9, 10), busy(9, 10)], [])).toEqual(times(busy(9, 10), busy(9, 10)));
  expect(joined("times", [], [busy(20, 34), busy(20, 34)])).toEqual(times(busy(20, 34), busy(20, 34)));
});
