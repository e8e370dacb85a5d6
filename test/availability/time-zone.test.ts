import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { bias, wallClock } from "../../src/availability/time-zone.js";
import { timeZoneFromRules, type ZoneRules } from "../../src/availability/zone-rules.js";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { shownByIntl, ZONES } from "../support/zones.js";

const anyInstant = fc
  .integer({ min: Date.UTC(2008, 0, 1) / 1000, max: Date.UTC(2035, 0, 1) / 1000 })
  .map((s) => s * 1000);
const berlin = timeZoneFromRules(ZONES["Europe/Berlin"] as ZoneRules);
const local = (text: string) => wallClock(Date.parse(`${text}Z`));
const iso = (ms: number) => new Date(ms).toISOString();

describe("a zone given by EWS rules", () => {
  it.each(Object.keys(ZONES))("shows what Intl shows in %s, at any instant of 27 years", (name) => {
    const zone = timeZoneFromRules(ZONES[name] as ZoneRules);
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(zone.toWallClock(instant(at))).toBe(shownByIntl(name, at));
      }),
      { numRuns: 2000 },
    );
  });

  it.each(Object.keys(ZONES))(
    "finds the instant of every wall clock in %s, the later one where there are two",
    (name) => {
      const zone = timeZoneFromRules(ZONES[name] as ZoneRules);
      fc.assert(
        fc.property(anyInstant, (at) => {
          const back = zone.toInstant(zone.toWallClock(instant(at)));
          expect(zone.toWallClock(back)).toBe(zone.toWallClock(instant(at)));
          expect(back).toBeGreaterThanOrEqual(at);
        }),
        { numRuns: 1000 },
      );
    },
  );

  it("takes a time that happens twice as standard time", () => {
    expect(iso(berlin.toInstant(local("2026-10-25T02:30:00")))).toBe("2026-10-25T01:30:00.000Z");
  });

  it("moves a time that never happens forward by the gap", () => {
    const at = berlin.toInstant(local("2026-03-29T02:30:00"));
    expect(iso(berlin.toWallClock(at))).toBe("2026-03-29T03:30:00.000Z");
  });

  it.each([
    ["month 0 in both rules", 0, 0, -60],
    ["month 0 in the standard rule only", 0, 3, -60],
    ["month 0 in the daylight rule only", 10, 0, -60],
    ["two equal biases", 10, 3, 0],
  ])("has no daylight saving with %s", (_, standardMonth, daylightMonth, daylightBias) => {
    const plain = { bias: 0, dayOrder: 1, weekday: 0, timeOfDayMs: 0 };
    const zone = timeZoneFromRules({
      bias: bias(-60),
      standard: { ...plain, month: standardMonth },
      daylight: { ...plain, month: daylightMonth, bias: daylightBias },
    });
    for (const month of [0, 3, 6, 9, 11]) expect(zone.biasAt(instant(Date.UTC(2026, month, 15)))).toBe(-60);
  });

  it("applies rules with a year in that year only, and holds the last season afterwards", () => {
    const zone = timeZoneFromRules({
      bias: bias(0),
      daylight: { bias: -60, month: 4, dayOrder: 10, weekday: 0, timeOfDayMs: 0, year: 2025 },
      standard: { bias: 0, month: 9, dayOrder: 20, weekday: 0, timeOfDayMs: 0, year: 2025 },
    });
    const biasOn = (day: string) => zone.biasAt(instant(Date.parse(day)));
    expect([
      biasOn("2024-06-01"),
      biasOn("2025-04-09"),
      biasOn("2025-04-11"),
      biasOn("2025-09-21"),
      biasOn("2026-06-01"),
    ]).toEqual([0, 0, -60, 0, 0]);
  });

  it("starts a year of absolute southern rules in daylight time", () => {
    const zone = timeZoneFromRules({
      bias: bias(-600),
      standard: { bias: 0, month: 4, dayOrder: 6, weekday: 0, timeOfDayMs: 3 * 3_600_000, year: 2025 },
      daylight: { bias: -60, month: 10, dayOrder: 5, weekday: 0, timeOfDayMs: 2 * 3_600_000, year: 2025 },
    });
    expect(zone.biasAt(instant(Date.UTC(2025, 0, 15)))).toBe(-660);
    expect(zone.biasAt(instant(Date.UTC(2025, 6, 15)))).toBe(-600);
  });
});

describe("a zone given by a Windows name", () => {
  it.each([
    ["W. Europe Standard Time", "Europe/Berlin"],
    ["Pacific Standard Time", "America/Los_Angeles"],
    ["India Standard Time", "Asia/Kolkata"],
    ["Morocco Standard Time", "Africa/Casablanca"],
    ["New Zealand Standard Time", "Pacific/Auckland"],
    ["Lord Howe Standard Time", "Australia/Lord_Howe"],
    ["UTC", "UTC"],
  ])("%s shows what Intl shows in %s", (windows, iana) => {
    const zone = windowsTimeZone(windows);
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(zone?.toWallClock(instant(at))).toBe(shownByIntl(iana, at));
      }),
      { numRuns: 500 },
    );
  });

  it("does not exist for a name nobody has", () => {
    expect(windowsTimeZone("Middle Earth Standard Time")).toBeUndefined();
    expect(windowsTimeZone("__proto__")).toBeUndefined();
    expect(windowsTimeZone("constructor")).toBeUndefined();
  });
});
