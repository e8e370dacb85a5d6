/**
 * Decides how working hours are read and written in EWS (types.xsd, WorkingHours), always in
 * the zone of the mailbox's owner.
 */

import type { WorkingHours, WorkingPeriod } from "../availability/free-busy-view.js";
import { RequestFault } from "../availability/request-fault.js";
import type { ZoneRules } from "../availability/zone-rules.js";
import type { XmlCursor } from "./xml-cursor.js";
import { readZoneRules, WEEKDAYS, writeZoneRules } from "./zone-rules-xml.js";

/** One for each day of the week would be seven. */
const MOST_PERIODS = 50;

/** Working hours are an extra: what cannot be read of them is left out, and never costs the view. */
export function readWorkingHours(xml: XmlCursor): WorkingHours | undefined {
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

/** A WorkingHours element, in its owner's zone. */
export function writeWorkingHours(hours: WorkingHours): string {
  const periods = hours.periods
    .map(
      ({ weekdays, startMinutes, endMinutes }) =>
        `<t:WorkingPeriod><t:DayOfWeek>${weekdays.map((day) => WEEKDAYS[day]).join(" ")}</t:DayOfWeek><t:StartTimeInMinutes>${startMinutes}</t:StartTimeInMinutes><t:EndTimeInMinutes>${endMinutes}</t:EndTimeInMinutes></t:WorkingPeriod>`,
    )
    .join("");
  return `<t:WorkingHours>${writeZoneRules(hours.zone)}<t:WorkingPeriodArray>${periods}</t:WorkingPeriodArray></t:WorkingHours>`;
}
