/**
 * Decides how calendar events are read and written in EWS (types.xsd, CalendarEvent). Read
 * leniently in form; one that cannot be understood is not left out but said to be unreadable,
 * and what is said twice is not understood. A busy type nobody knows is no data, not free.
 *
 * Private events lose their text here, before anything can keep it. Nearly every event is
 * matched in one go ({@link PlainForm}); anything else is walked, to the same result.
 */

import {
  BUSY_TYPES,
  type BusyType,
  type CalendarEvent,
  type EventDetails,
  withoutPrivateText,
} from "../availability/free-busy-view.js";
import { type InstantMs, overlaps, type TimeWindow } from "../availability/time-window.js";
import { type TimeZone, UTC_ZONE } from "../availability/time-zone.js";
import { formatWallClock, parseDateTime } from "./date-time.js";
import { ElementChildren } from "./element-children.js";
import { PlainForm } from "./plain-form.js";
import type { XmlCursor } from "./xml-cursor.js";
import { escaped } from "./xml-text.js";

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

/** Those of a CalendarEventArray that concern the window, in any order. Undefined when one cannot be read. */
export function readCalendarEvents(
  xml: XmlCursor,
  window: TimeWindow,
  keepDetails: boolean,
): CalendarEvent[] | undefined {
  const depth = xml.depth;
  const events: CalendarEvent[] = [];
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
  return readable ? events : undefined;
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
  const children = new ElementChildren();
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
  const children = new ElementChildren();
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

/** A CalendarEvent, its times in `zone`. `workingElsewhere`: whether the reader's schema has that busy type; it sees Free otherwise. */
export function writeCalendarEvent(event: CalendarEvent, zone: TimeZone, workingElsewhere: boolean): string {
  const busyType = event.busyType === "WorkingElsewhere" && !workingElsewhere ? "Free" : event.busyType;
  const details = event.details === undefined ? "" : writeDetails(event.details);
  return `<t:CalendarEvent><t:StartTime>${formatWallClock(zone.toWallClock(event.start))}</t:StartTime><t:EndTime>${formatWallClock(zone.toWallClock(event.end))}</t:EndTime><t:BusyType>${busyType}</t:BusyType>${details}</t:CalendarEvent>`;
}

function writeDetails(details: EventDetails): string {
  const { id, subject, location } = details;
  const idXml = id === undefined ? "" : `<t:ID>${escaped(id)}</t:ID>`;
  const subjectXml = subject === undefined ? "" : `<t:Subject>${escaped(subject)}</t:Subject>`;
  const locationXml = location === undefined ? "" : `<t:Location>${escaped(location)}</t:Location>`;
  return `<t:CalendarEventDetails>${idXml}${subjectXml}${locationXml}${flagsOf(details)}</t:CalendarEventDetails>`;
}

const FLAGS = ["IsMeeting", "IsRecurring", "IsException", "IsReminderSet", "IsPrivate"];
/** All thirty-two of them, written once; the first flag is the lowest bit. */
const WRITTEN_FLAGS = Array.from({ length: 2 ** FLAGS.length }, (_, bits) =>
  FLAGS.map((name, i) => `<t:${name}>${(bits & (1 << i)) !== 0}</t:${name}>`).join(""),
);

function flagsOf({ isMeeting, isRecurring, isException, isReminderSet, isPrivate }: EventDetails): string {
  const bits =
    Number(isMeeting) +
    Number(isRecurring) * 2 +
    Number(isException) * 4 +
    Number(isReminderSet) * 8 +
    Number(isPrivate) * 16;
  return WRITTEN_FLAGS[bits] as string;
}
