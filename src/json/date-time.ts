/**
 * Decides which dates and times people and programs may write in a look-up, and how they are
 * given back. A date alone is its midnight; without an offset it is a wall clock of the zone
 * named beside it. Given back in UTC, always, because that needs no zone to be understood.
 *
 * Narrower than ISO 8601 on purpose: no weeks, no ordinal days, no years beyond four digits.
 */

import { type InstantMs, instant, MINUTE_MS } from "../availability/time-window.js";
import { type TimeZone, wallClock } from "../availability/time-zone.js";

export const DATE_TIME_EXPECTED =
  "a date such as 2026-07-01, or a date and time such as 2026-07-01T09:00, 2026-07-01T09:00:00Z or 2026-07-01T09:00+02:00";

const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:(Z)|([+-])(\d{2}):(\d{2}))?)?$/;

/** The instant meant, to the second; undefined when the text is none. 24:00 is the end of a day. */
export function readDateTime(text: string, zone: TimeZone): InstantMs | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", zulu, sign, offsetHour, offsetMinute] = match;
  const date = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(date) || new Date(date).getUTCDate() !== Number(day) || year === "0000") return undefined;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  if (Number(minute) > 59 || Number(second) > 59 || seconds > 86_400) return undefined;
  const shown = date + seconds * 1000;
  if (zulu !== undefined) return instant(shown);
  if (sign === undefined) return zone.toInstant(wallClock(shown));
  const offset = Number(offsetHour) * 60 + Number(offsetMinute);
  if (Number(offsetMinute) > 59 || offset > 14 * 60) return undefined;
  return instant(shown - (sign === "-" ? -offset : offset) * MINUTE_MS);
}

/** `2026-07-01T09:00:00Z`; milliseconds only where there are some. */
export function writeInstant(at: InstantMs): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
