import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, MINUTE_MS } from "../../src/availability/time-window.js";
import { bias, type TimeZone, wallClock } from "../../src/availability/time-zone.js";
import { timeZoneFromRules, UTC_RULES, type ZoneRules } from "../../src/availability/zone-rules.js";
import { shownByIntl, ZONES } from "../support/zones.js";

const HOUR = 3_600_000;
const zoneOf = (name: string) => timeZoneFromRules(ZONES[name] as ZoneRules);
const utc = (text: string) => instant(Date.parse(`${text}Z`));
const local = (text: string) => wallClock(Date.parse(`${text}Z`));
const anyInstant = fc
  .integer({ min: Date.UTC(2015, 0, 1) / 1000, max: Date.UTC(2031, 0, 1) / 1000 })
  .map((s) => instant(s * 1000));

/** Every change of the clocks Intl knows of from 2015 to 2030, to the minute. */
function changesKnownToIntl(name: string): { at: number; offset: number }[] {
  const offset = (at: number) => (shownByIntl(name, at) - at) / MINUTE_MS;
  const changes: { at: number; offset: number }[] = [];
  for (let at = Date.UTC(2015, 0, 1); at < Date.UTC(2031, 0, 1); at += 24 * HOUR) {
    if (offset(at) === offset(at + 24 * HOUR)) continue;
    let minute = at;
    while (offset(minute) === offset(at)) minute += MINUTE_MS;
    changes.push({ at: minute, offset: offset(minute) });
  }
  return changes;
}

describe.each(Object.keys(ZONES))("%s by its rules", (name) => {
  it("changes its bias in the very minutes Intl does, 2015 to 2030", () => {
    const zone = zoneOf(name);
    const known = changesKnownToIntl(name);
    expect(known).toHaveLength(name === "Asia/Kolkata" ? 0 : 32);
    for (const { at, offset } of known) {
      expect(zone.biasAt(instant(at))).toBe(0 - offset);
      expect(zone.biasAt(instant(at - 1))).not.toBe(0 - offset);
    }
  });

  it("has the bias Intl has at any instant, in whatever order it is asked", () => {
    const zone = zoneOf(name);
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(zone.biasAt(at)).toBe((at - shownByIntl(name, at)) / MINUTE_MS);
      }),
      { numRuns: 500 },
    );
  });

  it("finds every instant again by what it showed, but for the first pass of a repeated hour", () => {
    const zone = zoneOf(name);
    const repeated = changesKnownToIntl(name)
      .filter(({ at, offset }) => (shownByIntl(name, at - 1000) - (at - 1000)) / MINUTE_MS > offset)
      .map(({ at }) => at);
    const aroundAChange =
      repeated.length === 0
        ? anyInstant
        : fc
            .tuple(fc.constantFrom(...repeated), fc.integer({ min: -7200, max: 7200 }))
            .map(([at, seconds]) => instant(at + seconds * 1000));
    fc.assert(
      fc.property(fc.oneof(anyInstant, aroundAChange), (at) => {
        const firstPass = repeated.some((change) => at >= change - HOUR && at < change);
        expect(zone.toInstant(zone.toWallClock(at)) - at).toBe(firstPass ? HOUR : 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a wall clock", () => {
  it.each([
    ["America/Los_Angeles", "2026-11-01T01:30:00", "2026-11-01T09:30:00"],
    ["Europe/London", "2026-10-25T01:00:00", "2026-10-25T01:00:00"],
    ["Australia/Sydney", "2026-04-05T02:59:59", "2026-04-04T16:59:59"],
    ["Pacific/Auckland", "2026-04-05T02:00:00", "2026-04-04T14:00:00"],
  ])("in %s that shows %s twice means standard time", (name, shown, expected) => {
    expect(zoneOf(name).toInstant(local(shown))).toBe(utc(expected));
  });

  it.each([
    ["America/Los_Angeles", "2026-03-08T02:30:00", "2026-03-08T03:30:00"],
    ["Europe/London", "2026-03-29T01:00:00", "2026-03-29T02:00:00"],
    ["Australia/Sydney", "2026-10-04T02:59:59", "2026-10-04T03:59:59"],
  ])("in %s that never shows %s means %s", (name, shown, moved) => {
    const zone = zoneOf(name);
    expect(zone.toInstant(local(shown))).toBe(zone.toInstant(local(moved)));
    expect(zone.toWallClock(zone.toInstant(local(shown)))).toBe(local(moved));
  });

  it("is taken as it is right before and right after a gap", () => {
    const berlin = zoneOf("Europe/Berlin");
    expect(berlin.toInstant(local("2026-03-29T01:59:59"))).toBe(utc("2026-03-29T00:59:59"));
    expect(berlin.toInstant(local("2026-03-29T03:00:00"))).toBe(utc("2026-03-29T01:00:00"));
  });
});

describe("the fifth weekday of a month", () => {
  const plain = { bias: 0, weekday: 0, timeOfDayMs: 0 };
  const lastSundays = (dayOrder: number) =>
    timeZoneFromRules({
      bias: bias(0),
      daylight: { ...plain, bias: -60, month: 3, dayOrder },
      standard: { ...plain, month: 10, dayOrder: 5 },
    });

  it("is the last one, where there are five and where there are only four", () => {
    const zone = lastSundays(5);
    // March 2026 has Sundays on 1, 8, 15, 22, 29; March 2027 on 7, 14, 21, 28.
    expect(zone.biasAt(utc("2026-03-28T23:59:59"))).toBe(0);
    expect(zone.biasAt(utc("2026-03-29T00:00:00"))).toBe(-60);
    expect(zone.biasAt(utc("2027-03-27T23:59:59"))).toBe(0);
    expect(zone.biasAt(utc("2027-03-28T00:00:00"))).toBe(-60);
  });

  it("is not the fourth one where there are five", () => {
    const zone = lastSundays(4);
    expect(zone.biasAt(utc("2026-03-22T00:00:00"))).toBe(-60);
  });
});

describe("rules with a year", () => {
  const absolute = (standard: object, daylight: object): TimeZone => {
    const plain = { weekday: 0, timeOfDayMs: 2 * HOUR };
    return timeZoneFromRules({
      bias: bias(60),
      standard: { ...plain, bias: 0, month: 10, dayOrder: 7, ...standard },
      daylight: { ...plain, bias: -60, month: 4, dayOrder: 31, ...daylight },
    });
  };

  it("count the day of the month, not weekdays", () => {
    const zone = absolute({ year: 2024, dayOrder: 17 }, { year: 2024, month: 3, dayOrder: 31 });
    expect(zone.biasAt(utc("2024-03-31T02:59:59"))).toBe(60);
    expect(zone.biasAt(utc("2024-03-31T03:00:00"))).toBe(0);
    expect(zone.biasAt(utc("2024-10-17T01:59:59"))).toBe(0);
    expect(zone.biasAt(utc("2024-10-17T02:00:00"))).toBe(60);
  });

  it("hold the last season for ever after, even years later, and the other season before", () => {
    const zone = absolute({ year: 2022, month: 3, dayOrder: 2 }, { year: 2023, month: 5, dayOrder: 1 });
    const year = (number: number) => zone.biasAt(instant(Date.UTC(number, 6, 1)));
    expect([2000, 2021, 2022, 2023, 2024, 2050].map(year)).toEqual([0, 0, 60, 0, 0, 0]);
  });

  it("hold the other season before the first of two changes in one month", () => {
    const zone = absolute({ year: 2025, month: 3, dayOrder: 2 }, { year: 2025, month: 3, dayOrder: 28 });
    expect(["2025-01-01", "2025-03-15", "2025-04-01"].map((day) => zone.biasAt(utc(`${day}T00:00:00`)))).toEqual([
      0, 60, 0,
    ]);
  });
});

describe("a change near New Year", () => {
  const rule = (added: number, month: number, dayOrder: number, weekday: number, hour: number) => ({
    bias: added,
    month,
    dayOrder,
    weekday,
    timeOfDayMs: hour * HOUR,
  });

  it("that is in the year before by UTC counts from its very moment", () => {
    // 1 January 2026 is a Thursday.
    const zone = timeZoneFromRules({
      bias: bias(-720),
      standard: rule(0, 1, 1, 4, 0),
      daylight: rule(-60, 10, 1, 0, 0),
    });
    expect(
      ["2025-12-31T10:59:59", "2025-12-31T11:00:00", "2026-01-01T00:00:00"].map((at) => zone.biasAt(utc(at))),
    ).toEqual([-780, -720, -720]);
    expect(zone.toInstant(local("2026-01-01T00:30:00"))).toBe(utc("2025-12-31T12:30:00"));
  });

  it("that is in the year after by UTC counts from its very moment", () => {
    // 31 December 2026 is a Thursday.
    const zone = timeZoneFromRules({
      bias: bias(300),
      standard: rule(0, 6, 1, 0, 0),
      daylight: rule(-60, 12, 5, 4, 22),
    });
    expect(
      ["2027-01-01T00:00:00", "2027-01-01T02:59:59", "2027-01-01T03:00:00"].map((at) => zone.biasAt(utc(at))),
    ).toEqual([300, 300, 240]);
  });
});

it("the year 50 is not 1950: each has its own changes, whichever is asked about first", () => {
  const clock = (year: string) => zoneOf("Europe/Berlin").biasAt(utc(`${year}-07-15T00:00:00`));
  expect(["0000", "0050", "0099", "0100"].map(clock)).toEqual([-120, -120, -120, -120]);
  const zone = timeZoneFromRules({
    bias: bias(0),
    daylight: { bias: -60, month: 1, dayOrder: 1, weekday: 0, timeOfDayMs: 0, year: 1900 },
    standard: { bias: 0, month: 1, dayOrder: 1, weekday: 0, timeOfDayMs: 0, year: 1940 },
  });
  expect(["0050", "1950", "0001", "1901"].map((year) => zone.biasAt(utc(`${year}-07-15T00:00:00`)))).toEqual([
    0, 0, 0, -60,
  ]);
});

it("the rules of UTC change nothing", () => {
  const zone = timeZoneFromRules(UTC_RULES);
  fc.assert(
    fc.property(anyInstant, (at) => {
      expect(zone.toWallClock(at)).toBe(at);
      expect(zone.toInstant(wallClock(at))).toBe(at);
    }),
  );
});
