import { describe, expect, it } from "vitest";
import { parseStringPromise } from "xml2js";
import { child, type Node, text } from "../../simulators/request-reader.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { type CanonicalQuestion, writeAvailabilityRequest } from "../../src/ews/get-user-availability-request.js";
import { canValidate, validate } from "../support/shared.js";

const TYPES = "http://schemas.microsoft.com/exchange/services/2006/types";
const MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages";
const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const address = (written: string) => parseMailboxAddress(written) as MailboxAddress;
const question: CanonicalQuestion = {
  mailboxes: [address("bob@corp.example")],
  window: { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) },
  detail: "times",
  intervalMinutes: 15,
  serverVersion: "Exchange2010_SP2",
};

async function headersOf(envelope: string): Promise<Node[]> {
  const root = (await parseStringPromise(envelope, {
    xmlns: true,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitRoot: false,
  })) as Node;
  return child(root, SOAP, "Header")?.$$ ?? [];
}

describe("a question in the name of a mailbox", () => {
  it("names it by its SMTP address in a header after the version, and nowhere else", async () => {
    const envelope = writeAvailabilityRequest({ ...question, impersonate: address("o'brien&co@corp.example") });
    const headers = await headersOf(envelope);
    expect(headers.map(({ $ns }) => $ns)).toMatchObject([
      { uri: TYPES, local: "RequestServerVersion" },
      { uri: TYPES, local: "ExchangeImpersonation" },
    ]);
    const sid = child(headers[1] as Node, TYPES, "ConnectingSID");
    expect(sid?.$$).toHaveLength(1);
    expect(text(child(sid as Node, TYPES, "SmtpAddress"))).toBe("o'brien&co@corp.example");
    const body = (xml: string) => xml.slice(xml.indexOf("<s:Body>"));
    expect(body(envelope)).toBe(body(writeAvailabilityRequest(question)));
  });

  it("has no such header when it is asked in the account's own name", () => {
    const plain = writeAvailabilityRequest(question);
    expect(writeAvailabilityRequest({ ...question, impersonate: undefined })).toBe(plain);
    expect(plain).not.toContain("Impersonation");
  });

  it.skipIf(!canValidate)("is what the schema wants, header and body", () => {
    const envelope = writeAvailabilityRequest({ ...question, impersonate: address("svc@corp.example") });
    validate(envelope);
    const [header = ""] = /<t:ExchangeImpersonation>.*<\/t:ExchangeImpersonation>/.exec(envelope) ?? [];
    // The schema's first element may be any global one, of the header too.
    const framed = (part: string) =>
      `<s:Envelope xmlns:s="${SOAP}" xmlns:t="${TYPES}" xmlns:m="${MESSAGES}"><s:Body>${part}</s:Body></s:Envelope>`;
    validate(framed(header));
    expect(() => validate(framed(header.replaceAll("SmtpAddress", "Address")))).toThrow();
  });
});
