/**
 * Decides how working hours are written for WorkMail. Biases keep the sign EWS gives them
 * (UTC = local + bias, so western Europe is -60), as the code AWS publishes passes them
 * through; the guide's own example fits neither sign. Not seen in a WorkMail client yet.
 *
 * A zone's name is required, and EWS rules have none: it is named by its offset. `MAY` is
 * missing from the guide's list of months; AWS's code writes it.
 */

import type { WorkingHours } from "../availability/free-busy-view.js";
import { DAY_MS } from "../availability/time-window.js";
import type { ZoneRule, ZoneRules } from "../availability/zone-rules.js";

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"] as const;
const WEEKS = ["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"] as const;

/** `offset`: minutes added to the zone's bias. `time`: hh:mm:ss on the clock as it is just before. */
export interface CapZoneChange {
  readonly offset: number;
  readonly time: string;
  readonly month: (typeof MONTHS)[number];
  readonly week: (typeof WEEKS)[number];
  readonly dayOfWeek: (typeof DAYS)[number];
}

/** The two changes stand together or are both absent. */
export interface CapZone {
  readonly name: string;
  readonly bias: number;
  readonly standardTime?: CapZoneChange;
  readonly daylightTime?: CapZoneChange;
}

export interface CapWorkingHours {
  readonly timezone: CapZone;
  readonly workingPeriods: readonly {
    readonly startMinutes: number;
    readonly endMinutes: number;
    readonly days: readonly (typeof DAYS)[number][];
  }[];
}

export function capWorkingHours({ zone, periods }: WorkingHours): CapWorkingHours {
  return {
    timezone: capZone(zone),
    workingPeriods: periods.map(({ startMinutes, endMinutes, weekdays }) => ({
      startMinutes,
      endMinutes,
      days: weekdays.map((day) => DAYS[day] as (typeof DAYS)[number]),
    })),
  };
}

function capZone({ bias, standard, daylight }: ZoneRules): CapZone {
  const name = nameOf(bias + standard.bias);
  if (standard.month === 0 || daylight.month === 0 || standard.bias === daylight.bias) {
    return { name, bias: bias + standard.bias };
  }
  return { name, bias, standardTime: capChange(standard), daylightTime: capChange(daylight) };
}

function capChange(rule: ZoneRule): CapZoneChange {
  const { order, weekday } = dayOf(rule);
  return {
    offset: rule.bias,
    time: clock(rule.timeOfDayMs),
    month: MONTHS[rule.month - 1] as (typeof MONTHS)[number],
    week: WEEKS[order - 1] as (typeof WEEKS)[number],
    dayOfWeek: DAYS[weekday] as (typeof DAYS)[number],
  };
}

/** A day of the month in one year has no form here: it is told by its weekday, as last where it is the last of the month. */
function dayOf({ dayOrder, weekday, month, year }: ZoneRule): { order: number; weekday: number } {
  // 5 and -1 both mean the last one.
  if (year === undefined) return { order: dayOrder >= 1 && dayOrder <= 4 ? dayOrder : 5, weekday };
  const date = new Date(Date.UTC(year, month - 1, dayOrder));
  const isLast = new Date(date.getTime() + 7 * DAY_MS).getUTCMonth() !== date.getUTCMonth();
  return { order: isLast ? 5 : Math.ceil(date.getUTCDate() / 7), weekday: date.getUTCDay() };
}

function clock(timeOfDayMs: number): string {
  return new Date(timeOfDayMs).toISOString().slice(11, 19);
}

function nameOf(bias: number): string {
  if (bias === 0) return "UTC";
  const minutes = Math.abs(bias);
  const two = (n: number) => String(n).padStart(2, "0");
  return `UTC${bias < 0 ? "+" : "-"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
