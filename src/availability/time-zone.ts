/**
 * Decides what a wall clock shows at an instant, and which instant a wall clock means.
 *
 * Every zone, wherever its description came from (EWS rules, an EWS time zone definition,
 * a zone database), is reduced to one thing: for a year, the bias it starts with and the
 * instants at which the bias changes. All arithmetic stands on that, so it exists once.
 *
 * A wall-clock time that happens twice means standard time, and one that never happens is
 * moved forward by the gap: what .NET, and so Exchange, does with such times.
 *
 * Pure. Knows no zone names and no XML.
 */

import { DAY_MS, type InstantMs, instant, MINUTE_MS } from "./time-window.js";

/** Minutes to ADD to local time to reach UTC, as EWS writes `Bias`: Los Angeles standard time is +480. The opposite sign of an ISO offset. */
export type BiasMinutes = number & { readonly unit: "minutes, UTC = local + bias" };

/** What a wall clock shows, counted as if it were UTC: milliseconds since 1970-01-01T00:00 local. */
export type WallClockMs = number & { readonly unit: "ms since 1970-01-01T00:00 on a wall clock" };

export const bias = (minutes: number): BiasMinutes => minutes as BiasMinutes;
export const wallClock = (ms: number): WallClockMs => ms as WallClockMs;

/** `Date.UTC` for a date in any year: that one takes the years 0 to 99 for 1900 to 1999. */
export const utcDate = (year: number, monthIndex: number, day: number): number =>
  year >= 100 ? Date.UTC(year, monthIndex, day) : new Date(0).setUTCFullYear(year, monthIndex, day);

/** One year of a zone: the bias at its first instant (UTC year), and the changes in it, in order. */
export interface ZoneYear {
  readonly biasAtStart: BiasMinutes;
  readonly changes: readonly { readonly at: InstantMs; readonly bias: BiasMinutes }[];
}

/** The place of the first change after a moment; found by halving, because whoever describes a zone may say thousands. */
export function indexAfter(changes: ZoneYear["changes"], at: InstantMs): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as { at: InstantMs }).at > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class TimeZone {
  readonly #computeYear: (year: number) => ZoneYear;
  readonly #years = new Map<number, ZoneYear>();
  // The stretch of constant bias answered last. Events come sorted, so nearly every question falls into it.
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  #bias = bias(0);

  constructor(computeYear: (year: number) => ZoneYear) {
    this.#computeYear = computeYear;
  }

  biasAt(at: InstantMs): BiasMinutes {
    if (at >= this.#from && at < this.#to) return this.#bias;
    const year = yearOf(at);
    const { biasAtStart, changes } = this.yearOf(year);
    const next = indexAfter(changes, at);
    const last = next === 0 ? undefined : changes[next - 1];
    this.#from = last?.at ?? utcDate(year, 0, 1);
    this.#to = changes[next]?.at ?? utcDate(year + 1, 0, 1);
    this.#bias = last?.bias ?? biasAtStart;
    return this.#bias;
  }

  toWallClock(at: InstantMs): WallClockMs {
    return wallClock(at - this.biasAt(at) * MINUTE_MS);
  }

  toInstant(shown: WallClockMs): InstantMs {
    // No bias exceeds a day, so the day before and the day after bracket any change that could matter.
    const before = this.biasAt(instant(shown - DAY_MS));
    const after = this.biasAt(instant(shown + DAY_MS));
    if (before === after) return instant(shown + before * MINUTE_MS);
    const asBefore = instant(shown + before * MINUTE_MS);
    const asAfter = instant(shown + after * MINUTE_MS);
    const beforeHolds = this.biasAt(asBefore) === before;
    const afterHolds = this.biasAt(asAfter) === after;
    if (beforeHolds && afterHolds) return asBefore > asAfter ? asBefore : asAfter; // twice: standard time, the later instant
    return afterHolds ? asAfter : asBefore;
  }

  yearOf(year: number): ZoneYear {
    let known = this.#years.get(year);
    if (known === undefined) {
      known = this.#computeYear(year);
      this.#years.set(year, known);
    }
    return known;
  }
}

export const UTC_ZONE = new TimeZone(() => ({ biasAtStart: bias(0), changes: [] }));

/**
 * When, in a year, the clocks are changed, as the wall clock shows it just before.
 * `day` is the n-th weekday of the month (`order` 1–4, 5 = last; `weekday` 0 = Sunday) or a day of the month.
 */
export interface YearlyChange {
  readonly month: number;
  readonly day: { readonly order: number; readonly weekday: number } | { readonly date: number };
  readonly timeOfDayMs: number;
  readonly biasAfter: BiasMinutes;
  /** Set when the change happens in this year only. */
  readonly year?: number | undefined;
}

/**
 * A year of a zone that is described by yearly changes. `otherwise` holds before the first change there ever is.
 * A change near New Year can fall into the next year or the one before in UTC.
 */
export function yearFromChanges(changes: readonly YearlyChange[], otherwise: BiasMinutes, year: number): ZoneYear {
  const start = utcDate(year, 0, 1);
  const end = utcDate(year + 1, 0, 1);
  let biasAtStart = otherwise;
  let current = otherwise;
  const within: { at: InstantMs; bias: BiasMinutes }[] = [];
  for (const { wall, bias } of changesAround(changes, year)) {
    const at = instant(wall + current * MINUTE_MS);
    current = bias;
    if (at <= start) biasAtStart = bias;
    else if (at < end) within.push({ at, bias });
  }
  return { biasAtStart, changes: within };
}

/** In order, what decides about the year: of the changes that happen every year, those of the years on both sides as well. */
function changesAround(changes: readonly YearlyChange[], year: number): { wall: number; bias: BiasMinutes }[] {
  const around: { wall: number; bias: BiasMinutes }[] = [];
  for (const change of changes) {
    const last = change.year ?? year + 1;
    for (let when = change.year ?? year - 1; when <= last; when++) {
      around.push({ wall: wallClockOf(change, when), bias: change.biasAfter });
    }
  }
  return around.sort((a, b) => a.wall - b.wall);
}

/** The wall clock, before the change, at which it happens in that year. */
function wallClockOf(change: YearlyChange, year: number): WallClockMs {
  const firstOfMonth = utcDate(year, change.month - 1, 1);
  if ("date" in change.day) return wallClock(firstOfMonth + (change.day.date - 1) * DAY_MS + change.timeOfDayMs);
  const daysInMonth = (utcDate(year, change.month, 1) - firstOfMonth) / DAY_MS;
  const first = 1 + ((change.day.weekday - new Date(firstOfMonth).getUTCDay() + 7) % 7);
  const wanted = first + (change.day.order - 1) * 7;
  const date = wanted <= daysInMonth ? wanted : first + Math.floor((daysInMonth - first) / 7) * 7;
  return wallClock(firstOfMonth + (date - 1) * DAY_MS + change.timeOfDayMs);
}

function yearOf(at: InstantMs): number {
  return new Date(at).getUTCFullYear();
}
