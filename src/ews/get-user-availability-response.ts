/**
 * Decides how answers are written for callers (messages.xsd; §3): one FreeBusyResponse
 * per mailbox, in order, each with a FreeBusyView even when it is an error, because some
 * clients count the views; and no element self-closed, because others wait for end tags.
 *
 * Times are in the caller's zone without offset, working hours in the owner's. Detail is
 * written as it comes: lowering it was decided before.
 */

import type { AskedMailbox, AvailabilityQuery } from "../availability/availability-query.js";
import type { FreeBusyView } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import type { TimeZone } from "../availability/time-zone.js";
import { writeCalendarEvent } from "./calendar-events-xml.js";
import { failureMessage } from "./failure-messages.js";
import type { AvailabilityRequest } from "./get-user-availability-request.js";
import { viewName } from "./view-names.js";
import { writeWorkingHours } from "./working-hours-xml.js";
import { escaped } from "./xml-text.js";

export interface ResponseStyle {
  /** Whether the caller's schema has WorkingElsewhere; it sees Free otherwise. */
  readonly workingElsewhere: boolean;
}

/**
 * The response element for a request and the answers to its query, position by position; in pieces, one a mailbox,
 * because a large answer becomes bytes much faster piece by piece than as one text.
 */
export function writeAvailabilityResponse(
  request: AvailabilityRequest,
  answers: readonly MailboxAnswer[],
  style: ResponseStyle,
): string[] {
  const { query, zone, wantsSuggestions } = request;
  const pieces = ["<m:GetUserAvailabilityResponse>"];
  if (query !== undefined) {
    pieces.push("<m:FreeBusyResponseArray>");
    const before = pieces.length;
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i] as MailboxAnswer;
      const first = answers.indexOf(answer);
      // A view says nothing of how its mailbox was named: whoever is asked about twice is written once.
      if (first < i && answer.kind === "view") {
        pieces.push(pieces[before + first] as string);
        continue;
      }
      const entry =
        answer.kind === "view"
          ? SUCCESS + writeView(answer.view, query, zone, style)
          : writeFailure(query.mailboxes[i] as AskedMailbox, answer);
      pieces.push(`<m:FreeBusyResponse>${entry}</m:FreeBusyResponse>`);
    }
    pieces.push("</m:FreeBusyResponseArray>");
  }
  pieces.push(`${wantsSuggestions ? NO_SUGGESTIONS : ""}</m:GetUserAvailabilityResponse>`);
  return pieces;
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
  for (const event of view.events) events += writeCalendarEvent(event, zone, style.workingElsewhere);
  const hours = view.workingHours === undefined ? "" : writeWorkingHours(view.workingHours);
  return `<m:FreeBusyView>${type}${digits}<t:CalendarEventArray>${events}</t:CalendarEventArray>${hours}</m:FreeBusyView>`;
}
