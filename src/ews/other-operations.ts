/**
 * Decides what is answered to EWS operations that are not GetUserAvailability: the two
 * that clients insist on before they ask it, as far as a server without mailboxes can,
 * and one clear fault for all others.
 */

import { RequestFault } from "../availability/request-fault.js";
import { localName, malformed } from "./soap-envelope.js";
import { writeTimeZoneDefinition } from "./time-zone-definition.js";
import { windowsTimeZone } from "./windows-time-zones.js";
import type { XmlCursor } from "./xml-cursor.js";
import { escaped } from "./xml-text.js";

const MOST_ZONES = 100;
/** How many years a written zone covers, this one in the middle. */
const YEARS_EACH_WAY = 5;

/** The response element for the operation the cursor stands on, or a {@link RequestFault}. `year` is the current one. */
export function answerOtherOperation(xml: XmlCursor, year: number): string {
  switch (xml.name()) {
    case "m:GetServerTimeZones":
      return answerTimeZones(xml, year);
    case "m:ConvertId":
      // No mailboxes, so no identifiers either. Clients ask only to see the version in the header.
      return responseMessages("ConvertId", [
        `<m:ConvertIdResponseMessage ResponseClass="Error"><m:MessageText>This gateway holds no mailboxes and no items.</m:MessageText><m:ResponseCode>ErrorInvalidOperation</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:ConvertIdResponseMessage>`,
      ]);
    default:
      if (!xml.name().startsWith("m:")) {
        throw malformed(
          `the Body holds ${localName(xml)}, which is not in the EWS messages namespace (http://schemas.microsoft.com/exchange/services/2006/messages)`,
        );
      }
      throw new RequestFault(
        "unknown-operation",
        `The operation ${localName(xml)} is not offered here. This gateway answers GetUserAvailability only.`,
      );
  }
}

function answerTimeZones(xml: XmlCursor, year: number): string {
  const full = xml.attribute("ReturnFullTimeZoneData") !== "false";
  const depth = xml.depth;
  const ids: string[] = [];
  while (xml.nextChild(depth)) {
    if (xml.name() !== "m:Ids") continue;
    while (xml.nextChild(depth + 1)) if (xml.name() === "t:Id") ids.push(xml.text().trim());
  }
  // Exchange leaves out what it does not know. Without ids it lists every zone; here that is none but UTC.
  const definitions = (ids.length === 0 ? ["UTC"] : ids.slice(0, MOST_ZONES)).map((id) => {
    const zone = windowsTimeZone(id);
    if (zone === undefined) return "";
    if (!full) return `<t:TimeZoneDefinition Id="${escaped(id)}" Name="${escaped(id)}"></t:TimeZoneDefinition>`;
    return writeTimeZoneDefinition(id, zone, year - YEARS_EACH_WAY, year + YEARS_EACH_WAY);
  });
  return responseMessages("GetServerTimeZones", [
    `<m:GetServerTimeZonesResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:TimeZoneDefinitions>${definitions.join("")}</m:TimeZoneDefinitions></m:GetServerTimeZonesResponseMessage>`,
  ]);
}

function responseMessages(operation: string, messages: readonly string[]): string {
  return `<m:${operation}Response><m:ResponseMessages>${messages.join("")}</m:ResponseMessages></m:${operation}Response>`;
}
