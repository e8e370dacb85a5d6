/**
 * Decides what GetServerTimeZones is answered: the zones asked for by id, or every Windows
 * zone there is, with all their changes or by name alone (messages.xsd; §9, exchangelib).
 *
 * A zone's changes come from `Intl`, which is slow to ask: working out all of them takes a
 * few tenths of a second the first time. So a list of zones is made a few at a time, and
 * others are answered in between; what was written is kept until the year is over.
 */

import { setImmediate } from "node:timers/promises";
import { RequestFault } from "../availability/request-fault.js";
import { WINDOWS_ZONE_NAMES, windowsTimeZone } from "./windows-time-zones.js";
import { writeTimeZoneDefinition, writeTimeZoneName } from "./written-time-zone.js";
import type { XmlCursor } from "./xml-cursor.js";

const MOST_IDS = 200;
/** How many years a written zone covers, this one in the middle. */
const YEARS_EACH_WAY = 5;
const ZONES_AT_A_TIME = 2;

const written = new Map<string, { readonly year: number; readonly text: string }>();

/** Reads the element the cursor stands on and answers it; the promise never rejects. */
export function answerServerTimeZones(xml: XmlCursor, year: number): Promise<string> {
  const full = !/^(false|0)$/.test(xml.attribute("ReturnFullTimeZoneData")?.trim() ?? "");
  const depth = xml.depth;
  const ids: string[] = [];
  while (xml.nextChild(depth)) {
    if (xml.name() !== "m:Ids") continue;
    while (xml.nextChild(depth + 1)) if (xml.name() === "t:Id") ids.push(xml.text().trim());
  }
  if (ids.length > MOST_IDS) {
    throw new RequestFault("malformed", `The request failed schema validation: more than ${MOST_IDS} time zone ids.`);
  }
  return zones(ids.length > 0 ? ids : WINDOWS_ZONE_NAMES, full, year);
}

async function zones(ids: readonly string[], full: boolean, year: number): Promise<string> {
  let definitions = "";
  for (let i = 0; i < ids.length; i += ZONES_AT_A_TIME) {
    for (const id of ids.slice(i, i + ZONES_AT_A_TIME)) definitions += definition(id, full, year);
    await setImmediate();
  }
  return response(definitions);
}

function definition(id: string, full: boolean, year: number): string {
  const kept = full ? written.get(id) : undefined;
  if (kept?.year === year) return kept.text;
  const zone = windowsTimeZone(id);
  // Exchange leaves out what it does not know.
  if (zone === undefined) return "";
  if (!full) return writeTimeZoneName(id, zone, year);
  const text = writeTimeZoneDefinition(id, zone, year - YEARS_EACH_WAY, year + YEARS_EACH_WAY);
  // Under the names of the list only: strangers' spellings would make it grow.
  if (KEPT.has(id)) written.set(id, { year, text });
  return text;
}

const KEPT = new Set(WINDOWS_ZONE_NAMES);

function response(definitions: string): string {
  return `<m:GetServerTimeZonesResponse><m:ResponseMessages><m:GetServerTimeZonesResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:TimeZoneDefinitions>${definitions}</m:TimeZoneDefinitions></m:GetServerTimeZonesResponseMessage></m:ResponseMessages></m:GetServerTimeZonesResponse>`;
}
