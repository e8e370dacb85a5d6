/**
 * Decides which questions are asked at all: 1–100 mailboxes, a window of up to 62 days,
 * slots of 5–1440 minutes ([MS-OXWAVLS] 3.1.4.1.3.13; the limits of Exchange Online).
 * Whoever brings a question, on whatever wire, meets the same limits and the same words.
 *
 * Pure.
 */

import type { ViewDetail } from "./free-busy-view.js";
import type { MailboxAddress } from "./mailbox-address.js";
import { RequestFault } from "./request-fault.js";
import { DAY_MS, MINUTE_MS, type TimeWindow } from "./time-window.js";
import type { TimeZone } from "./time-zone.js";

export const MAXIMUM_MAILBOXES = 100;
export const MAXIMUM_WINDOW_DAYS = 62;
export const DEFAULT_INTERVAL_MINUTES = 30;

/** One mailbox as it was asked about. `address` is undefined when `text` could not be read as an SMTP address. */
export interface AskedMailbox {
  readonly text: string;
  readonly routingType: "SMTP" | "EX";
  readonly address: MailboxAddress | undefined;
}

/** `merged`: whether the slots are wanted beside the events. At detail "merged" they are all there is. */
export interface RequestedView {
  readonly detail: ViewDetail;
  readonly merged: boolean;
}

export interface AvailabilityQuery {
  /** In the order asked, duplicates included: answers are given by position. */
  readonly mailboxes: readonly AskedMailbox[];
  readonly window: TimeWindow;
  readonly intervalMinutes: number;
  readonly view: RequestedView;
}

/** A query within the limits, or a {@link RequestFault} that names the limit. `zone` is the asker's: it counts days on its wall clock. */
export function availabilityQuery(asked: AvailabilityQuery, zone: TimeZone): AvailabilityQuery {
  const [fault] = queryFaults(asked, zone);
  if (fault !== undefined) throw fault;
  return asked;
}

/** Every limit that a question exceeds, for wires that can tell of several at once. */
export function queryFaults({ mailboxes, window, intervalMinutes, view }: AvailabilityQuery, zone: TimeZone) {
  return [
    mailboxCountFault(mailboxes.length),
    windowFault(window, zone),
    intervalFault(window, intervalMinutes, view),
  ].filter((fault) => fault !== undefined);
}

function windowFault(window: TimeWindow, zone: TimeZone): RequestFault | undefined {
  if (!(window.start < window.end)) {
    return new RequestFault(
      "invalid-window",
      "The time duration specified for FreeBusyViewOptions.TimeWindow is invalid.",
    );
  }
  // On the wall clock, because 62 days across the end of daylight saving are an hour longer than 62 × 24 hours.
  const days = (zone.toWallClock(window.end) - zone.toWallClock(window.start)) / DAY_MS;
  if (days <= MAXIMUM_WINDOW_DAYS) return undefined;
  return new RequestFault(
    "window-too-long",
    `The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long. The allowed limit = ${MAXIMUM_WINDOW_DAYS} days; the actual limit = ${Math.ceil(days)} days.`,
  );
}

function intervalFault(window: TimeWindow, intervalMinutes: number, view: RequestedView): RequestFault | undefined {
  const slotsWanted = view.merged || view.detail === "merged";
  const longerThanWindow = window.start < window.end && intervalMinutes * MINUTE_MS > window.end - window.start;
  if (intervalMinutes >= 5 && intervalMinutes <= 1440 && !(slotsWanted && longerThanWindow)) return undefined;
  return new RequestFault(
    "invalid-interval",
    "The specified merged free/busy interval is not valid. Specify an interval that is less than the free/busy time window and  between 5 and 1440 minutes.",
  );
}

export function checkMailboxCount(count: number): void {
  const fault = mailboxCountFault(count);
  if (fault !== undefined) throw fault;
}

function mailboxCountFault(count: number): RequestFault | undefined {
  if (count === 0) return new RequestFault("no-mailboxes", "The MailboxDataArray element cannot be empty.");
  if (count <= MAXIMUM_MAILBOXES) return undefined;
  return new RequestFault(
    "too-many-mailboxes",
    `There are too many target users in the EmailAddress array. The allowed size = ${MAXIMUM_MAILBOXES}; the actual size = ${count}.`,
  );
}
