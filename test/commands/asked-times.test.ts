import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { UTC_ZONE } from "../../src/availability/time-zone.js";
import { askedTime, dayAfter } from "../../src/commands/asked-times.js";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { writeInstant } from "../../src/json/date-time.js";

const berlin = windowsTimeZone("Europe/Berlin") ?? UTC_ZONE;
const NOW = instant(Date.parse("2026-06-30T22:30:00Z"));
const asked = (text: string, now = NOW, zone = berlin) => {
  const at = askedTime(text, now, zone);
  return at === undefined ? undefined : writeInstant(at);
};

describe("a time on the command line", () => {
  it.each([
    ["today", "2026-06-30T22:00:00Z"],
    ["tomorrow", "2026-07-01T22:00:00Z"],
    ["yesterday", "2026-06-29T22:00:00Z"],
    ["now", "2026-06-30T22:30:00Z"],
    ["2026-12-24", "2026-12-23T23:00:00Z"],
    ["2026-07-01T09:00", "2026-07-01T07:00:00Z"],
    ["heute", undefined],
    ["Today", undefined],
  ])("%s, half past midnight in Berlin, is %s", (text, expected) => {
    expect(asked(text)).toBe(expected);
  });

  it("is the asker's day, not the world's", () => {
    expect(asked("today", NOW, UTC_ZONE)).toBe("2026-06-30T00:00:00Z");
  });

  it("is a day later when the clock shows it, also when the day is an hour longer", () => {
    const from = askedTime("2026-10-25", NOW, berlin) ?? NOW;
    expect(writeInstant(dayAfter(from, berlin))).toBe("2026-10-25T23:00:00Z");
    expect(asked("tomorrow", instant(from + 3_600_000))).toBe("2026-10-25T23:00:00Z");
  });
});
