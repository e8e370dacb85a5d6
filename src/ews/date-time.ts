/**
 * Decides how xs:dateTime is read and written in EWS. A value with an offset is an
 * instant; one without is a wall clock of the request's zone (§2.1 of [MS-OXWAVLS] 3.1.4.1.3.19).
 * Written: seconds precision, no offset, in the request's zone: the one form that every
 * known client reads the same way.
 */

import { type InstantMs, instant, MINUTE_MS } from "../availability/time-window.js";
import { type TimeZone, utcDate, type WallClockMs, wallClock } from "../availability/time-zone.js";

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d{2}):(\d{2}))?$/;

/** The instant meant, or undefined when the text is no date and time. */
export function parseDateTime(text: string, zone: TimeZone): InstantMs | undefined {
  return parsePlain(text, zone) ?? parseAny(text, zone);
}

/** `2026-07-01T09:00:00`, alone or with a Z: nearly every value there is, many thousand times in a large answer. */
function parsePlain(text: string, zone: TimeZone): InstantMs | undefined {
  const zulu = text.length === 20 && text.charCodeAt(19) === 0x5a;
  if (text.length !== 19 && !zulu) return undefined;
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  const second = digits(text, 17);
  const dashes = text.charCodeAt(4) === DASH && text.charCodeAt(7) === DASH;
  const marks = dashes && text.charCodeAt(10) === T && text.charCodeAt(13) === COLON && text.charCodeAt(16) === COLON;
  // Days beyond 28 depend on the month: those few go the long way. So does anything that is no number.
  if (
    !(
      marks &&
      year >= 100 && // Date.UTC means others by the years before.
      month >= 1 &&
      month <= 12 &&
      day >= 1 &&
      day <= 28 &&
      hour < 24 &&
      minute < 60 &&
      second < 60
    )
  ) {
    return undefined;
  }
  const date = (year * 12 + month) * 31 + day;
  if (date !== dateReadLast) {
    midnightReadLast = Date.UTC(year, month - 1, day);
    dateReadLast = date;
  }
  const shown = midnightReadLast + ((hour * 60 + minute) * 60 + second) * 1000;
  return zulu ? instant(shown) : zone.toInstant(wallClock(shown));
}

const [DASH, T, COLON] = [0x2d, 0x54, 0x3a];
// Events come in runs of the same day.
let dateReadLast = 0;
let midnightReadLast = 0;

/** Two digits as a number; NaN when they are not digits. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function parseAny(text: string, zone: TimeZone): InstantMs | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zulu, sign, offsetHours, offsetMinutes] = match;
  const midnight = utcDate(Number(year), Number(month) - 1, Number(day));
  if (new Date(midnight).getUTCDate() !== Number(day) || Number(month) < 1 || Number(month) > 12 || year === "0000") {
    return undefined;
  }
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  if (Number(minute) > 59 || Number(second) > 59 || seconds > 86_400) return undefined;
  const milliseconds = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
  const shown = midnight + seconds * 1000 + milliseconds;
  if (zulu !== undefined) return instant(shown);
  if (sign === undefined) return zone.toInstant(wallClock(shown));
  const offset = Number(offsetHours) * 60 + Number(offsetMinutes);
  if (offset > 14 * 60 || Number(offsetMinutes) > 59) return undefined;
  return instant(shown - (sign === "-" ? -offset : offset) * MINUTE_MS);
}

// What xs:dateTime can say with four digits of the year. Some systems end what never ends with the last moment of that.
const EARLIEST = Date.parse("0001-01-01T00:00:00Z");
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59);

// The calendars of one answer begin and end at the same few times, and a text that is there costs nothing to make.
const MOST_WRITTEN = 2000;
const written = new Map<number, string>();

export function formatWallClock(clock: WallClockMs): string {
  let text = written.get(clock);
  if (text === undefined) {
    text = new Date(Math.min(Math.max(clock, EARLIEST), LATEST)).toISOString().slice(0, 19);
    if (written.size >= MOST_WRITTEN) written.clear();
    written.set(clock, text);
  }
  return text;
}
