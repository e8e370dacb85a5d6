import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { availabilityQuery } from "../../src/availability/availability-query.js";
import { lowered } from "../../src/availability/disclosure.js";
import {
  BUSY_TYPES,
  type CalendarEvent,
  type FreeBusyView,
  VIEW_DETAILS,
  viewWithin,
  withoutPrivateText,
} from "../../src/availability/free-busy-view.js";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant, MINUTE_MS, slices, wholeDaysAround } from "../../src/availability/time-window.js";
import { UTC_ZONE } from "../../src/availability/time-zone.js";
import { timeZoneFromRules, type ZoneRules } from "../../src/availability/zone-rules.js";
import { ZONES } from "../support/zones.js";

const T0 = Date.UTC(2026, 6, 1);
const at = (minutes: number) => instant(T0 + minutes * MINUTE_MS);
const event = (from: number, to: number, busyType: CalendarEvent["busyType"]): CalendarEvent => ({
  start: at(from),
  end: at(to),
  busyType,
});
const timesView = (events: CalendarEvent[]): FreeBusyView => ({ detail: "times", events });
const anyEvent = fc
  .tuple(fc.integer({ min: -600, max: 3000 }), fc.integer({ min: 0, max: 900 }), fc.constantFrom(...BUSY_TYPES))
  .map(([from, length, busyType]) => event(from, from + length, busyType));

describe("merged free/busy", () => {
  it("is the documented example: out of office 60, busy 90, free 90 minutes in four hours", () => {
    const view = timesView([event(0, 60, "OOF"), event(60, 150, "Busy")]);
    expect(mergedFreeBusy(view, { start: at(0), end: at(240) }, 60).digits).toBe("3220");
  });

  it("has 24 hourly digits for a window that ends a second before midnight", () => {
    expect(mergedFreeBusy(timesView([]), { start: at(0), end: instant(T0 + 86_399_000) }, 60).digits).toBe(
      "0".repeat(24),
    );
  });

  it("counts working elsewhere as free, and lets no data stand above everything", () => {
    const view = timesView([event(0, 60, "WorkingElsewhere"), event(60, 120, "NoData"), event(60, 120, "OOF")]);
    expect(mergedFreeBusy(view, { start: at(0), end: at(120) }, 60).digits).toBe("04");
  });

  it("gives a slot that an event only touches at its border to nobody", () => {
    const view = timesView([event(-30, 0, "Busy"), event(60, 90, "Busy")]);
    expect(mergedFreeBusy(view, { start: at(0), end: at(60) }, 30).digits).toBe("00");
  });

  it("equals a count minute by minute, for any events, window and interval", () => {
    const worth = { Free: 0, WorkingElsewhere: 0, Tentative: 1, Busy: 2, OOF: 3, NoData: 4 };
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 8 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 5, max: 300 }),
        (events, length, interval) => {
          const expected: number[] = [];
          for (let from = 0; from < length; from += interval) {
            let most = 0;
            for (let minute = from; minute < from + interval; minute++) {
              for (const one of events)
                if (one.start <= at(minute) && one.end >= at(minute + 1)) most = Math.max(most, worth[one.busyType]);
            }
            expected.push(most);
          }
          expect(mergedFreeBusy(timesView(events), { start: at(0), end: at(length) }, interval).digits).toBe(
            expected.join(""),
          );
        },
      ),
    );
  });

  it("put into other slots never shows less than was known, and what was not known as no data", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-4]{1,60}$/),
        fc.constantFrom(5, 15, 30, 45),
        fc.integer({ min: -200, max: 200 }),
        fc.integer({ min: 60, max: 900 }),
        fc.integer({ min: 5, max: 120 }),
        (digits, known, shift, length, interval) => {
          const view: FreeBusyView = { detail: "merged", merged: { start: at(0), intervalMinutes: known, digits } };
          const result = mergedFreeBusy(view, { start: at(shift), end: at(shift + length) }, interval).digits;
          for (let minute = shift; minute < shift + length; minute++) {
            const then = digits[Math.floor(minute / known)] ?? "4";
            const expected = minute < 0 ? "4" : then;
            expect(Number(result[Math.floor((minute - shift) / interval)])).toBeGreaterThanOrEqual(Number(expected));
          }
        },
      ),
    );
  });
});

describe("disclosure", () => {
  it("never adds detail, and never leaves details under a lower limit", () => {
    const detailed = anyEvent.map(
      (one): CalendarEvent => ({
        ...one,
        details: {
          subject: "secret",
          isMeeting: true,
          isRecurring: false,
          isException: false,
          isReminderSet: false,
          isPrivate: false,
        },
      }),
    );
    fc.assert(
      fc.property(fc.array(detailed), fc.constantFrom(...VIEW_DETAILS), (events, limit) => {
        const view = lowered({ detail: "details", events }, limit, { start: at(0), end: at(600) }, 30);
        expect(view.detail).toBe(limit);
        expect(JSON.stringify(view).includes("secret")).toBe(limit === "details" && events.length > 0);
        const fromMerged = lowered(
          { detail: "merged", merged: { start: at(0), intervalMinutes: 30, digits: "2" } },
          limit,
          { start: at(0), end: at(30) },
          30,
        );
        expect(fromMerged.detail).toBe("merged");
      }),
    );
  });

  it("leaves of a private event only its flags", () => {
    const flags = { isMeeting: true, isRecurring: false, isException: false, isReminderSet: true };
    expect(withoutPrivateText({ id: "1", subject: "s", location: "l", ...flags, isPrivate: true })).toEqual({
      ...flags,
      isPrivate: true,
    });
  });

  it("keeps of a view what has a moment in the window, whole", () => {
    const events = [
      event(-60, 0, "Busy"),
      event(-60, 10, "Busy"),
      event(20, 20, "Busy"),
      event(50, 90, "OOF"),
      event(60, 90, "Busy"),
    ];
    const view = viewWithin({ detail: "times", events }, { start: at(0), end: at(60) });
    expect(view).toEqual({ detail: "times", events: [events[1], events[2], events[3]] });
  });
});

describe("windows", () => {
  it("are cut into slices that add up to the window, none too long", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 * 1440 }), fc.integer({ min: 1, max: 62 }), (minutes, days) => {
        const window = { start: at(0), end: at(minutes) };
        const parts = slices(window, days * 1440 * MINUTE_MS);
        expect(parts[0]?.start).toBe(window.start);
        expect(parts.at(-1)?.end).toBe(window.end);
        parts.forEach((part, i) => {
          expect(part.end - part.start).toBeLessThanOrEqual(days * 1440 * MINUTE_MS);
          if (i > 0) expect(part.start).toBe(parts[i - 1]?.end);
        });
      }),
    );
  });

  it("are widened to whole UTC days", () => {
    expect(wholeDaysAround({ start: at(60), end: at(1441) })).toEqual({ start: at(0), end: at(2880) });
    expect(wholeDaysAround({ start: at(0), end: at(1440) })).toEqual({ start: at(0), end: at(1440) });
  });
});

describe("a mailbox address", () => {
  it.each([
    [" Bob@Corp.Example ", "bob@corp.example"],
    ["O'Brien@corp.example", "o'brien@corp.example"],
    ["bob@MÜNCHEN.example", "bob@xn--mnchen-3ya.example"],
    ["bob@xn--mnchen-3ya.example", "bob@xn--mnchen-3ya.example"],
    ["Jose\u0301@corp.example", "jos\u00e9@corp.example"],
  ])("%j is %j", (text, canonical) => {
    expect(parseMailboxAddress(text)).toBe(canonical);
  });

  it.each([
    "",
    "foobar",
    "@corp.example",
    "bob@",
    "bob@@corp.example",
    "bob@corp..example",
    "a\r\nb@corp.example",
    "bob@corp.example\0",
    '"a b"@corp.example',
    "<bob@corp.example>",
    "bob@-corp.example",
    `${"a".repeat(65)}@corp.example`,
    "bob@corp.example, eve@corp.example",
  ])("%j is none", (text) => {
    expect(parseMailboxAddress(text)).toBeUndefined();
  });

  it("read twice is what it was read once", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }), fc.domain()),
        ([localPart, domain]) => {
          const once = parseMailboxAddress(`${localPart}@${domain}`);
          if (once !== undefined) expect(parseMailboxAddress(once)).toBe(once);
        },
      ),
    );
  });
});

describe("a query", () => {
  const mailbox = {
    text: "a@corp.example",
    routingType: "SMTP" as const,
    address: parseMailboxAddress("a@corp.example"),
  };
  const query = (change: object) => ({
    mailboxes: [mailbox],
    window: { start: at(0), end: at(1440) },
    intervalMinutes: 30,
    view: { detail: "times" as const, merged: false },
    ...change,
  });
  const berlin = timeZoneFromRules(ZONES["Europe/Berlin"] as ZoneRules);

  it.each([
    ["no mailbox", { mailboxes: [] }, "no-mailboxes"],
    ["101 mailboxes", { mailboxes: Array(101).fill(mailbox) }, "too-many-mailboxes"],
    ["an empty window", { window: { start: at(0), end: at(0) } }, "invalid-window"],
    ["63 days", { window: { start: at(0), end: at(63 * 1440) } }, "window-too-long"],
    ["interval 4", { intervalMinutes: 4 }, "invalid-interval"],
    ["interval 1441", { intervalMinutes: 1441 }, "invalid-interval"],
    [
      "slots longer than the window",
      { intervalMinutes: 60, window: { start: at(0), end: at(30) }, view: { detail: "times", merged: true } },
      "invalid-interval",
    ],
  ])("with %s is refused", (_, change, reason) => {
    expect(() => availabilityQuery(query(change), UTC_ZONE)).toThrow(expect.objectContaining({ reason }));
  });

  it.each([
    ["100 mailboxes", { mailboxes: Array(100).fill(mailbox) }],
    ["62 days", { window: { start: at(0), end: at(62 * 1440) } }],
    ["interval 5", { intervalMinutes: 5 }],
    ["interval 1440", { intervalMinutes: 1440 }],
    ["a window shorter than slots nobody asked for", { intervalMinutes: 60, window: { start: at(0), end: at(30) } }],
  ])("with %s is asked", (_, change) => {
    expect(availabilityQuery(query(change), UTC_ZONE)).toBeDefined();
  });

  it("may be 62 days on the wall clock, though the end of daylight saving makes them an hour longer", () => {
    const start = berlin.toInstant(Date.UTC(2026, 8, 1) as never);
    const end = berlin.toInstant(Date.UTC(2026, 10, 2) as never);
    expect(end - start).toBeGreaterThan(62 * 86_400_000);
    expect(availabilityQuery(query({ window: { start, end } }), berlin)).toBeDefined();
  });

  it("that is too long is told both numbers", () => {
    expect(() => availabilityQuery(query({ window: { start: at(0), end: at(63 * 1440) } }), UTC_ZONE)).toThrow(
      /limit = 62 days; the actual limit = 63 days/,
    );
  });
});
