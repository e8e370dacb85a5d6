/**
 * Decides what of a view is published as busy time: stretches that do not overlap, each of one
 * kind, the highest that touches it, clipped to the window and joined where they meet. How many
 * meetings make up a busy morning, and what they are, is not told.
 *
 * Unknown time is the highest of all, so nothing known hides it, and it is never left out:
 * in iCalendar, time that is not mentioned is free.
 */

import type { BusyType, FreeBusyView } from "../availability/free-busy-view.js";
import { MINUTE_MS, type TimeWindow } from "../availability/time-window.js";

/** From least to most, as slots rank them. Free and working elsewhere are not published. */
const KINDS = ["Tentative", "Busy", "OOF", "NoData"] as const;
export type BusyKind = (typeof KINDS)[number];

/** `[start, end)` in milliseconds since 1970. */
export interface BusyPeriod {
  readonly start: number;
  readonly end: number;
  readonly kind: BusyKind;
}

/** In ascending order, without overlaps, inside the window. */
export function busyPeriods(view: FreeBusyView, window: TimeWindow): BusyPeriod[] {
  const stretches = (view.detail === "merged" ? ofSlots(view.merged, window) : ofEvents(view.events))
    .map(({ start, end, kind }) => ({ start: Math.max(start, window.start), end: Math.min(end, window.end), kind }))
    .filter(({ start, end }) => start < end);
  const edges = stretches.flatMap(({ start, end, kind }) => [
    { at: start, kind, change: 1 },
    { at: end, kind, change: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at);
  const open = new Map<BusyKind, number>();
  const periods: BusyPeriod[] = [];
  let since = window.start as number;
  for (const { at, kind, change } of edges) {
    const highest = KINDS.findLast((one) => (open.get(one) ?? 0) > 0);
    if (highest !== undefined && since < at) append(periods, { start: since, end: at, kind: highest });
    since = at;
    open.set(kind, (open.get(kind) ?? 0) + change);
  }
  return periods;
}

/** Whether nothing at all is known of the window: no calendar to publish. */
export function isAllUnknown(periods: readonly BusyPeriod[], window: TimeWindow): boolean {
  const [only] = periods;
  return periods.length === 1 && only?.kind === "NoData" && only.start === window.start && only.end === window.end;
}

function append(periods: BusyPeriod[], next: BusyPeriod): void {
  const last = periods.at(-1);
  if (last?.end === next.start && last.kind === next.kind) {
    periods[periods.length - 1] = { ...last, end: next.end };
  } else periods.push(next);
}

function ofEvents(events: (FreeBusyView & { detail: "times" | "details" })["events"]): BusyPeriod[] {
  return events.flatMap(({ start, end, busyType }) => {
    const kind = kindOf(busyType);
    return kind === undefined ? [] : [{ start, end, kind }];
  });
}

function kindOf(busyType: BusyType): BusyKind | undefined {
  return KINDS.find((kind) => kind === busyType);
}

function ofSlots(merged: (FreeBusyView & { detail: "merged" })["merged"], window: TimeWindow): BusyPeriod[] {
  const length = merged.intervalMinutes * MINUTE_MS;
  const periods = [...merged.digits].flatMap((digit, slot): BusyPeriod[] => {
    const kind = digit === "0" ? undefined : (KINDS[Number(digit) - 1] ?? "NoData");
    const start = merged.start + slot * length;
    return kind === undefined ? [] : [{ start, end: start + length, kind }];
  });
  // What lies outside the known slots is unknown.
  const end = merged.start + merged.digits.length * length;
  return [
    { start: window.start, end: merged.start, kind: "NoData" },
    ...periods,
    { start: Math.max(end, window.start), end: window.end, kind: "NoData" },
  ];
}
