/**
 * Decides what a TimeZoneDefinition means: an id alone, or periods, groups of yearly
 * transitions, and the instants at which one group takes over from another (types.xsd,
 * TimeZoneDefinitionType; §1.1). How one is written: written-time-zone.ts.
 */

import { RequestFault } from "../availability/request-fault.js";
import { type InstantMs, instant, MINUTE_MS } from "../availability/time-window.js";
import {
  type BiasMinutes,
  bias,
  indexAfter,
  TimeZone,
  UTC_ZONE,
  utcDate,
  type YearlyChange,
  yearFromChanges,
  type ZoneYear,
} from "../availability/time-zone.js";
import { parseDateTime } from "./date-time.js";
import { windowsTimeZone } from "./windows-time-zones.js";
import type { XmlCursor } from "./xml-cursor.js";
import { integer, WEEKDAYS } from "./zone-rules-xml.js";

/** In all of a definition. Zones as .NET describes them, two centuries change by change, have up to 900. */
const MOST_TRANSITIONS = 2000;

/** What is in force from `from` on. */
interface Era {
  readonly from: InstantMs;
  readonly zone: TimeZone;
}

/** A group as written: where each of its transitions leads is a period's id, resolved once all periods are known. */
interface Transition {
  readonly to: string;
  readonly kind: string;
  readonly month?: number;
  readonly day?: YearlyChange["day"];
  readonly timeOfDayMs: number;
  readonly at?: InstantMs | undefined;
}

/** Reads the `TimeZoneDefinition` the cursor stands on. Throws "invalid-zone". */
export function readTimeZoneDefinition(xml: XmlCursor): TimeZone {
  const id = xml.attribute("Id");
  const depth = xml.depth;
  const periods = new Map<string, BiasMinutes>();
  const groups = new Map<string, Transition[]>();
  let eras: Transition[] = [];
  let count = 0;
  const read = () => {
    const transitions = readTransitions(xml);
    count += transitions.length;
    if (count > MOST_TRANSITIONS) {
      throw new RequestFault(
        "invalid-zone",
        `The specified time zone isn't valid: its definition has more than ${MOST_TRANSITIONS} transitions.`,
      );
    }
    return transitions;
  };
  while (xml.nextChild(depth)) {
    const inner = xml.depth;
    if (xml.name() === "t:Periods") {
      while (xml.nextChild(inner)) {
        const period = xml.attribute("Id");
        if (period !== undefined) periods.set(period, durationMinutes(xml.attribute("Bias") ?? ""));
      }
    } else if (xml.name() === "t:TransitionsGroups") {
      while (xml.nextChild(inner)) groups.set(xml.attribute("Id") ?? "", read());
    } else if (xml.name() === "t:Transitions") eras = read();
  }
  if (eras.length > 0 && periods.size > 0) return zoneOfEras(erasOf(eras, groups, periods));
  const zone = id === undefined ? undefined : windowsTimeZone(id);
  if (zone === undefined) {
    const named =
      id === undefined
        ? "TimeZoneDefinition has neither an Id nor transitions"
        : `'${id}' is not a known Windows time zone`;
    throw new RequestFault(
      "invalid-zone",
      `The specified time zone isn't valid: ${named}. Send a TimeZone element or a full definition.`,
    );
  }
  return zone;
}

function readTransitions(xml: XmlCursor): Transition[] {
  const depth = xml.depth;
  const transitions: Transition[] = [];
  while (xml.nextChild(depth)) {
    const inner = xml.depth;
    let to = "";
    let kind = "";
    let month: number | undefined;
    let order: number | undefined;
    let weekday: number | undefined;
    let date: number | undefined;
    let timeOfDayMs = 0;
    let at: InstantMs | undefined;
    while (xml.nextChild(inner)) {
      switch (xml.name()) {
        case "t:To":
          kind = xml.attribute("Kind") ?? "";
          to = xml.text().trim();
          break;
        case "t:TimeOffset":
          timeOfDayMs = durationMinutes(xml.text()) * MINUTE_MS;
          break;
        case "t:Month":
          month = integer(xml.text(), "Month", 1, 12);
          break;
        case "t:DayOfWeek":
          weekday = WEEKDAYS.indexOf(xml.text().trim() as (typeof WEEKDAYS)[number]);
          break;
        case "t:Occurrence":
          order = integer(xml.text(), "Occurrence", -1, 5);
          break;
        case "t:Day":
          date = integer(xml.text(), "Day", 1, 31);
          break;
        case "t:DateTime":
          at = parseDateTime(xml.text(), UTC_ZONE);
          break;
      }
    }
    const day =
      date !== undefined
        ? { date }
        : order !== undefined && weekday !== undefined && weekday >= 0
          ? { order: order < 1 ? 5 : order, weekday }
          : undefined;
    transitions.push({ to, kind, timeOfDayMs, at, ...(month !== undefined && { month }), ...(day && { day }) });
  }
  return transitions;
}

function erasOf(
  written: readonly Transition[],
  groups: ReadonlyMap<string, readonly Transition[]>,
  periods: ReadonlyMap<string, BiasMinutes>,
): Era[] {
  const periodBias = (id: string): BiasMinutes => periods.get(id) ?? unknown(`period '${id}'`);
  // However many eras name a group, it is one zone.
  const zones = new Map<string, TimeZone>();
  const zoneOfGroup = (id: string): TimeZone => {
    let zone = zones.get(id);
    if (zone === undefined) {
      zone = groupZone(id, groups.get(id) ?? unknown(`group '${id}'`), periodBias);
      zones.set(id, zone);
    }
    return zone;
  };
  return written.map(({ at, kind, to }) => ({
    from: at ?? instant(Number.NEGATIVE_INFINITY),
    zone: kind === "Period" ? yearlyZone([], periodBias(to)) : zoneOfGroup(to),
  }));
}

function groupZone(id: string, group: readonly Transition[], periodBias: (id: string) => BiasMinutes): TimeZone {
  const changes = group.flatMap(({ to, month, day, timeOfDayMs }): YearlyChange[] =>
    month === undefined || day === undefined ? [] : [{ month, day, timeOfDayMs, biasAfter: periodBias(to) }],
  );
  const always = group.find((transition) => transition.month === undefined);
  const otherwise = always === undefined ? changes[0]?.biasAfter : periodBias(always.to);
  return yearlyZone(changes, otherwise ?? unknown(`group '${id}' without transitions`));
}

function yearlyZone(changes: readonly YearlyChange[], otherwise: BiasMinutes): TimeZone {
  return new TimeZone((year) => yearFromChanges(changes, otherwise, year));
}

function unknown(what: string): never {
  throw new RequestFault(
    "invalid-zone",
    `The specified time zone isn't valid: its definition names ${what}, which is not there.`,
  );
}

function zoneOfEras(unsorted: readonly Era[]): TimeZone {
  const eras = [...unsorted].sort((a, b) => a.from - b.from);
  return new TimeZone((year): ZoneYear => {
    const start = instant(utcDate(year, 0, 1));
    const end = utcDate(year + 1, 0, 1);
    const first = Math.max(
      0,
      eras.findLastIndex((era) => era.from <= start),
    );
    const changes: { at: InstantMs; bias: BiasMinutes }[] = [];
    eras.forEach(({ from, zone }, i) => {
      const until = eras[i + 1]?.from ?? Number.POSITIVE_INFINITY;
      if (i < first || from >= end) return;
      if (i > first) changes.push({ at: from, bias: zone.biasAt(from) });
      const own = zone.yearOf(year).changes;
      changes.push(...own.slice(indexAfter(own, from), indexAfter(own, instant(until - 1))));
    });
    return { biasAtStart: (eras[first] as Era).zone.biasAt(start), changes };
  });
}

/** Minutes of an xs:duration without years and months: "PT8H", "P0DT8H0M0.0S", "-PT1H". */
function durationMinutes(text: string): BiasMinutes {
  const match = /^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$/.exec(text.trim());
  if (match === null) {
    throw new RequestFault(
      "invalid-zone",
      "The specified time zone isn't valid: a Bias or TimeOffset is not a duration such as PT8H.",
    );
  }
  const [, sign, days, hours, minutes, seconds] = match;
  const total =
    Number(days ?? 0) * 1440 + Number(hours ?? 0) * 60 + Number(minutes ?? 0) + Math.floor(Number(seconds ?? 0) / 60);
  if (total > 2880)
    throw new RequestFault("invalid-zone", "The specified time zone isn't valid: a Bias beyond two days.");
  return bias(sign === "-" ? -total : total);
}
