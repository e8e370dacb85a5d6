/**
 * Decides what a backend's answer means. Read leniently in form (offsets, `Z` or neither;
 * events in any order; no merged string; no working hours; a fault with any HTTP status)
 * and strictly in substance: an entry that cannot be understood is a failure of its
 * mailbox, never an empty calendar, and a wrong number of entries is nobody's answer.
 * What is said twice is not understood: which of the two is right is unknown. Where slots
 * and events differ, the busier one counts.
 *
 * Private events lose their text here, before anything can keep it.
 */

import {
  BUSY_TYPES,
  type BusyType,
  type CalendarEvent,
  type EventDetails,
  type FreeBusyView,
  inOrder,
  type WorkingHours,
  type WorkingPeriod,
  withoutPrivateText,
} from "../availability/free-busy-view.js";
import { failed, type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import { mergedFreeBusy, slotsIn } from "../availability/merged-free-busy.js";
import { RequestFault } from "../availability/request-fault.js";
import { type InstantMs, instant, MINUTE_MS, overlaps, type TimeWindow } from "../availability/time-window.js";
import { UTC_ZONE } from "../availability/time-zone.js";
import type { ZoneRules } from "../availability/zone-rules.js";
import { parseDateTime } from "./date-time.js";
import { reasonOfCode } from "./failure-messages.js";
import { PlainForm } from "./plain-form.js";
import { malformed } from "./soap-envelope.js";
import { readBackOff, readSoapFault, type SoapFault } from "./soap-fault.js";
import { viewFromName } from "./view-names.js";
import { XmlCursor } from "./xml-cursor.js";
import { readZoneRules, WEEKDAYS } from "./zone-rules-xml.js";

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
  const children = new Children();
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

/** Takes note of an element's children, of which each of EWS's own comes once; which of two is right is unknown. */
class Children {
  readonly #names = new Set<string>();
  /** The name of one that came again. */
  repeated: string | undefined;

  /** The name itself. */
  next(name: string): string {
    if (this.#names.has(name) && !name.startsWith("?:")) this.repeated ??= name;
    this.#names.add(name);
    return name;
  }
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
  const children = new Children();
  while (xml.nextChild(depth)) {
    switch (children.next(xml.name())) {
      case "t:FreeBusyViewType":
        type = xml.text().trim();
        break;
      case "t:MergedFreeBusy":
        digits = xml.text().trim();
        break;
      case "t:CalendarEventArray":
        events ??= [];
        if (!readEvents(xml, asked, events)) wrong = "a calendar event that cannot be read";
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

const EVENT = new PlainForm("CalendarEvent", [
  { text: "StartTime" },
  { text: "EndTime" },
  { text: "BusyType" },
  {
    group: "CalendarEventDetails",
    optional: true,
    parts: [
      { text: "ID", optional: true },
      { text: "Subject", optional: true },
      { text: "Location", optional: true },
      { flag: "IsMeeting" },
      { flag: "IsRecurring" },
      { flag: "IsException" },
      { flag: "IsReminderSet" },
      { text: "IsPrivate" },
    ],
  },
]);

/** Adds those that concern the window. False when one cannot be read. */
function readEvents(xml: XmlCursor, { detail, window }: AskedOfBackend, events: CalendarEvent[]): boolean {
  const keepDetails = detail === "details";
  const depth = xml.depth;
  let readable = true;
  const take = (event: CalendarEvent | undefined) => {
    if (event === undefined) readable = false;
    else if (overlaps(window, event.start, event.end)) events.push(event);
  };
  while (xml.nextChild(depth)) {
    if (xml.name() !== "t:CalendarEvent") readable = false;
    else {
      let plain = xml.plainTexts(EVENT);
      if (plain === undefined) take(walkEvent(xml, keepDetails));
      for (; plain !== undefined; plain = xml.nextPlainTexts()) take(plainEvent(plain, keepDetails));
    }
  }
  return readable;
}

function plainEvent(texts: RegExpExecArray, keepDetails: boolean): CalendarEvent | undefined {
  const start = parseDateTime(texts[1] as string, UTC_ZONE);
  const end = parseDateTime(texts[2] as string, UTC_ZONE);
  const busyType = busyTypeOf((texts[3] as string).trim());
  const isPrivate = texts[11];
  if (isPrivate === undefined || !keepDetails) return eventOf(start, end, busyType, undefined);
  return eventOf(start, end, busyType, {
    id: texts[4],
    subject: texts[5],
    location: texts[6],
    isMeeting: texts[7] !== undefined,
    isRecurring: texts[8] !== undefined,
    isException: texts[9] !== undefined,
    isReminderSet: texts[10] !== undefined,
    isPrivate: !isFalse(isPrivate),
  });
}

function eventOf(
  start: InstantMs | undefined,
  end: InstantMs | undefined,
  busyType: BusyType,
  details: EventDetails | undefined,
): CalendarEvent | undefined {
  if (start === undefined || end === undefined || end < start) return undefined;
  return details === undefined
    ? { start, end, busyType }
    : { start, end, busyType, details: withoutPrivateText(details) };
}

function walkEvent(xml: XmlCursor, keepDetails: boolean): CalendarEvent | undefined {
  const depth = xml.depth;
  let start: InstantMs | undefined;
  let end: InstantMs | undefined;
  let busyType: BusyType = "NoData";
  let details: EventDetails | undefined;
  const children = new Children();
  while (xml.nextChild(depth)) {
    switch (children.next(xml.name())) {
      case "t:StartTime":
        start = parseDateTime(xml.text(), UTC_ZONE);
        break;
      case "t:EndTime":
        end = parseDateTime(xml.text(), UTC_ZONE);
        break;
      case "t:BusyType":
        busyType = busyTypeOf(xml.text().trim());
        break;
      case "t:CalendarEventDetails":
        if (keepDetails) details = readDetails(xml);
        break;
    }
  }
  if (children.repeated !== undefined) return undefined;
  return eventOf(start, end, busyType, details);
}

/** A word we do not know is something we do not know: no data, not free. */
function busyTypeOf(text: string): BusyType {
  return (BUSY_TYPES as readonly string[]).includes(text) ? (text as BusyType) : "NoData";
}

function readDetails(xml: XmlCursor): EventDetails {
  const depth = xml.depth;
  let id: string | undefined;
  let subject: string | undefined;
  let location: string | undefined;
  let isMeeting = false;
  let isRecurring = false;
  let isException = false;
  let isReminderSet = false;
  // Until it says otherwise, and once, an event is private.
  let isPrivate = true;
  const children = new Children();
  while (xml.nextChild(depth)) {
    switch (children.next(xml.name())) {
      case "t:ID":
        id = xml.text();
        break;
      case "t:Subject":
        subject = xml.text();
        break;
      case "t:Location":
        location = xml.text();
        break;
      case "t:IsMeeting":
        isMeeting = isTrue(xml.text());
        break;
      case "t:IsRecurring":
        isRecurring = isTrue(xml.text());
        break;
      case "t:IsException":
        isException = isTrue(xml.text());
        break;
      case "t:IsReminderSet":
        isReminderSet = isTrue(xml.text());
        break;
      case "t:IsPrivate":
        isPrivate = !isFalse(xml.text());
        break;
    }
  }
  isPrivate ||= children.repeated !== undefined;
  return { id, subject, location, isMeeting, isRecurring, isException, isReminderSet, isPrivate };
}

const isTrue = (text: string): boolean => text.trim() === "true" || text.trim() === "1";
const isFalse = (text: string): boolean => text.trim() === "false" || text.trim() === "0";

/** One for each day of the week would be seven. */
const MOST_PERIODS = 50;

/** Working hours are an extra: what cannot be read of them is left out, and never costs the view. */
function readWorkingHours(xml: XmlCursor): WorkingHours | undefined {
  const depth = xml.depth;
  let zone: ZoneRules | undefined;
  const periods: WorkingPeriod[] = [];
  while (xml.nextChild(depth)) {
    if (xml.name() === "t:TimeZone") {
      try {
        zone = readZoneRules(xml);
      } catch (error) {
        // Of XML that is none the rest is not believed either.
        if (!(error instanceof RequestFault) || error.reason === "malformed") throw error;
        zone = undefined;
      }
    } else if (xml.name() === "t:WorkingPeriodArray") {
      while (xml.nextChild(depth + 1)) {
        const period = xml.name() === "t:WorkingPeriod" ? readPeriod(xml) : undefined;
        if (period !== undefined && periods.length < MOST_PERIODS) periods.push(period);
      }
    }
  }
  return zone === undefined || periods.length === 0 ? undefined : { zone, periods };
}

function readPeriod(xml: XmlCursor): WorkingPeriod | undefined {
  const depth = xml.depth;
  let weekdays: number[] = [];
  let startMinutes = Number.NaN;
  let endMinutes = Number.NaN;
  while (xml.nextChild(depth)) {
    if (xml.name() === "t:DayOfWeek") weekdays = weekdaysOf(xml.text());
    else if (xml.name() === "t:StartTimeInMinutes") startMinutes = Number(xml.text());
    else if (xml.name() === "t:EndTimeInMinutes") endMinutes = Number(xml.text());
  }
  const whole = Number.isInteger(startMinutes) && Number.isInteger(endMinutes);
  if (!whole || startMinutes < 0 || endMinutes > 1440 || startMinutes > endMinutes || weekdays.length === 0) {
    return undefined;
  }
  return { weekdays, startMinutes, endMinutes };
}

function weekdaysOf(text: string): number[] {
  const days = new Set<number>();
  for (const name of text.trim().split(/\s+/)) {
    const day = WEEKDAYS.indexOf(name as (typeof WEEKDAYS)[number]);
    if (day >= 0) days.add(day);
    else if (name === "Weekday") for (const weekday of [1, 2, 3, 4, 5]) days.add(weekday);
    else if (name === "WeekendDay") for (const weekday of [0, 6]) days.add(weekday);
    else if (name === "Day") for (const weekday of [0, 1, 2, 3, 4, 5, 6]) days.add(weekday);
  }
  return [...days].sort((a, b) => a - b);
}
