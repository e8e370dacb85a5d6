/**
 * Decides what can be known about somebody's time: three levels of detail, each holding
 * what the one below holds, and nothing that its level does not allow.
 *
 * Pure. Knows no wire: the names of the EWS views are put together in the codec.
 */

import type { InstantMs, TimeWindow } from "./time-window.js";
import { overlaps } from "./time-window.js";
import type { ZoneRules } from "./zone-rules.js";

export const BUSY_TYPES = ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"] as const;
export type BusyType = (typeof BUSY_TYPES)[number];

/** From least to most: slots only, events without details, events with details. */
export const VIEW_DETAILS = ["merged", "times", "details"] as const;
export type ViewDetail = (typeof VIEW_DETAILS)[number];

export function atMost(detail: ViewDetail, limit: ViewDetail): ViewDetail {
  return VIEW_DETAILS.indexOf(detail) <= VIEW_DETAILS.indexOf(limit) ? detail : limit;
}

export function reaches(detail: ViewDetail, needed: ViewDetail): boolean {
  return VIEW_DETAILS.indexOf(detail) >= VIEW_DETAILS.indexOf(needed);
}

/** A private event's details hold the five flags and nothing else: see {@link withoutPrivateText}. */
export interface EventDetails {
  readonly id?: string | undefined;
  readonly subject?: string | undefined;
  readonly location?: string | undefined;
  readonly isMeeting: boolean;
  readonly isRecurring: boolean;
  readonly isException: boolean;
  readonly isReminderSet: boolean;
  readonly isPrivate: boolean;
}

/** Never clipped to a window: a meeting that began yesterday says so. */
export interface CalendarEvent {
  readonly start: InstantMs;
  readonly end: InstantMs;
  readonly busyType: BusyType;
  readonly details?: EventDetails | undefined;
}

/** Minutes from local midnight, in the owner's zone. `weekdays` holds 0 (Sunday) to 6, ascending. */
export interface WorkingPeriod {
  readonly weekdays: readonly number[];
  readonly startMinutes: number;
  readonly endMinutes: number;
}

/** At least one period, in the zone of the mailbox's owner, never in the asker's. */
export interface WorkingHours {
  readonly zone: ZoneRules;
  readonly periods: readonly WorkingPeriod[];
}

/** Slots of equal elapsed length from `start`: '0' free, '1' tentative, '2' busy, '3' out of office, '4' no data. */
export interface MergedFreeBusy {
  readonly start: InstantMs;
  readonly intervalMinutes: number;
  readonly digits: string;
}

export type FreeBusyView =
  | { readonly detail: "merged"; readonly merged: MergedFreeBusy }
  | {
      readonly detail: "times" | "details";
      /** Ordered by start, then end. */
      readonly events: readonly CalendarEvent[];
      readonly workingHours?: WorkingHours | undefined;
    };

/** The same view, holding only what concerns the window; the very same object when all of it does. */
export function viewWithin(view: FreeBusyView, window: TimeWindow): FreeBusyView {
  if (view.detail === "merged") return view;
  const concerns = (event: CalendarEvent) => overlaps(window, event.start, event.end);
  return view.events.every(concerns) ? view : { ...view, events: view.events.filter(concerns) };
}

export function inOrder(events: readonly CalendarEvent[]): readonly CalendarEvent[] {
  for (let i = 1; i < events.length; i++) {
    if (byTime(events[i - 1] as CalendarEvent, events[i] as CalendarEvent) > 0) return [...events].sort(byTime);
  }
  return events;
}

function byTime(a: CalendarEvent, b: CalendarEvent): number {
  return a.start - b.start || a.end - b.end;
}

/** What may be kept of an event's details: of a private one, only that it is there. */
export function withoutPrivateText(details: EventDetails): EventDetails {
  if (!details.isPrivate) return details;
  const { isMeeting, isRecurring, isException, isReminderSet, isPrivate } = details;
  return { isMeeting, isRecurring, isException, isReminderSet, isPrivate };
}
