/**
 * Decides what a zone means that is given as one bias and two yearly rules: the form EWS
 * calls SerializableTimeZone ([MS-OXWAVLS] 3.1.4.1.3.19), used for request zones and for
 * the zone of somebody's working hours.
 *
 * "No daylight saving" has several spellings in the field; two cover them all: a month of
 * 0 in either rule, or two equal biases.
 *
 * Pure. Keeps the rules as they were given, so that they can be handed on unchanged.
 */

import { type BiasMinutes, bias, TimeZone, type YearlyChange, yearFromChanges } from "./time-zone.js";

/** One of the two rules. Without `year`, `dayOrder` is 1–4 or 5 (last) of `weekday`; with it, the day of the month. */
export interface ZoneRule {
  /** Minutes added to the zone's own bias while this rule is in force. */
  readonly bias: number;
  readonly timeOfDayMs: number;
  readonly dayOrder: number;
  /** 1–12; 0 means that the zone has no daylight saving. */
  readonly month: number;
  /** 0 = Sunday. */
  readonly weekday: number;
  readonly year?: number | undefined;
}

/** `standard` tells when standard time begins (in daylight wall clock), `daylight` when daylight time begins (in standard wall clock). */
export interface ZoneRules {
  readonly bias: BiasMinutes;
  readonly standard: ZoneRule;
  readonly daylight: ZoneRule;
}

export const UTC_RULES: ZoneRules = {
  bias: bias(0),
  standard: { bias: 0, timeOfDayMs: 0, dayOrder: 1, month: 10, weekday: 0 },
  daylight: { bias: 0, timeOfDayMs: 0, dayOrder: 1, month: 3, weekday: 0 },
};

export function timeZoneFromRules(rules: ZoneRules): TimeZone {
  const standardBias = bias(rules.bias + rules.standard.bias);
  const daylightBias = bias(rules.bias + rules.daylight.bias);
  if (rules.standard.month === 0 || rules.daylight.month === 0) {
    return new TimeZone(() => ({ biasAtStart: standardBias, changes: [] }));
  }
  if (standardBias === daylightBias) return new TimeZone(() => ({ biasAtStart: standardBias, changes: [] }));

  const changes = [yearlyChange(rules.standard, standardBias), yearlyChange(rules.daylight, daylightBias)];
  // Rules for one single year: before the first of them, the other season holds.
  const beforeAll = firstOf(rules) === rules.standard ? daylightBias : standardBias;
  return new TimeZone((year) => yearFromChanges(changes, beforeAll, year));
}

function yearlyChange(rule: ZoneRule, biasAfter: BiasMinutes): YearlyChange {
  const day = rule.year === undefined ? { order: rule.dayOrder, weekday: rule.weekday } : { date: rule.dayOrder };
  return { month: rule.month, day, timeOfDayMs: rule.timeOfDayMs, biasAfter, year: rule.year };
}

function firstOf({ standard, daylight }: ZoneRules): ZoneRule {
  const days = (rule: ZoneRule) => ((rule.year ?? 0) * 12 + rule.month) * 32 + rule.dayOrder;
  return days(standard) < days(daylight) ? standard : daylight;
}
