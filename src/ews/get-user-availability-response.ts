/**
 * Decides how answers are written for callers (messages.xsd; §3): one FreeBusyResponse
 * per mailbox, in order, each with a FreeBusyView even when it is an error, because some
 * clients count the views; and no element self-closed, because others wait for end tags.
 *
 * Times are in the caller's zone without offset, working hours in the owner's. Detail is
 * written as it comes: lowering it was decided before.
 */

import type { AskedMailbox, AvailabilityQuery } from "../availability/availability-query.js";
import type { CalendarEvent, EventDetails, FreeBusyView, WorkingHours } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import type { TimeZone } from "../availability/time-zone.js";
import { formatWallClock } from "./date-time.js";
import { failureMessage } from "./failure-messages.js";
import type { AvailabilityRequest } from "./get-user-availability-request.js";
import { viewName } from "./view-names.js";
import { escaped } from "./xml-text.js";
import { WEEKDAYS, writeZoneRules } from "./zone-rules-xml.js";

export interface ResponseStyle {
  /** Whether the caller's schema has WorkingElsewhere; it sees Free otherwise. */
  readonly workingElsewhere: boolean;
}

/** The response element for a request and the answers to its query, position by position. */
export function writeAvailabilityResponse(
  request: AvailabilityRequest,
  answers: readonly MailboxAnswer[],
  style: ResponseStyle,
): string {
  const { query, zone, wantsSuggestions } = request;
  let array = "";
  if (query !== undefined) {
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i] as MailboxAnswer;
      array += `<m:FreeBusyResponse>${
        answer.kind === "view"
          ? SUCCESS + writeView(answer.view, query, zone, style)
          : writeFailure(query.mailboxes[i] as AskedMailbox, answer)
      }</m:FreeBusyResponse>`;
    }
    array = `<m:FreeBusyResponseArray>${array}</m:FreeBusyResponseArray>`;
  }
  return `<m:GetUserAvailabilityResponse>${array}${wantsSuggestions ? NO_SUGGESTIONS : ""}</m:GetUserAvailabilityResponse>`;
}

const SUCCESS = `<m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>`;
const NO_VIEW = "<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView>";
const NO_SUGGESTIONS = `<m:SuggestionsResponse>${errorMessage(
  "ErrorMeetingSuggestionGenerationFailed",
  "This gateway gives free/busy data; it does not suggest meeting times.",
  "",
)}</m:SuggestionsResponse>`;

function writeFailure(asked: AskedMailbox, { failure }: MailboxAnswer & { kind: "failure" }): string {
  const { code, exceptionCode, text } = failureMessage(asked, failure);
  const type = `<e:ExceptionType xmlns:e="${ERRORS}">${code.replace(/^Error/, "")}Exception</e:ExceptionType>`;
  const number =
    exceptionCode === undefined ? "" : `<e:ExceptionCode xmlns:e="${ERRORS}">${exceptionCode}</e:ExceptionCode>`;
  return errorMessage(code, text, type + number) + NO_VIEW;
}

function errorMessage(code: string, text: string, xml: string): string {
  const messageXml = xml === "" ? "" : `<m:MessageXml>${xml}</m:MessageXml>`;
  return `<m:ResponseMessage ResponseClass="Error"><m:MessageText>${escaped(text)}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>${messageXml}</m:ResponseMessage>`;
}

const ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors";

function writeView(view: FreeBusyView, query: AvailabilityQuery, zone: TimeZone, style: ResponseStyle): string {
  const merged = query.view.merged || view.detail === "merged";
  const digits = merged
    ? `<t:MergedFreeBusy>${mergedFreeBusy(view, query.window, query.intervalMinutes).digits}</t:MergedFreeBusy>`
    : "";
  const type = `<t:FreeBusyViewType>${viewName(view.detail, merged)}</t:FreeBusyViewType>`;
  if (view.detail === "merged") return `<m:FreeBusyView>${type}${digits}</m:FreeBusyView>`;
  let events = "";
  for (const event of view.events) events += writeEvent(event, zone, style);
  const hours = view.workingHours === undefined ? "" : writeWorkingHours(view.workingHours);
  return `<m:FreeBusyView>${type}${digits}<t:CalendarEventArray>${events}</t:CalendarEventArray>${hours}</m:FreeBusyView>`;
}

function writeEvent(event: CalendarEvent, zone: TimeZone, style: ResponseStyle): string {
  const busyType = event.busyType === "WorkingElsewhere" && !style.workingElsewhere ? "Free" : event.busyType;
  const details = event.details === undefined ? "" : writeDetails(event.details);
  return `<t:CalendarEvent><t:StartTime>${formatWallClock(zone.toWallClock(event.start))}</t:StartTime><t:EndTime>${formatWallClock(zone.toWallClock(event.end))}</t:EndTime><t:BusyType>${busyType}</t:BusyType>${details}</t:CalendarEvent>`;
}

function writeDetails(details: EventDetails): string {
  const optional = (name: string, text: string | undefined) =>
    text === undefined ? "" : `<t:${name}>${escaped(text)}</t:${name}>`;
  return `<t:CalendarEventDetails>${optional("ID", details.id)}${optional("Subject", details.subject)}${optional("Location", details.location)}<t:IsMeeting>${details.isMeeting}</t:IsMeeting><t:IsRecurring>${details.isRecurring}</t:IsRecurring><t:IsException>${details.isException}</t:IsException><t:IsReminderSet>${details.isReminderSet}</t:IsReminderSet><t:IsPrivate>${details.isPrivate}</t:IsPrivate></t:CalendarEventDetails>`;
}

function writeWorkingHours(hours: WorkingHours): string {
  const periods = hours.periods
    .map(
      ({ weekdays, startMinutes, endMinutes }) =>
        `<t:WorkingPeriod><t:DayOfWeek>${weekdays.map((day) => WEEKDAYS[day]).join(" ")}</t:DayOfWeek><t:StartTimeInMinutes>${startMinutes}</t:StartTimeInMinutes><t:EndTimeInMinutes>${endMinutes}</t:EndTimeInMinutes></t:WorkingPeriod>`,
    )
    .join("");
  return `<t:WorkingHours>${writeZoneRules(hours.zone)}<t:WorkingPeriodArray>${periods}</t:WorkingPeriodArray></t:WorkingHours>`;
}
