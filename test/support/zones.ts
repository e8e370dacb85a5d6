/** Real zones as EWS rules (since 2007), and Intl as the witness of what their clocks show. */

import { bias } from "../../src/availability/time-zone.js";
import type { ZoneRule, ZoneRules } from "../../src/availability/zone-rules.js";

const rule = (added: number, month: number, dayOrder: number, hour: number): ZoneRule => ({
  bias: added,
  month,
  dayOrder,
  weekday: 0,
  timeOfDayMs: hour * 3_600_000,
});
const zone = (own: number, standard: ZoneRule, daylight: ZoneRule): ZoneRules => ({
  bias: bias(own),
  standard,
  daylight,
});

export const ZONES: Readonly<Record<string, ZoneRules>> = {
  "America/Los_Angeles": zone(480, rule(0, 11, 1, 2), rule(-60, 3, 2, 2)),
  "America/New_York": zone(300, rule(0, 11, 1, 2), rule(-60, 3, 2, 2)),
  "Europe/Berlin": zone(-60, rule(0, 10, 5, 3), rule(-60, 3, 5, 2)),
  "Europe/London": zone(0, rule(0, 10, 5, 2), rule(-60, 3, 5, 1)),
  "Australia/Sydney": zone(-600, rule(0, 4, 1, 3), rule(-60, 10, 1, 2)),
  "Pacific/Auckland": zone(-720, rule(0, 4, 1, 3), rule(-60, 9, 5, 2)),
  "Asia/Kolkata": zone(-330, rule(0, 0, 0, 0), rule(0, 0, 0, 0)),
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock in the zone shows, as if it were UTC. */
export function shownByIntl(name: string, at: number): number {
  let format = formats.get(name);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: name, dateStyle: "short", timeStyle: "medium" });
    formats.set(name, format);
  }
  return Date.parse(`${format.format(at).replace(" ", "T")}Z`);
}
