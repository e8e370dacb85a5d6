import fc from "fast-check";
import ICAL from "ical.js";
import { describe, expect, it } from "vitest";
import type { FreeBusyView } from "../../src/availability/free-busy-view.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant, type TimeWindow } from "../../src/availability/time-window.js";
import { busyPeriods, isAllUnknown } from "../../src/icalendar/busy-periods.js";
import { writeFreeBusyCalendar } from "../../src/icalendar/free-busy-calendar.js";
import { anyView, anyWindow, START } from "../support/any-answers.js";

const at = (hours: number) => instant(START + hours * 3_600_000);
const DAY: TimeWindow = { start: at(0), end: at(24) };
const view = (...events: [from: number, to: number, busyType: "Free" | "Busy" | "OOF" | "Tentative" | "NoData"][]) =>
  ({
    detail: "times",
    events: events.map(([from, to, busyType]) => ({ start: at(from), end: at(to), busyType })),
  }) satisfies FreeBusyView;
const written = (view: FreeBusyView, window = DAY, address = "alice@corp.example") =>
  writeFreeBusyCalendar({
    address: parseMailboxAddress(address) as MailboxAddress,
    window,
    periods: busyPeriods(view, window),
    stampedAt: at(8),
  });

/** As ical.js, which is not ours, reads it. */
function read(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const component = calendar.getFirstSubcomponent("vfreebusy");
  if (component === null) throw new Error("no VFREEBUSY");
  const periods = component.getAllProperties("freebusy").map((property) => {
    const period = property.getFirstValue() as InstanceType<typeof ICAL.Period>;
    return {
      type: property.getParameter("fbtype") as string,
      start: period.start.toJSDate().getTime(),
      end: period.getEnd().toJSDate().getTime(),
    };
  });
  return { calendar, component, periods };
}

describe("a published calendar", () => {
  it("is what RFC 5546 asks of a VFREEBUSY that is published", () => {
    const { calendar, component, periods } = read(
      written(view([-3, 1, "OOF"], [9, 10, "Busy"], [9.5, 11, "Tentative"], [12, 13, "Free"], [14, 15, "NoData"])),
    );
    expect([calendar.getFirstPropertyValue("version"), calendar.getFirstPropertyValue("method")]).toEqual([
      "2.0",
      "PUBLISH",
    ]);
    expect(
      ["dtstamp", "dtstart", "dtend", "organizer", "uid"].map((name) => String(component.getFirstPropertyValue(name))),
    ).toEqual([
      "2026-07-01T08:00:00Z",
      "2026-07-01T00:00:00Z",
      "2026-07-02T00:00:00Z",
      "mailto:alice@corp.example",
      "freebusy:alice@corp.example",
    ]);
    expect(periods).toEqual([
      { type: "BUSY-UNAVAILABLE", start: at(0), end: at(1) },
      { type: "BUSY", start: at(9), end: at(10) },
      { type: "BUSY-TENTATIVE", start: at(10), end: at(11) },
      { type: "BUSY-UNAVAILABLE", start: at(14), end: at(15) },
    ]);
  });

  it("does not tell one long meeting from two that meet", () => {
    expect(written(view([9, 10, "Busy"], [10, 11, "Busy"]))).toBe(written(view([9, 11, "Busy"])));
  });

  it("folds what is longer than 75 bytes, and loses nothing by it", () => {
    const long = `${"ä".repeat(30)}.o'hara+x@${"sub.".repeat(20)}corp.example`;
    const text = written(view(), DAY, long);
    for (const line of text.split("\r\n")) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    const organizer = String(read(text).component.getFirstPropertyValue("organizer"));
    expect(decodeURIComponent(organizer)).toBe(`mailto:${parseMailboxAddress(long)}`);
  });

  it("holds no content line of an address's own", () => {
    const text = written(view(), DAY, "a%0d%0aATTENDEE=x?b&c@corp.example");
    expect(text).not.toMatch(/^ATTENDEE/m);
    expect(read(text).component.getAllProperties()).toHaveLength(5);
  });

  it("never rounds busy time away", () => {
    const { periods } = read(
      written({
        detail: "times",
        events: [{ start: instant(at(9) + 400), end: instant(at(9) + 600), busyType: "Busy" }],
      }),
    );
    expect(periods).toEqual([{ type: "BUSY", start: at(9), end: at(9) + 1000 }]);
  });

  it("says of every minute what the slots say: nothing busy or unknown is left out, nothing free is put in", () => {
    const KIND = ["FREE", "BUSY-TENTATIVE", "BUSY", "BUSY-UNAVAILABLE", "BUSY-UNAVAILABLE"];
    fc.assert(
      fc.property(
        anyWindow.chain((window) => fc.tuple(fc.constant(window), anyView(window, 15))),
        ([window, known]) => {
          const { periods } = read(written(known, window));
          for (let i = 1; i < periods.length; i++) {
            expect(periods[i]?.start).toBeGreaterThanOrEqual(periods[i - 1]?.end as number);
          }
          const digits = mergedFreeBusy(known, window, 1).digits;
          const told = [...digits].map((_, minute) => {
            const from = window.start + minute * 60_000;
            return periods.find(({ start, end }) => start < from + 60_000 && end > from)?.type ?? "FREE";
          });
          expect(told).toEqual([...digits].map((digit) => KIND[Number(digit)]));
        },
      ),
    );
  });
});

describe("a calendar of which nothing is known", () => {
  const merged = (digits: string) =>
    ({ detail: "merged", merged: { start: at(0), intervalMinutes: 720, digits } }) as const;

  it.each([
    [merged("44"), true],
    [merged(""), true],
    [view([-5, 30, "NoData"]), true],
    [view([0, 12, "NoData"], [12, 24, "NoData"]), true],
    [merged("40"), false],
    [merged("42"), false],
    [merged("4"), true],
    [view(), false],
    [view([0, 23, "NoData"]), false],
  ])("is told apart: %j, %s", (known, unknown) => {
    expect(isAllUnknown(busyPeriods(known, DAY), DAY)).toBe(unknown);
  });
});
