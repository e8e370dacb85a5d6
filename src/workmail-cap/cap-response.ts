/**
 * Decides how answers are written for WorkMail: one entry per mailbox of the event, in its
 * order, each with the mailbox as it came and either events or an error.
 *
 * WorkMail makes free/busy of the events, so whatever is in none of them is free. Its words
 * are BUSY, TENTATIVE and FREE: there is none for "unknown". So a time nobody knows anything
 * about is BUSY, which is wrong in the direction that invites nobody; and a mailbox of which
 * nothing is known at all is an error. Out of office and working elsewhere are BUSY, as in
 * AWS's own code.
 *
 * Events are not clipped. Private ones come without details, as AWS's code has them.
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import type { BusyType, CalendarEvent, EventDetails, FreeBusyView } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import { type InstantMs, instant, MINUTE_MS, type TimeWindow } from "../availability/time-window.js";
import { type CapError, capError } from "./cap-errors.js";
import { type CapWorkingHours, capWorkingHours } from "./cap-working-hours.js";

export type CapBusyType = "FREE" | "TENTATIVE" | "BUSY";

/** All six, or no details. */
export interface CapDetails {
  readonly subject: string;
  readonly location: string;
  readonly instanceType: "SINGLE_INSTANCE" | "RECURRING_INSTANCE" | "EXCEPTION";
  readonly isMeeting: boolean;
  readonly isReminderSet: boolean;
  readonly isPrivate: boolean;
}

/** Times in UTC, RFC 3339 with milliseconds. */
export interface CapEvent {
  readonly startTime: string;
  readonly endTime: string;
  readonly busyType: CapBusyType;
  readonly details?: CapDetails;
}

/** `mailbox`: whatever the event held there. */
export type CapEntry =
  | { readonly mailbox: unknown; readonly events: readonly CapEvent[]; readonly workingHours?: CapWorkingHours }
  | { readonly mailbox: unknown; readonly error: CapError };

export interface CapResponse {
  readonly mailboxes: readonly CapEntry[];
}

const BUSY_TYPE: Readonly<Record<BusyType, CapBusyType>> = {
  Free: "FREE",
  Tentative: "TENTATIVE",
  Busy: "BUSY",
  OOF: "BUSY",
  WorkingElsewhere: "BUSY",
  NoData: "BUSY",
};

export function capEntry(mailbox: unknown, answer: MailboxAnswer, query: AvailabilityQuery): CapEntry {
  if (answer.kind === "failure") return { mailbox, error: capError(answer.failure.reason) };
  const { view } = answer;
  if (nothingKnown(view, query)) return { mailbox, error: "ErrorFreeBusyGenerationFailed" };
  if (view.detail === "merged") return { mailbox, events: eventsOfSlots(view, query) };
  const events = view.events.map(capEvent);
  return view.workingHours === undefined
    ? { mailbox, events }
    : { mailbox, events, workingHours: capWorkingHours(view.workingHours) };
}

/** How many events its entry has, told without writing it; of an error there are none. */
export function eventCount(answer: MailboxAnswer, query: AvailabilityQuery): number {
  if (answer.kind === "failure" || nothingKnown(answer.view, query)) return 0;
  const { view } = answer;
  return view.detail === "merged" ? [...runsOf(view, query)].length : view.events.length;
}

function nothingKnown(view: FreeBusyView, query: AvailabilityQuery): boolean {
  if (view.detail === "merged") return /^4*$/.test(slotsOf(view, query));
  return coveredBy(
    view.events.filter(({ busyType }) => busyType === "NoData"),
    query.window,
  );
}

/** Whether the events, ordered by start, leave no moment of the window out. */
function coveredBy(events: readonly CalendarEvent[], window: TimeWindow): boolean {
  let until: number = window.start;
  for (const { start, end } of events) {
    if (start > until) return false;
    until = Math.max(until, end);
  }
  return until >= window.end;
}

function capEvent({ start, end, busyType, details }: CalendarEvent): CapEvent {
  const times = { startTime: rfc3339(start), endTime: rfc3339(end), busyType: BUSY_TYPE[busyType] };
  return details === undefined || details.isPrivate ? times : { ...times, details: capDetails(details) };
}

function capDetails({ subject, location, isException, isRecurring, ...flags }: EventDetails): CapDetails {
  return {
    subject: subject ?? "",
    location: location ?? "",
    instanceType: isException ? "EXCEPTION" : isRecurring ? "RECURRING_INSTANCE" : "SINGLE_INSTANCE",
    isMeeting: flags.isMeeting,
    isReminderSet: flags.isReminderSet,
    isPrivate: flags.isPrivate,
  };
}

/** One event for each run of slots that mean the same; none for free ones. */
function eventsOfSlots(view: FreeBusyView, query: AvailabilityQuery): CapEvent[] {
  const intervalMs = query.intervalMinutes * MINUTE_MS;
  const at = (slot: number) => rfc3339(instant(query.window.start + slot * intervalMs));
  return Array.from(runsOf(view, query), ({ 0: run, index }) => ({
    startTime: at(index),
    endTime: at(index + run.length),
    busyType: run[0] === "1" ? "TENTATIVE" : "BUSY",
  }));
}

function runsOf(view: FreeBusyView, query: AvailabilityQuery): Iterable<RegExpExecArray> {
  return slotsOf(view, query).matchAll(/1+|[^01]+/g);
}

function slotsOf(view: FreeBusyView, { window, intervalMinutes }: AvailabilityQuery): string {
  return mergedFreeBusy(view, window, intervalMinutes).digits;
}

const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59);
const EARLIEST = Date.parse("0000-01-01T00:00:00Z");

/** Years of four digits: a calendar that says "for ever" still has to be readable. */
function rfc3339(at: InstantMs): string {
  return new Date(Math.min(LATEST, Math.max(EARLIEST, at))).toISOString();
}
