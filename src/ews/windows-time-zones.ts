/**
 * Decides which zone a Windows name ("W. Europe Standard Time") stands for: the CLDR
 * mapping from windows-iana, the rules from the zone database in `Intl`.
 *
 * `Intl` only answers "what does the clock show then"; the changes of a year are found by
 * asking week by week and halving. A zone's years are kept, for the process's lifetime:
 * the zones are the world's, and the years are bounded here.
 */

import { findIana, WINDOWS_TO_IANA_MAP } from "windows-iana";
import { instant } from "../availability/time-window.js";
import { type BiasMinutes, bias, TimeZone, type ZoneYear } from "../availability/time-zone.js";

const WEEK_MS = 7 * 86_400_000;
const EARLIEST_YEAR = 1970;
const LATEST_YEAR = 2100;

const known = new Map<string, TimeZone>();

/** The zone of a Windows name, an IANA name or "UTC" in its spellings; undefined when there is none such. */
export function windowsTimeZone(id: string): TimeZone | undefined {
  const cached = known.get(id);
  if (cached !== undefined) return cached;
  const iana = ianaName(id);
  if (iana === undefined) return undefined;
  let zone = known.get(iana);
  if (zone === undefined) {
    const clock = clockOf(iana);
    zone = new TimeZone((year) => zoneYear(clock, Math.min(LATEST_YEAR, Math.max(EARLIEST_YEAR, year)), year));
    known.set(iana, zone);
  }
  // Only names that exist are kept, in the one spelling they were asked in: strangers cannot make this grow without end.
  if (known.size < 2000) known.set(id, zone);
  return zone;
}

function ianaName(id: string): string | undefined {
  if (/^(tzone:\/\/Microsoft\/)?(utc|gmt)$/i.test(id)) return "UTC";
  const names: readonly string[] = findIana(id as Parameters<typeof findIana>[0]) ?? [];
  if (names[0] !== undefined) return names[0];
  if (id.length > 64 || !/^[A-Za-z]+(\/[A-Za-z0-9_+-]+)+$/.test(id)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: id }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Every Windows name there is, from west to east, as Windows lists them. */
export const WINDOWS_ZONE_NAMES: readonly string[] = [
  ...new Set(WINDOWS_TO_IANA_MAP.map(({ windowsName }) => windowsName)),
];

type BiasClock = (ms: number) => BiasMinutes;

function clockOf(iana: string): BiasClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: iana,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (ms) => {
    // "07/01/2026, 13:45:00", every part in its place: four times faster than formatToParts.
    const shown = format.format(ms);
    const part = (from: number, to: number) => Number(shown.slice(from, to));
    const day = Date.UTC(part(6, 10), part(0, 2) - 1, part(3, 5));
    const wall = day + (part(12, 14) * 3600 + part(15, 17) * 60 + part(18, 20)) * 1000;
    return bias(Math.round((Math.floor(ms / 1000) * 1000 - wall) / 60_000));
  };
}

/** `source` is the year the database is asked about; beyond its bounds the last known year's clock is shown, unchanging. */
function zoneYear(clock: BiasClock, source: number, year: number): ZoneYear {
  const start = Date.UTC(source, 0, 1);
  const end = Date.UTC(source + 1, 0, 1);
  const biasAtStart = clock(start);
  if (source !== year) return { biasAtStart, changes: [] };
  const changes: { at: ReturnType<typeof instant>; bias: BiasMinutes }[] = [];
  let before = biasAtStart;
  for (let from = start; from < end; from += WEEK_MS) {
    const to = Math.min(from + WEEK_MS, end);
    const after = clock(to);
    if (after === before) continue;
    const at = firstWith(clock, after, from, to);
    if (at < end) changes.push({ at: instant(at), bias: after });
    before = after;
  }
  return { biasAtStart, changes };
}

/** The first instant, to the second, at which the clock shows the later bias. */
function firstWith(clock: BiasClock, later: BiasMinutes, from: number, to: number): number {
  let low = from;
  let high = to;
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (clock(middle) === later) high = middle;
    else low = middle;
  }
  return high;
}
