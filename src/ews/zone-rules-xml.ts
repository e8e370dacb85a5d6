/**
 * Decides how SerializableTimeZone is read and written, both directions side by side.
 * Read leniently where real senders deviate (a missing DayOfWeek beside a Year, DayOrder
 * −1 for "last"); written strictly by the schema.
 */

import { RequestFault } from "../availability/request-fault.js";
import { bias } from "../availability/time-zone.js";
import type { ZoneRule, ZoneRules } from "../availability/zone-rules.js";
import type { XmlCursor } from "./xml-cursor.js";

export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** Reads the element the cursor stands on. Throws "invalid-zone" when it describes no zone. */
export function readZoneRules(xml: XmlCursor): ZoneRules {
  const depth = xml.depth;
  let own: number | undefined;
  let standard: ZoneRule | undefined;
  let daylight: ZoneRule | undefined;
  while (xml.nextChild(depth)) {
    if (xml.name() === "t:Bias") own = integer(xml.text(), "Bias", -1440, 1440);
    else if (xml.name() === "t:StandardTime") standard = readRule(xml, "StandardTime");
    else if (xml.name() === "t:DaylightTime") daylight = readRule(xml, "DaylightTime");
  }
  if (own === undefined) invalid("Bias is missing");
  if (standard === undefined || daylight === undefined) invalid("StandardTime and DaylightTime are both needed");
  return { bias: bias(own), standard, daylight };
}

function readRule(xml: XmlCursor, of: string): ZoneRule {
  const depth = xml.depth;
  let added: number | undefined;
  let timeOfDayMs = 0;
  let dayOrder = 1;
  let month: number | undefined;
  let weekday = 0;
  let year: number | undefined;
  while (xml.nextChild(depth)) {
    switch (xml.name()) {
      case "t:Bias":
        added = integer(xml.text(), `${of}/Bias`, -1440, 1440);
        break;
      case "t:Time":
        timeOfDayMs = timeOfDay(xml.text(), of);
        break;
      case "t:DayOrder":
        dayOrder = integer(xml.text(), `${of}/DayOrder`, -1, 31);
        break;
      case "t:Month":
        month = integer(xml.text(), `${of}/Month`, 0, 12);
        break;
      case "t:DayOfWeek":
        weekday = WEEKDAYS.indexOf(xml.text().trim() as (typeof WEEKDAYS)[number]);
        if (weekday < 0) invalid(`${of}/DayOfWeek is not a day of the week`);
        break;
      case "t:Year":
        year = integer(xml.text(), `${of}/Year`, 0, 9999);
        break;
    }
  }
  if (added === undefined || month === undefined) invalid(`${of} needs Bias, Time, DayOrder, Month and DayOfWeek`);
  const absolute = year !== undefined && year > 0;
  if (!absolute && month > 0) dayOrder = dayOrder < 0 ? 5 : Math.min(5, Math.max(1, dayOrder));
  if (absolute && (dayOrder < 1 || month < 1)) invalid(`${of} with a Year needs a Month and a day of it`);
  return { bias: added, timeOfDayMs, dayOrder, month, weekday, year: absolute ? year : undefined };
}

export function writeZoneRules(rules: ZoneRules): string {
  return `<t:TimeZone><t:Bias>${rules.bias}</t:Bias>${writeRule("StandardTime", rules.standard)}${writeRule("DaylightTime", rules.daylight)}</t:TimeZone>`;
}

function writeRule(name: string, rule: ZoneRule): string {
  const year = rule.year === undefined ? "" : `<t:Year>${String(rule.year).padStart(4, "0")}</t:Year>`;
  return `<t:${name}><t:Bias>${rule.bias}</t:Bias><t:Time>${clock(rule.timeOfDayMs)}</t:Time><t:DayOrder>${rule.dayOrder}</t:DayOrder><t:Month>${rule.month}</t:Month><t:DayOfWeek>${WEEKDAYS[rule.weekday]}</t:DayOfWeek>${year}</t:${name}>`;
}

function clock(ms: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
}

function timeOfDay(text: string, of: string): number {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text.trim());
  const ms =
    match === null ? Number.NaN : (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0)) * 1000;
  if (!(ms <= 86_400_000)) invalid(`${of}/Time is not a time of day (hh:mm:ss)`);
  return ms;
}

export function integer(text: string, what: string, least: number, most: number): number {
  const trimmed = text.trim();
  const value = /^[+-]?\d{1,9}$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (!(value >= least && value <= most)) invalid(`${what} is not a whole number from ${least} to ${most}`);
  return value;
}

function invalid(what: string): never {
  throw new RequestFault("invalid-zone", `The specified time zone isn't valid: ${what}.`);
}
