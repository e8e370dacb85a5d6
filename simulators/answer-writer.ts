/**
 * Decides how the two simulated systems word their answers: Exchange with its prefixes,
 * its redeclared namespaces and times without offset; WorkMail as a plainer server with
 * `Z` times and without what it does not have.
 */

import { type Calendar, DAYS, type MailboxRow, offsetAt, type SimulatedEvent } from "./calendar.js";
import type { ReadRequest } from "./request-reader.js";

export type Style = "exchange" | "workmail";

export interface EntryQuestion {
  readonly request: ReadRequest;
  readonly from: number;
  readonly to: number;
  /** Minutes, UTC = local + bias, of the zone the request is in. */
  readonly bias: number;
}

const T = "http://schemas.microsoft.com/exchange/services/2006/types";
const M = "http://schemas.microsoft.com/exchange/services/2006/messages";
const E = "http://schemas.microsoft.com/exchange/services/2006/errors";

export const xml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);

export function envelope(style: Style, body: string): string {
  if (style === "workmail") {
    return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${body}</soap:Body></soap:Envelope>`;
  }
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="4" Version="V2017_07_11" xmlns:h="${T}" xmlns="${T}"/></s:Header><s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${body}</s:Body></s:Envelope>`;
}

export function fault(style: Style, code: string, message: string, backOffMs?: number): string {
  const prefix = style === "workmail" ? "soap" : "s";
  const extra =
    backOffMs === undefined
      ? ""
      : `<t:MessageXml xmlns:t="${T}"><t:Value Name="BackOffMilliseconds">${backOffMs}</t:Value></t:MessageXml>`;
  return `<?xml version="1.0" encoding="utf-8"?><${prefix}:Envelope xmlns:${prefix}="http://schemas.xmlsoap.org/soap/envelope/"><${prefix}:Body><${prefix}:Fault><faultcode xmlns:a="${T}">a:${code}</faultcode><faultstring xml:lang="en-US">${xml(message)}</faultstring><detail><e:ResponseCode xmlns:e="${E}">${code}</e:ResponseCode><e:Message xmlns:e="${E}">${xml(message)}</e:Message>${extra}</detail></${prefix}:Fault></${prefix}:Body></${prefix}:Envelope>`;
}

export function response(style: Style, entries: readonly string[]): string {
  return envelope(
    style,
    `<GetUserAvailabilityResponse xmlns="${M}"><FreeBusyResponseArray>${entries.map((entry) => `<FreeBusyResponse>${entry}</FreeBusyResponse>`).join("")}</FreeBusyResponseArray></GetUserAvailabilityResponse>`,
  );
}

export function errorEntry(code: string, message: string, number: number, backOffMs?: number): string {
  const backOff = backOffMs === undefined ? "" : `<Value xmlns="${T}" Name="BackOffMilliseconds">${backOffMs}</Value>`;
  return `<ResponseMessage ResponseClass="Error"><MessageText>${xml(message)}</MessageText><ResponseCode>${code}</ResponseCode><DescriptiveLinkKey>0</DescriptiveLinkKey><MessageXml><ExceptionType xmlns="${E}">Microsoft.Exchange.InfoWorker.Common.Availability.${code.slice(5)}Exception</ExceptionType><ExceptionCode xmlns="${E}">${number}</ExceptionCode>${backOff}</MessageXml></ResponseMessage><FreeBusyView><FreeBusyViewType xmlns="${T}">None</FreeBusyViewType></FreeBusyView>`;
}

/** What one mailbox looks like to the asking account: the view goes down to its rights. */
export function viewEntry(style: Style, calendar: Calendar, row: MailboxRow, question: EntryQuestion): string {
  const { request, from, to } = question;
  const rights = row.rights ?? "details";
  const events = calendar.events(row, from, to);
  let view = request.view;
  if (rights === "times") view = view.replace("Detailed", "FreeBusy");
  if (rights === "merged") view = "MergedOnly";
  const wantsSlots = view.includes("Merged") && !(style === "workmail" && view !== "MergedOnly");
  const slots = wantsSlots ? `<MergedFreeBusy xmlns="${T}">${digits(events, question)}</MergedFreeBusy>` : "";
  const success = `<ResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode></ResponseMessage>`;
  const type = `<FreeBusyViewType xmlns="${T}">${view}</FreeBusyViewType>`;
  if (view === "MergedOnly") return `${success}<FreeBusyView>${type}${slots}</FreeBusyView>`;
  const written = events.map((event) => eventXml(style, event, view, question)).join("");
  const array =
    written === "" && style === "workmail" ? "" : `<CalendarEventArray xmlns="${T}">${written}</CalendarEventArray>`;
  return `${success}<FreeBusyView>${type}${slots}${array}${hours(row, from)}</FreeBusyView>`;
}

function eventXml(style: Style, { start, end, row }: SimulatedEvent, view: string, question: EntryQuestion): string {
  const time = (at: number) =>
    style === "workmail"
      ? new Date(at).toISOString().replace(".000Z", "Z")
      : new Date(at - question.bias * 60_000).toISOString().slice(0, 19);
  const modern = style === "exchange" && /^(Exchange201[3-9]|V20)/.test(question.request.version ?? "");
  const busy = row.busy === "WorkingElsewhere" && !modern ? "Free" : row.busy;
  const words = row.private
    ? ""
    : `<ID>0000${start.toString(16)}</ID><Subject>${xml(row.subject ?? "")}</Subject><Location>${xml(row.location ?? "")}</Location>`;
  const details = view.startsWith("Detailed")
    ? `<CalendarEventDetails>${words}<IsMeeting>true</IsMeeting><IsRecurring>${row.weekly !== undefined}</IsRecurring><IsException>false</IsException><IsReminderSet>true</IsReminderSet><IsPrivate>${row.private === true}</IsPrivate></CalendarEventDetails>`
    : "";
  return `<CalendarEvent><StartTime>${time(start)}</StartTime><EndTime>${time(end)}</EndTime><BusyType>${busy}</BusyType>${details}</CalendarEvent>`;
}

function digits(events: readonly SimulatedEvent[], { request, from, to }: EntryQuestion): string {
  const value: Record<string, number> = { Tentative: 1, Busy: 2, OOF: 3, NoData: 4 };
  const slotMs = request.interval * 60_000;
  const slots: number[] = [];
  for (let at = from; at < to; at += slotMs) {
    const touching = events.filter((event) => event.start < at + slotMs && event.end > at);
    slots.push(Math.max(0, ...touching.map((event) => value[event.row.busy] ?? 0)));
  }
  return slots.join("");
}

function hours(row: MailboxRow, near: number): string {
  if (row.workingHours === undefined) return "";
  const { days, start, end } = row.workingHours;
  const minutes = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
  const sorted = DAYS.filter((day) => days.includes(day)).join(" ");
  return `<WorkingHours xmlns="${T}">${zoneXml(row.timeZone ?? "UTC", new Date(near).getUTCFullYear())}<WorkingPeriodArray><WorkingPeriod><DayOfWeek>${sorted}</DayOfWeek><StartTimeInMinutes>${minutes(start)}</StartTimeInMinutes><EndTimeInMinutes>${minutes(end)}</EndTimeInMinutes></WorkingPeriod></WorkingPeriodArray></WorkingHours>`;
}

/** The owner's zone as bias and two rules, found by walking the year hour by hour from month to month. */
function zoneXml(zone: string, year: number): string {
  const changes: { wall: number; to: number }[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  let before = offsetAt(zone, Date.UTC(year, 0, 1));
  const least = Math.min(before, offsetAt(zone, Date.UTC(year, 6, 1)));
  for (let day = Date.UTC(year, 0, 1); day < end; day += 86_400_000) {
    if (offsetAt(zone, day + 86_400_000) === before) continue;
    let at = day;
    while (offsetAt(zone, at) === before) at += 900_000;
    changes.push({ wall: at + before, to: offsetAt(zone, at) });
    before = offsetAt(zone, at);
  }
  const rule = (name: string, added: number, change: { wall: number } | undefined) => {
    const date = new Date(change?.wall ?? Date.UTC(year, 0, 1));
    const inMonth = new Date(Date.UTC(year, date.getUTCMonth() + 1, 0)).getUTCDate();
    const order = date.getUTCDate() + 7 > inMonth ? 5 : Math.ceil(date.getUTCDate() / 7);
    return `<${name}><Bias>${added}</Bias><Time>${date.toISOString().slice(11, 19)}</Time><DayOrder>${order}</DayOrder><Month>${date.getUTCMonth() + 1}</Month><DayOfWeek>${DAYS[date.getUTCDay()]}</DayOfWeek></${name}>`;
  };
  const standard = changes.find((change) => change.to === least);
  const daylight = changes.find((change) => change.to !== least);
  const added = daylight === undefined ? 0 : (least - daylight.to) / 60_000;
  return `<TimeZone><Bias>${-least / 60_000}</Bias>${rule("StandardTime", 0, standard)}${rule("DaylightTime", added, daylight)}</TimeZone>`;
}
