/**
 * Decides how a zone is written as a TimeZoneDefinition, for clients that ask for the
 * server's zones before they ask anything else (types.xsd, TimeZoneDefinitionType).
 *
 * Written as it is over some years, each year's changes as they really happen: exact, also
 * where a country's changes follow no rule that could be stated for ever. Years in a row
 * that look alike share one group of transitions. A group that was left is never taken up
 * again, and its number has two digits: exchangelib sorts eras by the group's id, as text.
 */

import { instant, MINUTE_MS } from "../availability/time-window.js";
import type { BiasMinutes, TimeZone } from "../availability/time-zone.js";
import { escaped } from "./xml-text.js";
import { WEEKDAYS } from "./zone-rules-xml.js";

/** The id of the period with a bias, under the name it has in the year in question. */
type PeriodOf = (minutes: BiasMinutes, name: "Standard" | "Daylight") => string;

/** The whole definition of a zone over the given years, the last one included. */
export function writeTimeZoneDefinition(id: string, zone: TimeZone, firstYear: number, lastYear: number): string {
  const periods = new Map<string, string>();
  const periodOf: PeriodOf = (minutes, name) => {
    const period = `${name === "Standard" ? "Std" : "Dlt"}/${minutes}`;
    periods.set(period, `<t:Period Bias="${duration(minutes)}" Name="${name}" Id="${period}"></t:Period>`);
    return period;
  };
  let groups = "";
  let eras = "";
  let count = 0;
  let current: string | undefined;
  for (let year = firstYear; year <= lastYear; year++) {
    const transitions = writeYear(zone, year, periodOf);
    if (transitions === current) continue;
    const group = String(count++).padStart(2, "0");
    groups += `<t:TransitionsGroup Id="${group}">${transitions}</t:TransitionsGroup>`;
    const to = `<t:To Kind="Group">${group}</t:To>`;
    eras +=
      current === undefined
        ? `<t:Transition>${to}</t:Transition>`
        : `<t:AbsoluteDateTransition>${to}<t:DateTime>${year}-01-01T00:00:00</t:DateTime></t:AbsoluteDateTransition>`;
    current = transitions;
  }
  return `${openingTag(id, standardBias(zone, lastYear))}<t:Periods>${[...periods.values()].join("")}</t:Periods><t:TransitionsGroups>${groups}</t:TransitionsGroups><t:Transitions>${eras}</t:Transitions></t:TimeZoneDefinition>`;
}

/** Id and name alone, which is all that clients get who do not want full data. */
export function writeTimeZoneName(id: string, zone: TimeZone, year: number): string {
  return `${openingTag(id, standardBias(zone, year))}</t:TimeZoneDefinition>`;
}

/** Named as Windows does, by its offset in front; the places behind it are Microsoft's wording, so the id stands there. */
function openingTag(id: string, standard: BiasMinutes): string {
  const offset = Math.abs(standard);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const utc = standard === 0 ? "UTC" : `UTC${standard > 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
  return `<t:TimeZoneDefinition Id="${escaped(id)}" Name="${escaped(`(${utc}) ${id}`)}">`;
}

function standardBias(zone: TimeZone, year: number): BiasMinutes {
  const january = zone.biasAt(instant(Date.UTC(year, 0, 1)));
  const july = zone.biasAt(instant(Date.UTC(year, 6, 1)));
  return january > july ? january : july;
}

function writeYear(zone: TimeZone, year: number, idOf: PeriodOf): string {
  const { biasAtStart, changes } = zone.yearOf(year);
  // A country that changes its standard time has another one in other years.
  const standard = Math.max(biasAtStart, ...changes.map(({ bias }) => bias));
  const periodOf = (minutes: BiasMinutes) => idOf(minutes, minutes === standard ? "Standard" : "Daylight");
  const first = periodOf(biasAtStart);
  const last = changes.at(-1);
  if (last === undefined) return `<t:Transition><t:To Kind="Period">${first}</t:To></t:Transition>`;
  // A group's year begins as it ends. One that does not is told how it begins.
  let text = last.bias === biasAtStart ? "" : writeTransition(Date.UTC(year, 0, 1), first);
  let before = biasAtStart;
  for (const { at, bias: after } of changes) {
    text += writeTransition(at - before * MINUTE_MS, periodOf(after));
    before = after;
  }
  return text;
}

function writeTransition(wall: number, period: string): string {
  const date = new Date(wall);
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  const last = date.getUTCDate() + 7 > daysInMonth;
  return `<t:RecurringDayTransition><t:To Kind="Period">${period}</t:To><t:TimeOffset>PT${date.getUTCHours()}H${date.getUTCMinutes()}M</t:TimeOffset><t:Month>${date.getUTCMonth() + 1}</t:Month><t:DayOfWeek>${WEEKDAYS[date.getUTCDay()]}</t:DayOfWeek><t:Occurrence>${last ? -1 : Math.ceil(date.getUTCDate() / 7)}</t:Occurrence></t:RecurringDayTransition>`;
}

function duration(minutes: BiasMinutes): string {
  const whole = Math.abs(minutes);
  return `${minutes < 0 ? "-" : ""}PT${Math.floor(whole / 60)}H${whole % 60}M`;
}
