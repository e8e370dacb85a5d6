/**
 * Decides how a request-level fault looks in EWS: code, text, frame (§4.3), in both
 * directions. Faults are sent with HTTP 500 and are recognised with any status.
 */

import type { RequestFault, RequestFaultReason } from "../availability/request-fault.js";
import { writeSoapResponse } from "./soap-envelope.js";
import type { XmlMessage } from "./xml-bytes.js";
import type { XmlCursor } from "./xml-cursor.js";
import { escaped } from "./xml-text.js";

const CODE: Readonly<Record<RequestFaultReason, string>> = {
  malformed: "ErrorSchemaValidation",
  "unknown-operation": "ErrorInvalidOperation",
  "must-understand": "ErrorInvalidRequest",
  "no-mailboxes": "ErrorMailboxDataArrayEmpty",
  "too-many-mailboxes": "ErrorMailboxDataArrayTooBig",
  "invalid-window": "ErrorInvalidTimeInterval",
  "window-too-long": "ErrorTimeIntervalTooBig",
  "invalid-interval": "ErrorInvalidMergedFreeBusyInterval",
  "invalid-view": "ErrorInvalidFreeBusyViewType",
  "invalid-zone": "ErrorTimeZone",
};

const TYPES = "http://schemas.microsoft.com/exchange/services/2006/types";
const ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors";

export function writeRequestFault(fault: RequestFault): XmlMessage {
  const { position } = fault;
  const xml =
    position === undefined
      ? ""
      : `<t:MessageXml xmlns:t="${TYPES}"><t:LineNumber>${position.line}</t:LineNumber><t:LinePosition>${position.column}</t:LinePosition><t:Violation>${escaped(fault.message)}</t:Violation></t:MessageXml>`;
  // SOAP 1.1 gives MustUnderstand a faultcode of its own; everything else is EWS's.
  const faultCode =
    fault.reason === "must-understand"
      ? "<faultcode>s:MustUnderstand</faultcode>"
      : `<faultcode xmlns:a="${TYPES}">a:${CODE[fault.reason]}</faultcode>`;
  return writeFault(faultCode, CODE[fault.reason], fault.message, xml);
}

/** For what must not happen: free of any detail, because it goes to strangers. */
export function writeInternalFault(): XmlMessage {
  const code = "ErrorInternalServerError";
  return writeFault(
    `<faultcode xmlns:a="${TYPES}">a:${code}</faultcode>`,
    code,
    "An internal server error occurred. The operation failed.",
    "",
  );
}

function writeFault(faultCode: string, code: string, message: string, messageXml: string): XmlMessage {
  const text = escaped(message);
  return writeSoapResponse(
    [
      `<s:Fault>${faultCode}<faultstring xml:lang="en-US">${text}</faultstring><detail><e:ResponseCode xmlns:e="${ERRORS}">${code}</e:ResponseCode><e:Message xmlns:e="${ERRORS}">${text}</e:Message>${messageXml}</detail></s:Fault>`,
    ],
    undefined,
  );
}

export interface SoapFault {
  /** The EWS response code, or the local part of the faultcode where there is no detail. */
  readonly code: string;
  readonly message: string;
  readonly backOffMs: number | undefined;
}

/** Reads the `Fault` the cursor stands on: EWS's own, and the bare ones of other servers. */
export function readSoapFault(xml: XmlCursor): SoapFault {
  const depth = xml.depth;
  let faultCode = "";
  let message = "";
  let code: string | undefined;
  let backOffMs: number | undefined;
  while (xml.nextChild(depth)) {
    if (xml.name().endsWith(":faultcode")) faultCode = xml.text().trim();
    else if (xml.name().endsWith(":faultstring")) message = xml.text().trim();
    else if (xml.name().endsWith(":detail")) {
      while (xml.nextChild(depth + 1)) {
        if (xml.name() === "e:ResponseCode") code = xml.text().trim();
        else if (xml.name() === "t:MessageXml" || xml.name() === "e:MessageXml") {
          backOffMs = readBackOff(xml);
        }
      }
    }
  }
  return { code: code ?? faultCode.slice(faultCode.indexOf(":") + 1), message, backOffMs };
}

/** BackOffMilliseconds in the `MessageXml` the cursor stands on, where it is named. */
export function readBackOff(xml: XmlCursor): number | undefined {
  const depth = xml.depth;
  let found: number | undefined;
  while (xml.nextChild(depth)) {
    if (!xml.name().endsWith(":Value") || xml.attribute("Name") !== "BackOffMilliseconds") continue;
    const value = Number(xml.text().trim());
    if (value >= 0) found = value;
  }
  return found;
}
