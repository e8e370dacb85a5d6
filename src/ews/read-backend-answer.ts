/**
 * Decides what a backend's answer means. Read leniently in form (offsets, `Z` or neither;
 * events in any order; no merged string; no working hours; a fault with any HTTP status)
 * and strictly in substance: an entry that cannot be understood is a failure of its
 * mailbox, never an empty calendar, and a wrong number of entries is nobody's answer.
 * What is said twice is not understood: which of the two is right is unknown. Where slots
 * and events differ, the busier one counts.
 */

import {
  type BusyType,
  type CalendarEvent,
  type FreeBusyView,
  inOrder,
  type WorkingHours,
} from "../availability/free-busy-view.js";
import { failed, type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import { mergedFreeBusy, slotsIn } from "../availability/merged-free-busy.js";
import { instant, MINUTE_MS, type TimeWindow } from "../availability/time-window.js";
import { readCalendarEvents } from "./calendar-events-xml.js";
import { ElementChildren } from "./element-children.js";
import { reasonOfCode } from "./failure-messages.js";
import { malformed } from "./soap-envelope.js";
import { readBackOff, readSoapFault, type SoapFault } from "./soap-fault.js";
import { viewFromName } from "./view-names.js";
import { readWorkingHours } from "./working-hours-xml.js";
import { XmlCursor } from "./xml-cursor.js";

/** What was asked, as far as it is needed to read the answer. */
export interface AskedOfBackend {
  readonly backend: string;
  readonly window: TimeWindow;
  readonly detail: "times" | "details";
  readonly intervalMinutes: number;
}

export type BackendAnswer =
  | { readonly kind: "answers"; readonly answers: readonly MailboxAnswer[] }
  | { readonly kind: "fault"; readonly fault: SoapFault };

/** Reads a whole answer. Throws a RequestFault "malformed" when it is not one. How many answers are right, the asker knows. */
export function readBackendAnswer(text: string, asked: AskedOfBackend): BackendAnswer {
  const xml = new XmlCursor(text);
  if (xml.name() !== "s:Envelope" && xml.name() !== "s12:Envelope") throw malformed("not a SOAP envelope");
  let found: BackendAnswer | undefined;
  while (xml.nextChild(1)) {
    if (xml.name() !== "s:Body" && xml.name() !== "s12:Body") continue;
    while (xml.nextChild(2)) {
      if (found !== undefined) throw malformed("a second element in the Body");
      if (xml.name() === "s:Fault" || xml.name() === "s12:Fault") found = { kind: "fault", fault: readSoapFault(xml) };
      else if (xml.name() === "m:GetUserAvailabilityResponse")
        found = { kind: "answers", answers: readResponse(xml, asked) };
    }
  }
  xml.finish();
  if (found === undefined) throw malformed("neither a GetUserAvailabilityResponse nor a fault");
  return found;
}

function readResponse(xml: XmlCursor, asked: AskedOfBackend): MailboxAnswer[] {
  const answers: MailboxAnswer[] = [];
  const depth = xml.depth;
  while (xml.nextChild(depth)) {
    if (xml.name() !== "m:FreeBusyResponseArray") continue;
    while (xml.nextChild(depth + 1)) if (xml.name() === "m:FreeBusyResponse") answers.push(readEntry(xml, asked));
  }
  return answers;
}

function readEntry(xml: XmlCursor, asked: AskedOfBackend): MailboxAnswer {
  const depth = xml.depth;
  let responseClass = "";
  let code = "";
  let backOffMs: number | undefined;
  let view: FreeBusyView | string | undefined;
  const children = new ElementChildren();
  while (xml.nextChild(depth)) {
    const name = children.next(xml.name());
    if (name === "m:ResponseMessage") {
      responseClass = xml.attribute("ResponseClass") ?? "";
      while (xml.nextChild(depth + 1)) {
        const inner = children.next(xml.name());
        if (inner === "m:ResponseCode") code = xml.text().trim();
        else if (inner === "m:MessageXml") backOffMs = readBackOff(xml);
      }
    } else if (name === "m:FreeBusyView") view = readView(xml, asked);
  }
  const { backend } = asked;
  if (children.repeated !== undefined) {
    return failed({ reason: "backend-unreadable", backend, detail: `an entry with two of ${children.repeated}` });
  }
  if (responseClass === "Error" || (code !== "" && code !== "NoError")) {
    const reason = reasonOfCode(code);
    const known = /^[A-Za-z]{1,80}$/.test(code) ? code : undefined;
    return failed({
      reason,
      backend,
      code: known,
      ...(reason === "backend-busy" && backOffMs !== undefined && { retryAfterMs: backOffMs }),
    });
  }
  if (typeof view === "object") return viewed(view);
  return failed({ reason: "backend-unreadable", backend, detail: view ?? "an entry without FreeBusyView" });
}

/** The view, or what is wrong with it. */
function readView(xml: XmlCursor, asked: AskedOfBackend): FreeBusyView | string {
  const depth = xml.depth;
  let type: string | undefined;
  let digits: string | undefined;
  let events: CalendarEvent[] | undefined;
  let workingHours: WorkingHours | undefined;
  let unknownChild = false;
  let wrong: string | undefined;
  const children = new ElementChildren();
  while (xml.nextChild(depth)) {
    switch (children.next(xml.name())) {
      case "t:FreeBusyViewType":
        type = xml.text().trim();
        break;
      case "t:MergedFreeBusy":
        digits = xml.text().trim();
        break;
      case "t:CalendarEventArray":
        events = readCalendarEvents(xml, asked.window, asked.detail === "details");
        if (events === undefined) wrong = "a calendar event that cannot be read";
        break;
      case "t:WorkingHours":
        workingHours = readWorkingHours(xml);
        break;
      default:
        unknownChild = true;
    }
  }
  if (wrong !== undefined) return wrong;
  if (children.repeated !== undefined) return `a view with two of ${children.repeated}`;
  const delivered = viewFromName(type ?? "");
  if (delivered === undefined) return type === "None" ? "a success with no view" : "an unknown FreeBusyViewType";
  const readable = digits !== undefined && /^[0-4]+$/.test(digits) ? digits : undefined;
  // Slots that cannot be read may have said "busy", or "no data".
  if (digits !== undefined && digits !== "" && readable === undefined) return "a merged string that cannot be read";
  // Slots of another length would be busy at other times. Beside events they say nothing new but what is not known.
  const { window, intervalMinutes } = asked;
  const slots = readable?.length === slotsIn(window, intervalMinutes) ? readable : undefined;
  const saysMore = readable?.includes("4") || (events?.length === 0 && /[123]/.test(readable ?? ""));
  const needed = events === undefined || delivered.detail === "merged" || saysMore;
  if (readable !== undefined && slots === undefined && needed) {
    return "a merged string with slots of another length than was asked for";
  }
  if (delivered.detail !== "merged" && events === undefined && slots === undefined && unknownChild) {
    return "a view without events that holds something unknown";
  }
  const all =
    slots === undefined ? (events ?? []) : [...(events ?? []), ...stretchesBeside(slots, events ?? [], asked)];
  if (delivered.detail === "merged" || (events === undefined && slots !== undefined)) {
    if (slots === undefined) return "a merged view without a merged string";
    const merged = { start: window.start, intervalMinutes, digits: slots };
    if (!events?.length) return { detail: "merged", merged };
    return { detail: "merged", merged: mergedFreeBusy({ detail: "times", events: all }, window, intervalMinutes) };
  }
  const detail = delivered.detail === "details" && asked.detail === "details" ? "details" : "times";
  return { detail, events: inOrder(all), workingHours };
}

/**
 * Stretches of slots that are said to be busier than the events make them, or to be without data where no event is: they
 * stay visible when slots are rebuilt from events.
 */
function stretchesBeside(slots: string, events: readonly CalendarEvent[], asked: AskedOfBackend): CalendarEvent[] {
  const { window, intervalMinutes } = asked;
  const slotMs = intervalMinutes * MINUTE_MS;
  const taken = mergedFreeBusy({ detail: "times", events }, window, intervalMinutes).digits;
  if (taken === slots) return [];
  const isMore = (digit: string, i: number) => (digit === "4" ? taken[i] === "0" : rank(digit) > rank(taken[i]));
  const more = Array.from(slots, (digit, i) => (isMore(digit, i) ? digit : "0")).join("");
  return Array.from(more.matchAll(/([1-4])\1*/g), ({ index, 0: run }) => {
    const start = instant(window.start + index * slotMs);
    const busyType = BUSY_TYPE_OF[Number(run[0])] as BusyType;
    return { start, end: instant(start + run.length * slotMs), busyType };
  });
}

/** Of a slot's digit. Something known says more than "no data". */
const rank = (digit: string | undefined): number => (digit === "4" ? 0.5 : Number(digit));
/** By digit; working elsewhere is written as 0. */
const BUSY_TYPE_OF: readonly BusyType[] = ["Free", "Tentative", "Busy", "OOF", "NoData"];
