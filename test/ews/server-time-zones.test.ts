import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RequestFault } from "../../src/availability/request-fault.js";
import { instant } from "../../src/availability/time-window.js";
import type { TimeZone } from "../../src/availability/time-zone.js";
import { answerOtherOperation } from "../../src/ews/other-operations.js";
import { readSoapRequest } from "../../src/ews/soap-envelope.js";
import { readTimeZoneDefinition } from "../../src/ews/time-zone-definition.js";
import { WINDOWS_ZONE_NAMES, windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { writeTimeZoneDefinition } from "../../src/ews/written-time-zone.js";
import { XmlCursor } from "../../src/ews/xml-cursor.js";
import { read, validate } from "../support/shared.js";

const NAMESPACES =
  'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const envelope = (body: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ${NAMESPACES}><s:Body>${body}</s:Body></s:Envelope>`;
const answer = async (body: string, year = 2026) =>
  envelope(await readSoapRequest(envelope(body), (xml) => answerOtherOperation(xml, year)).body);
const zones = async (body: string) => {
  const text = await answer(body);
  validate(text);
  const { TimeZoneDefinitions } = (await read(text)).GetServerTimeZonesResponse.ResponseMessages
    .GetServerTimeZonesResponseMessage;
  const definitions = TimeZoneDefinitions === "" ? [] : TimeZoneDefinitions.TimeZoneDefinition;
  return [definitions].flat() as { $: { Id: string; Name: string }; Periods?: object }[];
};

describe("a zone that is written and read again", () => {
  it.each(WINDOWS_ZONE_NAMES)("%s shows the same wall clock around every change in eleven years", (id) => {
    const zone = windowsTimeZone(id) as TimeZone;
    const written = writeTimeZoneDefinition(id, zone, 2021, 2031).replace(">", ` ${NAMESPACES}>`);
    const again = readTimeZoneDefinition(new XmlCursor(written));
    for (let year = 2021; year <= 2031; year++) {
      const moments = [Date.UTC(year, 0, 2), ...zone.yearOf(year).changes.flatMap(({ at }) => [at - 1000, at])];
      for (const moment of moments)
        expect([moment, again.biasAt(instant(moment))]).toEqual([moment, zone.biasAt(instant(moment))]);
    }
  });

  it("says a rule that never changes once, however many years it covers", () => {
    const written = writeTimeZoneDefinition("Berlin", windowsTimeZone("Europe/Berlin") as TimeZone, 2021, 2031);
    expect(written.match(/<t:TransitionsGroup /g)).toHaveLength(1);
    expect(written).not.toContain("AbsoluteDateTransition");
  });

  it("numbers its groups so that they come in the order of the years, sorted as text, too", () => {
    const written = writeTimeZoneDefinition("x", windowsTimeZone("Morocco Standard Time") as TimeZone, 2010, 2026);
    const eras = [...written.matchAll(/<t:To Kind="Group">(\d+)</g)].map(([, group]) => group);
    expect(eras.length).toBeGreaterThan(10);
    expect(eras).toEqual([...new Set(eras)].sort());
  });
});

describe("GetServerTimeZones", () => {
  it("without ids lists every Windows zone, with all its changes", async () => {
    const all = await zones("<m:GetServerTimeZones/>");
    expect(all.map(({ $ }) => $.Id)).toEqual(WINDOWS_ZONE_NAMES);
    expect(all.every(({ Periods }) => Periods !== undefined)).toBe(true);
  });

  it("names them by offset and id when no full data is wanted, and nothing more", async () => {
    const all = await zones('<m:GetServerTimeZones ReturnFullTimeZoneData="false"/>');
    expect(all).toHaveLength(WINDOWS_ZONE_NAMES.length);
    expect(all.find(({ $ }) => $.Id === "Newfoundland Standard Time")).toEqual({
      $: { Id: "Newfoundland Standard Time", Name: "(UTC-03:30) Newfoundland Standard Time" },
    });
  });

  it("with ids gives those in the order asked, and leaves out what no zone is called", async () => {
    const ids = ["UTC", "Atlantis Standard Time", "Pacific Standard Time", "UTC"];
    const named = await zones(
      `<m:GetServerTimeZones><m:Ids>${ids.map((id) => `<t:Id>${id}</t:Id>`).join("")}</m:Ids></m:GetServerTimeZones>`,
    );
    expect(named.map(({ $ }) => $.Id)).toEqual(["UTC", "Pacific Standard Time", "UTC"]);
  });

  it.each([
    ["all zones", ""],
    ["two hundred zones by id", `<m:Ids>${"<t:Id>Europe/Berlin</t:Id>".repeat(200)}</m:Ids>`],
  ])("lets others be answered while it works out %s", async (_, ids) => {
    let finished = false;
    const working = answer(`<m:GetServerTimeZones>${ids}</m:GetServerTimeZones>`).then(() => {
      finished = true;
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(finished).toBe(false);
    await working;
  });

  it("gives the years around the one it is asked in, also when it was asked in another before", async () => {
    const body = "<m:GetServerTimeZones><m:Ids><t:Id>Morocco Standard Time</t:Id></m:Ids></m:GetServerTimeZones>";
    // Years that are over: what is to come changes with the time zone data.
    expect(await answer(body, 2019)).toContain("<t:DateTime>2024-01-01");
    expect(await answer(body, 2020)).toContain("<t:DateTime>2025-01-01");
  });

  it("refuses more ids than there are zones to name", async () => {
    const ids = "<t:Id>UTC</t:Id>".repeat(201);
    await expect(answer(`<m:GetServerTimeZones><m:Ids>${ids}</m:Ids></m:GetServerTimeZones>`)).rejects.toThrow(
      RequestFault,
    );
  });
});

describe("operations about mailboxes, of which there are none here", () => {
  it.each([
    ["ConvertId", "SourceIds", '<t:AlternateId Format="EwsId" Id="AAA=" Mailbox="a@b.example"/>'],
    ["GetFolder", "FolderIds", '<t:DistinguishedFolderId Id="root"/>'],
  ])("%s has an error for every id, in as many messages", async (operation, list, id) => {
    for (const count of [1, 3]) {
      const text = await answer(`<m:${operation}><m:${list}>${id.repeat(count)}</m:${list}></m:${operation}>`);
      validate(text);
      expect(text.match(/ResponseClass="Error"/g)).toHaveLength(count);
      expect(text).not.toMatch(/ResponseClass="Success"|<t:\w*Folder/);
    }
  });

  it("an answer is not made much longer than its question", async () => {
    const ids = '<t:FolderId Id=""/>'.repeat(201);
    await expect(answer(`<m:GetFolder><m:FolderIds>${ids}</m:FolderIds></m:GetFolder>`)).rejects.toThrow(RequestFault);
  });
});
