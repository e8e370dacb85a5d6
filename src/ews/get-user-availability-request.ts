/**
 * Decides how GetUserAvailabilityRequest (messages.xsd; §2) is read from callers and
 * written to backends, both directions side by side.
 *
 * Read leniently: unknown elements are passed over, the order of elements does not
 * matter. Written strictly: the gateway's own canonical question, in UTC, never a copy of
 * what a caller sent.
 */

import {
  type AskedMailbox,
  type AvailabilityQuery,
  availabilityQuery,
  checkMailboxCount,
  DEFAULT_INTERVAL_MINUTES,
  MAXIMUM_MAILBOXES,
  type RequestedView,
} from "../availability/availability-query.js";
import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import { RequestFault } from "../availability/request-fault.js";
import type { TimeWindow } from "../availability/time-window.js";
import { type TimeZone, UTC_ZONE, wallClock } from "../availability/time-zone.js";
import { timeZoneFromRules, UTC_RULES } from "../availability/zone-rules.js";
import { formatWallClock, parseDateTime } from "./date-time.js";
import { malformed } from "./soap-envelope.js";
import { viewFromName, viewName } from "./view-names.js";
import type { XmlCursor } from "./xml-cursor.js";
import { escaped } from "./xml-text.js";
import { readZoneRules, writeZoneRules } from "./zone-rules-xml.js";

export interface AvailabilityRequest {
  /** The zone of all times without offset, and of all times in the answer. */
  readonly zone: TimeZone;
  /** Absent when only suggestions were asked for. */
  readonly query: AvailabilityQuery | undefined;
  readonly wantsSuggestions: boolean;
}

interface WrittenOptions {
  start: string | undefined;
  end: string | undefined;
  interval: string | undefined;
  view: string | undefined;
}

/** When a caller names no view; the default is not documented, and times without details are safe. */
const FALLBACK_VIEW: RequestedView = { detail: "times", merged: false };

/** Reads the request the cursor stands on. Throws a {@link RequestFault} for anything that concerns the whole request. */
export function readAvailabilityRequest(xml: XmlCursor, headerZone: TimeZone | undefined): AvailabilityRequest {
  const depth = xml.depth;
  let bodyZone: TimeZone | undefined;
  let mailboxes: AskedMailbox[] | undefined;
  let options: WrittenOptions | undefined;
  let wantsSuggestions = false;
  while (xml.nextChild(depth)) {
    switch (xml.name()) {
      case "t:TimeZone":
        bodyZone = timeZoneFromRules(readZoneRules(xml));
        break;
      case "m:MailboxDataArray":
        mailboxes = readMailboxes(xml);
        break;
      case "t:FreeBusyViewOptions":
        options = readOptions(xml);
        break;
      case "t:SuggestionsViewOptions":
        wantsSuggestions = true;
        break;
    }
  }
  if (mailboxes === undefined) throw malformed("MailboxDataArray is missing");
  // The body's zone wins where both are given and differ; without either, UTC (§2.1).
  const zone = bodyZone ?? headerZone ?? UTC_ZONE;
  if (options === undefined && !wantsSuggestions) {
    throw new RequestFault(
      "invalid-view",
      "FreeBusyViewOptions or SuggestionsViewOptions is needed; the request has neither.",
    );
  }
  checkMailboxCount(mailboxes.length);
  const query = options === undefined ? undefined : queryOf(mailboxes, options, zone);
  return { zone, query, wantsSuggestions };
}

function readMailboxes(xml: XmlCursor): AskedMailbox[] {
  const depth = xml.depth;
  const mailboxes: AskedMailbox[] = [];
  let count = 0;
  while (xml.nextChild(depth)) {
    if (xml.name() !== "t:MailboxData") continue;
    // Beyond the limit they are only counted: the fault names the number.
    if (++count <= MAXIMUM_MAILBOXES) mailboxes.push(readMailbox(xml));
  }
  if (count > MAXIMUM_MAILBOXES) checkMailboxCount(count);
  return mailboxes;
}

function readMailbox(xml: XmlCursor): AskedMailbox {
  const depth = xml.depth;
  let text: string | undefined;
  let routingType = "SMTP";
  while (xml.nextChild(depth)) {
    if (xml.name() !== "t:Email") continue;
    while (xml.nextChild(depth + 1)) {
      if (xml.name() === "t:Address") text = xml.text().trim();
      else if (xml.name() === "t:RoutingType") routingType = xml.text().trim() || "SMTP";
    }
  }
  if (text === undefined) throw malformed("MailboxData needs Email/Address");
  if (routingType.toUpperCase() === "EX") return { text, routingType: "EX", address: undefined };
  const address = routingType.toUpperCase() === "SMTP" ? parseMailboxAddress(text) : undefined;
  return { text, routingType: "SMTP", address };
}

function readOptions(xml: XmlCursor): WrittenOptions {
  const depth = xml.depth;
  const options: WrittenOptions = { start: undefined, end: undefined, interval: undefined, view: undefined };
  while (xml.nextChild(depth)) {
    switch (xml.name()) {
      case "t:TimeWindow":
        while (xml.nextChild(depth + 1)) {
          if (xml.name() === "t:StartTime") options.start = xml.text();
          else if (xml.name() === "t:EndTime") options.end = xml.text();
        }
        break;
      case "t:MergedFreeBusyIntervalInMinutes":
        options.interval = xml.text().trim();
        break;
      case "t:RequestedView":
        options.view = xml.text();
        break;
    }
  }
  return options;
}

function queryOf(mailboxes: readonly AskedMailbox[], options: WrittenOptions, zone: TimeZone): AvailabilityQuery {
  const { start, end, interval, view: name } = options;
  if (start === undefined || end === undefined) throw malformed("TimeWindow needs StartTime and EndTime");
  const window = { start: dateTime(start, "StartTime", zone), end: dateTime(end, "EndTime", zone) };
  if (interval !== undefined && !/^[+-]?\d{1,9}$/.test(interval)) {
    throw malformed("MergedFreeBusyIntervalInMinutes is not a whole number");
  }
  const view = name === undefined ? FALLBACK_VIEW : viewFromName(name);
  if (view === undefined) {
    throw new RequestFault(
      "invalid-view",
      "The specified RequestedView is not valid. Specify MergedOnly, FreeBusy, FreeBusyMerged, Detailed or DetailedMerged.",
    );
  }
  const intervalMinutes = interval === undefined ? fittingDefault(window) : Number(interval);
  return availabilityQuery({ mailboxes, window, intervalMinutes, view }, zone);
}

/** A caller that names no interval must not fail because its window is shorter than the default one. */
function fittingDefault(window: TimeWindow): number {
  const minutes = (window.end - window.start) / 60_000;
  return minutes < DEFAULT_INTERVAL_MINUTES ? Math.max(5, Math.floor(minutes)) : DEFAULT_INTERVAL_MINUTES;
}

function dateTime(text: string, name: string, zone: TimeZone) {
  const at = parseDateTime(text, zone);
  if (at === undefined) {
    throw malformed(`TimeWindow/${name} is not a date and time such as 2026-07-01T09:00:00`);
  }
  return at;
}

/** What a backend is asked. Slots are only given back by backends that grant no more than slots. */
export interface CanonicalQuestion {
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: TimeWindow;
  readonly detail: "times" | "details";
  readonly intervalMinutes: number;
  readonly serverVersion: string;
  /** The mailbox in whose name it is asked (ExchangeImpersonation, §1.1), where the account may act for others. */
  readonly impersonate?: MailboxAddress | undefined;
}

const UTC_ZONE_XML = writeZoneRules(UTC_RULES);

export function writeAvailabilityRequest(question: CanonicalQuestion): string {
  const mailboxes = question.mailboxes
    .map(
      (address) =>
        `<t:MailboxData><t:Email><t:Address>${escaped(address)}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`,
    )
    .join("");
  // In UTC the wall clock is the instant.
  const start = formatWallClock(wallClock(question.window.start));
  const end = formatWallClock(wallClock(question.window.end));
  const { impersonate } = question;
  const impersonation =
    impersonate === undefined
      ? ""
      : `<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>${escaped(impersonate)}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`;
  return `<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="${escaped(question.serverVersion)}"></t:RequestServerVersion>${impersonation}</s:Header><s:Body><m:GetUserAvailabilityRequest>${UTC_ZONE_XML}<m:MailboxDataArray>${mailboxes}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>${question.intervalMinutes}</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>${viewName(question.detail, false)}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}
