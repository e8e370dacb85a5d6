import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { UTC_ZONE } from "../../src/availability/time-zone.js";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { readDateTime, writeInstant } from "../../src/json/date-time.js";

const berlin = windowsTimeZone("Europe/Berlin") ?? UTC_ZONE;
const read = (text: string) => {
  const at = readDateTime(text, berlin);
  return at === undefined ? undefined : writeInstant(at);
};

describe("a date and time of a look-up", () => {
  it.each([
    ["2026-07-01", "2026-06-30T22:00:00Z"],
    ["2026-12-01", "2026-11-30T23:00:00Z"],
    ["2026-07-01T09:00", "2026-07-01T07:00:00Z"],
    ["2026-07-01T09:00:30", "2026-07-01T07:00:30Z"],
    ["2026-07-01T24:00", "2026-07-01T22:00:00Z"],
    ["2026-07-01T09:00Z", "2026-07-01T09:00:00Z"],
    ["2026-07-01T09:00:00.123Z", "2026-07-01T09:00:00Z"],
    ["2026-07-01T09:00-05:30", "2026-07-01T14:30:00Z"],
    ["2028-02-29", "2028-02-28T23:00:00Z"],
  ])("%s, asked in Berlin, is %s", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    "",
    "today",
    "2026-7-1",
    "2026-02-30",
    "2026-13-01",
    "0000-01-01",
    "2026-07-01T25:00",
    "2026-07-01T24:01",
    "2026-07-01T09:60",
    "2026-07-01T09:00:61",
    "2026-07-01T09",
    "2026-07-01 09:00",
    "2026-07-01T09:00+15:00",
    "2026-07-01T09:00+0200",
    "2026-07-01T09:00:00Z\n",
    "+002026-07-01",
    "20260701T090000Z",
  ])("%j is none", (text) => {
    expect(read(text)).toBeUndefined();
  });

  it("is read as it was written, in whatever zone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        const at = instant(seconds * 1000);
        expect(readDateTime(writeInstant(at), berlin)).toBe(at);
      }),
    );
  });
});
