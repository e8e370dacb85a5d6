/**
 * Decides which times may be named on a command line: days by their names, and what a look-up
 * takes anyway. Days are the asker's, so a zone is needed to say when today begins.
 */

import { DAY_MS, type InstantMs } from "../availability/time-window.js";
import { type TimeZone, wallClock } from "../availability/time-zone.js";
import { DATE_TIME_EXPECTED, readDateTime } from "../json/date-time.js";

export const TIME_EXPECTED = `today, tomorrow, yesterday, now, ${DATE_TIME_EXPECTED}`;

const DAYS_FROM_TODAY = new Map([
  ["yesterday", -1],
  ["today", 0],
  ["tomorrow", 1],
]);

/** The instant meant; undefined when the text means none. A day is its beginning. */
export function askedTime(text: string, now: InstantMs, zone: TimeZone): InstantMs | undefined {
  const days = DAYS_FROM_TODAY.get(text);
  if (days !== undefined) return zone.toInstant(wallClock(midnightBefore(now, zone) + days * DAY_MS));
  return text === "now" ? now : readDateTime(text, zone);
}

/** A day later on the wall clock, however long the day is. */
export function dayAfter(at: InstantMs, zone: TimeZone): InstantMs {
  return zone.toInstant(wallClock(zone.toWallClock(at) + DAY_MS));
}

function midnightBefore(at: InstantMs, zone: TimeZone): number {
  return Math.floor(zone.toWallClock(at) / DAY_MS) * DAY_MS;
}
