/**
 * Decides what a stretch of time is: half-open, in UTC, in milliseconds.
 *
 * Half-open, because two meetings that meet at 10:00 do not overlap, and because
 * slices of a window then add up to the window with nothing counted twice.
 *
 * Pure. Knows no zone: a wall clock is `time-zone.ts`'s business.
 */

/** Milliseconds since 1970-01-01T00:00Z, as `Date.now()` counts them. */
export type InstantMs = number & { readonly unit: "ms since 1970-01-01T00:00Z" };

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export const instant = (ms: number): InstantMs => ms as InstantMs;

/** `[start, end)`; `start < end` is the maker's duty (`availability-query.ts` refuses anything else from outside). */
export interface TimeWindow {
  readonly start: InstantMs;
  readonly end: InstantMs;
}

/** True when an event has any moment inside the window. An event without duration counts where it starts. */
export function overlaps(window: TimeWindow, start: InstantMs, end: InstantMs): boolean {
  return start < window.end && (end > window.start || (start === end && start >= window.start));
}

export function covers(outer: TimeWindow, inner: TimeWindow): boolean {
  return outer.start <= inner.start && outer.end >= inner.end;
}

/** The smallest run of whole UTC days around a window: neighbouring questions then share one cached answer. */
export function wholeDaysAround(window: TimeWindow): TimeWindow {
  return {
    start: instant(Math.floor(window.start / DAY_MS) * DAY_MS),
    end: instant(Math.ceil(window.end / DAY_MS) * DAY_MS),
  };
}

/** Consecutive slices of at most `maximumMs`, in order, together exactly the window. */
export function slices(window: TimeWindow, maximumMs: number): TimeWindow[] {
  const parts: TimeWindow[] = [];
  for (let start: number = window.start; start < window.end; start += maximumMs) {
    parts.push({ start: instant(start), end: instant(Math.min(start + maximumMs, window.end)) });
  }
  return parts;
}
