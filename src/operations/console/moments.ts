/** Decides how times and durations read in the console: on the wall clock of one zone, or as an age. */

import { DAY_MS, type InstantMs, instant } from "../../availability/time-window.js";
import type { TimeZone } from "../../availability/time-zone.js";

/** A zone and the name it was asked for under. */
export interface NamedZone {
  readonly name: string;
  readonly zone: TimeZone;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** "14:05"; the end of a day is 24:00. */
export function clockText(at: InstantMs, { zone }: NamedZone, endOfDay = false): string {
  const text = shown(at, zone).toISOString().slice(11, 16);
  return endOfDay && text === "00:00" ? "24:00" : text;
}

/** "14:05:09", with its date when that is another than the day of `now`. */
export function momentText(at: InstantMs, { zone }: NamedZone, now: InstantMs): string {
  const [date, time] = [shown(at, zone).toISOString().slice(0, 10), shown(at, zone).toISOString().slice(11, 19)];
  return date === dateText(now, zone) ? time : `${date} ${time}`;
}

/** "2026-07-01", as date fields write it. */
export function dateText(at: InstantMs, zone: TimeZone): string {
  return shown(at, zone).toISOString().slice(0, 10);
}

/** "Wednesday, 1 July 2026" */
export function dayText(at: InstantMs, { zone }: NamedZone): string {
  const day = shown(at, zone);
  return `${WEEKDAYS[day.getUTCDay()]}, ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
}

/** "in 40 s", "3 min ago" */
export function agoText(at: InstantMs, now: InstantMs): string {
  const ms = now - at;
  return ms < 0 ? `in ${lastingText(-ms)}` : `${lastingText(ms)} ago`;
}

export function lastingText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(ms / DAY_MS)} days`;
}

/** "0.4 ms", "12 ms", "1.25 s" */
export function tookText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 0.05) return "< 0.1 ms";
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function shown(at: InstantMs, zone: TimeZone): Date {
  return new Date(instant(zone.toWallClock(at)));
}
