/**
 * Decides how a simulated system reads what it is sent: with xml2js, by namespace. Its own
 * reader on purpose, so that a mistake in the product's codec is not shared.
 */

import { parseStringPromise } from "xml2js";

export interface Node {
  $ns?: { local: string; uri: string };
  $?: Record<string, { value: string }>;
  _?: string;
  $$?: Node[];
}

export interface ReadRequest {
  operation: string;
  version: string | undefined;
  mailboxes: string[];
  zone: Node | undefined;
  start: string;
  end: string;
  interval: number;
  view: string;
  hasOptions: boolean;
}

const MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES = "http://schemas.microsoft.com/exchange/services/2006/types";
const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";

export async function readRequest(xml: string): Promise<ReadRequest> {
  if (xml.includes("<!DOCTYPE")) throw new Error("DTD is prohibited");
  const root = (await parseStringPromise(xml, {
    xmlns: true,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitRoot: false,
  })) as Node;
  if (root.$ns?.uri !== SOAP) throw new Error("no SOAP envelope");
  const body = child(root, SOAP, "Body");
  const request = body?.$$?.[0];
  if (request?.$ns?.uri !== MESSAGES) throw new Error("the Body holds no EWS request");
  const options = child(request, TYPES, "FreeBusyViewOptions");
  const window = options && child(options, TYPES, "TimeWindow");
  const header = child(root, SOAP, "Header");
  return {
    operation: request.$ns.local,
    version: (header && child(header, TYPES, "RequestServerVersion"))?.$?.Version?.value,
    mailboxes: (child(request, MESSAGES, "MailboxDataArray")?.$$ ?? []).map((data) => {
      const email = child(data, TYPES, "Email");
      return text(email && child(email, TYPES, "Address"));
    }),
    zone: child(request, TYPES, "TimeZone"),
    start: text(window && child(window, TYPES, "StartTime")),
    end: text(window && child(window, TYPES, "EndTime")),
    interval: Number(text(options && child(options, TYPES, "MergedFreeBusyIntervalInMinutes")) || 30),
    view: text(options && child(options, TYPES, "RequestedView")) || "FreeBusy",
    hasOptions: options !== undefined,
  };
}

export function child(node: Node, uri: string, local: string): Node | undefined {
  return node.$$?.find((one) => one.$ns?.uri === uri && one.$ns.local === local);
}

export function text(node: Node | undefined): string {
  return (node?._ ?? "").trim();
}

/** Minutes of the zone's bias when its clocks do not change; undefined when they do (then times must carry an offset). */
export function fixedBias(zone: Node): number | undefined {
  const number = (node: Node | undefined, name: string) => Number(text(node && child(node, TYPES, name)));
  const standard = child(zone, TYPES, "StandardTime");
  const daylight = child(zone, TYPES, "DaylightTime");
  const still = number(standard, "Month") === 0 || number(daylight, "Month") === 0;
  if (!still && number(standard, "Bias") !== number(daylight, "Bias")) return undefined;
  return number(zone, "Bias") + number(standard, "Bias");
}
