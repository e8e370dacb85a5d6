/**
 * Decides what a SOAP 1.1 message is here: which header blocks count, that the body has
 * one element, and how answers are framed. What the body's element means is not known here.
 *
 * WS-Security is refused whatever it says: accepting it half would invite signature wrapping.
 */

import { RequestFault } from "../availability/request-fault.js";
import type { TimeZone } from "../availability/time-zone.js";
import { readTimeZoneDefinition } from "./time-zone-definition.js";
import { type XmlMessage, xmlMessage } from "./xml-bytes.js";
import { XmlCursor } from "./xml-cursor.js";
import { escaped } from "./xml-text.js";

export interface SoapRequest<Body> {
  /** As declared in RequestServerVersion; absent means Exchange 2007 (§1.1). */
  readonly serverVersion: string | undefined;
  /**
   * Those on whose behalf the caller says it asks (§1.1), by SMTP address in lower case; "" for one who is named in no
   * way that is read here, such as by a SID. Claimed, never trusted.
   */
  readonly onBehalfOf: readonly string[];
  readonly body: Body;
}

/** The headers EWS clients mark or could mark as essential, and that are either honoured or harmless here. */
const UNDERSTOOD = new Set([
  "t:RequestServerVersion",
  "t:TimeZoneContext",
  "t:ProxyRequestTypeHeader",
  "t:RequestTypeHeader",
  "t:MailboxCulture",
  "t:DateTimePrecision",
  "t:SerializedSecurityContext",
  "t:ExchangeImpersonation",
]);

/**
 * Reads an envelope. `readBody` is called once, with the cursor on the body's element and the zone of the
 * TimeZoneContext header, if there is one. Whatever follows is checked for form before the result is given.
 */
export function readSoapRequest<Body>(
  text: string,
  readBody: (xml: XmlCursor, zone: TimeZone | undefined) => Body,
): SoapRequest<Body> {
  const xml = new XmlCursor(text);
  if (xml.name() !== "s:Envelope") {
    throw malformed(
      xml.name() === "s12:Envelope"
        ? "a SOAP 1.2 envelope; send SOAP 1.1 (http://schemas.xmlsoap.org/soap/envelope/)"
        : `the root element is ${localName(xml)}; a SOAP 1.1 Envelope is expected`,
    );
  }
  let serverVersion: string | undefined;
  let zone: TimeZone | undefined;
  const onBehalfOf: string[] = [];
  let read: { body: Body } | undefined;
  let bodies = 0;
  while (xml.nextChild(1)) {
    if (xml.name() === "s:Header") {
      while (xml.nextChild(2)) {
        mustBeUnderstood(xml);
        if (xml.name() === "t:RequestServerVersion") serverVersion = xml.attribute("Version");
        else if (xml.name() === "t:TimeZoneContext") {
          while (xml.nextChild(3)) if (xml.name() === "t:TimeZoneDefinition") zone = readTimeZoneDefinition(xml);
        } else if (xml.name() === "t:SerializedSecurityContext") onBehalfOf.push(...named(addressesIn(xml, 3)));
        else if (xml.name() === "t:ExchangeImpersonation") {
          const addresses: string[] = [];
          while (xml.nextChild(3)) if (xml.name() === "t:ConnectingSID") addresses.push(...addressesIn(xml, 4));
          onBehalfOf.push(...named(addresses));
        }
      }
    } else if (xml.name() === "s:Body") {
      if (++bodies > 1) throw malformed("a second Body");
      while (xml.nextChild(2)) {
        if (read !== undefined) throw malformed("a second element in the Body");
        read = { body: readBody(xml, zone) };
      }
    }
  }
  xml.finish();
  if (read === undefined) throw malformed("the Body holds no request");
  return { serverVersion, onBehalfOf, body: read.body };
}

function addressesIn(xml: XmlCursor, depth: number): string[] {
  const found: string[] = [];
  while (xml.nextChild(depth)) {
    if (/^t:(PrimarySmtpAddress|SmtpAddress|PrincipalName)$/.test(xml.name()))
      found.push(xml.text().trim().toLowerCase());
  }
  return found;
}

/** A header that names somebody names at least one, readable or not. */
function named(addresses: readonly string[]): readonly string[] {
  return addresses.length === 0 ? [""] : addresses;
}

function mustBeUnderstood(xml: XmlCursor): void {
  const flag = xml.attribute("s:mustUnderstand");
  const essential = (flag === "1" || flag === "true") && !UNDERSTOOD.has(xml.name());
  if (essential || xml.name() === "wsse:Security") {
    throw new RequestFault("must-understand", `The SOAP header ${localName(xml)} is not understood here.`);
  }
}

export function malformed(what: string): RequestFault {
  return new RequestFault("malformed", `The request failed schema validation: ${what}.`);
}

export function localName(xml: XmlCursor): string {
  return xml.name().slice(xml.name().indexOf(":") + 1);
}

// ServerVersionInfo: clients need the four numbers (§1.2). The vocabulary is that of Exchange Server SE; the
// Version attribute never names a family newer than the one the caller speaks.
const NUMBERS = 'MajorVersion="15" MinorVersion="2" MajorBuildNumber="2562" MinorBuildNumber="17"';
const NAMESPACES =
  'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';

/** An answer, its body given in pieces. */
export function writeSoapResponse(body: readonly string[], serverVersion: string | undefined): XmlMessage {
  const header = `<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ${NAMESPACES}><s:Header><t:ServerVersionInfo ${NUMBERS}${versionAttribute(serverVersion)}></t:ServerVersionInfo></s:Header><s:Body>`;
  return xmlMessage([header, ...body, "</s:Body></s:Envelope>"]);
}

function versionAttribute(serverVersion: string | undefined): string {
  if (serverVersion === undefined || /^Exchange2007/.test(serverVersion)) return "";
  return ` Version="${/^Exchange2010(_SP[12])?$/.test(serverVersion) ? escaped(serverVersion) : "V2017_07_11"}"`;
}

/** Only callers from Exchange 2013 on know WorkingElsewhere; others fail on it (§3.3). */
export function knowsWorkingElsewhere(serverVersion: string | undefined): boolean {
  return serverVersion !== undefined && /^(Exchange201[2-9]|V20)/.test(serverVersion);
}
