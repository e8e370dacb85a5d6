import { describe, expect, it } from "vitest";
import { UTC_ZONE, wallClock } from "../../src/availability/time-zone.js";
import { formatWallClock, parseDateTime } from "../../src/ews/date-time.js";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";

describe("an xs:dateTime of the first century", () => {
  it.each([
    "0001-01-01T00:00:00",
    "0004-02-29T12:00:00",
    "0050-06-01T10:00:00",
    "0099-12-31T23:59:59",
    "0100-01-01T00:00:00",
  ])("%s is read as it is written, and no other one", (text) => {
    const meant = Date.parse(`${text}Z`);
    for (const spelling of [text, `${text}Z`, `${text}.000Z`, `${text}+00:00`]) {
      expect([spelling, parseDateTime(spelling, UTC_ZONE)]).toEqual([spelling, meant]);
    }
    expect(formatWallClock(wallClock(meant))).toBe(text);
  });

  it("is a wall clock of the request's zone when it has no offset", () => {
    const berlin = windowsTimeZone("W. Europe Standard Time") ?? UTC_ZONE;
    expect(parseDateTime("0050-06-01T10:00:00", berlin)).toBe(Date.parse("0050-06-01T09:00:00Z"));
  });

  it("does not exist on 29 February of a year without one", () => {
    expect(parseDateTime("0001-02-29T00:00:00", UTC_ZONE)).toBeUndefined();
    expect(parseDateTime("0000-01-01T00:00:00", UTC_ZONE)).toBeUndefined();
  });
});
