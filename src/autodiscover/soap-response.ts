/**
 * Decides how SOAP Autodiscover is answered: in the order asked, one answer each, with the
 * settings that were asked for and nothing else.
 *
 * Settings that are not offered are left out, without a UserSettingError: exchangelib takes
 * any such error for the failure of the whole discovery, and asks for two that only a server
 * with mailboxes has. A setting that was not asked for breaks it too.
 */

import { parseDomain, parseMailboxAddress } from "../availability/mailbox-address.js";
import type { RequestFault } from "../availability/request-fault.js";
import type { PublishedUrls } from "./published-urls.js";
import { SUPPORTED_SCHEMAS, VERSION, VERSION_TEXT } from "./server-identity.js";
import type { SettingsQuestion, SoapOperation } from "./soap-request.js";
import { escaped } from "./written-text.js";

/** As many as EWS takes mailboxes in one question. */
export const MAXIMUM_SUBJECTS = 100;

export interface SettingsAnswer {
  readonly text: string;
  /** What the log says: given, or why not. */
  readonly result: "settings" | "not-found" | "invalid-request";
  /** The domains asked about that are well formed, each once. */
  readonly domains: readonly string[];
}

/** Answers with the EWS address for a caller of this origin. */
export function answerSettings(
  question: SettingsQuestion,
  urls: PublishedUrls,
  origin: string | undefined,
): SettingsAnswer {
  const { operation, subjects, settings } = question;
  const problem =
    subjects.length === 0
      ? "Nobody is asked about."
      : subjects.length > MAXIMUM_SUBJECTS
        ? `At most ${MAXIMUM_SUBJECTS} can be asked about at once.`
        : settings.length === 0
          ? "No settings are requested."
          : undefined;
  const [group, single] = operation === "GetUserSettings" ? ["UserResponses", "User"] : ["DomainResponses", "Domain"];
  if (problem !== undefined) {
    const body = `<ErrorCode>InvalidRequest</ErrorCode><ErrorMessage>${problem}</ErrorMessage><${group}></${group}>`;
    return { text: message(question, body), result: "invalid-request", domains: [] };
  }
  const wanted = new Set(settings);
  const url = urls.for(origin);
  const found = subjects.map((subject) => subjectOf(operation, subject));
  const entries = found.map(({ name, domain }) =>
    domain !== undefined && urls.coversDomain(domain)
      ? entry(single as "User" | "Domain", "NoError", "No error.", settingsOf(operation, name, url, wanted))
      : entry(
          single as "User" | "Domain",
          single === "User" ? "InvalidUser" : "InvalidDomain",
          single === "User" ? "The e-mail address cannot be found." : "The domain is not served here.",
          [],
        ),
  );
  const domains = [...new Set(found.flatMap(({ domain }) => domain ?? []))];
  return {
    text: message(
      question,
      `<ErrorCode>NoError</ErrorCode><ErrorMessage></ErrorMessage><${group}>${entries.join("")}</${group}>`,
    ),
    result: found.every(({ domain }) => domain !== undefined && urls.coversDomain(domain)) ? "settings" : "not-found",
    domains,
  };
}

function subjectOf(operation: SoapOperation, text: string): { name: string; domain: string | undefined } {
  if (operation === "GetDomainSettings") {
    const domain = parseDomain(text);
    return { name: domain ?? "", domain };
  }
  const mailbox = parseMailboxAddress(text);
  return { name: mailbox ?? "", domain: mailbox?.slice(mailbox.lastIndexOf("@") + 1) };
}

/** Name and value of the settings offered, of those that are wanted. */
function settingsOf(operation: SoapOperation, name: string, url: string, wanted: ReadonlySet<string>) {
  const offered: [string, string][] = [
    ["ExternalEwsUrl", url],
    ["ExternalEwsVersion", VERSION_TEXT],
  ];
  if (operation === "GetUserSettings") {
    offered.push(
      ["InternalEwsUrl", url],
      ["InteropExternalEwsUrl", url],
      ["InteropExternalEwsVersion", VERSION_TEXT],
      ["CasVersion", VERSION_TEXT],
      ["EwsSupportedSchemas", SUPPORTED_SCHEMAS],
      ["AutoDiscoverSMTPAddress", name],
      ["UserDisplayName", name],
    );
  }
  return offered.filter(([setting]) => wanted.has(setting));
}

/** One UserResponse or DomainResponse; its children are in alphabetical order, as the schema of the service wants. */
function entry(single: "User" | "Domain", code: string, text: string, settings: readonly [string, string][]): string {
  const type = single === "User" ? "StringSetting" : "DomainStringSetting";
  const written = settings
    .map(
      ([name, value]) =>
        `<${single}Setting i:type="${type}"><Name>${name}</Name><Value>${escaped(value)}</Value></${single}Setting>`,
    )
    .join("");
  const lists = `<${single}SettingErrors></${single}SettingErrors><${single}Settings>${written}</${single}Settings>`;
  const redirection = '<RedirectTarget i:nil="true"></RedirectTarget>';
  const rest = single === "User" ? `${redirection}${lists}` : `${lists}${redirection}`;
  return `<${single}Response><ErrorCode>${code}</ErrorCode><ErrorMessage>${text}</ErrorMessage>${rest}</${single}Response>`;
}

const SERVICE = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
const INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";

function message({ operation, messageId }: SettingsQuestion, response: string): string {
  return envelope(
    `${SERVICE}/Autodiscover/${operation}Response`,
    messageId,
    `<${operation}ResponseMessage xmlns="${SERVICE}"><Response xmlns:i="${INSTANCE}">${response}</Response></${operation}ResponseMessage>`,
  );
}

/** For a request that cannot be read or is for something else; goes with HTTP 500. */
export function writeAutodiscoverFault({ reason, message: text }: RequestFault): string {
  const code =
    reason === "must-understand"
      ? "<faultcode>s:MustUnderstand</faultcode>"
      : reason === "unknown-operation"
        ? "<faultcode>a:ActionNotSupported</faultcode>"
        : "<faultcode>s:Client</faultcode>";
  return writeFault(code, text);
}

/** For what must not happen: free of any detail. */
export function writeAutodiscoverInternalFault(): string {
  return writeFault("<faultcode>s:Server</faultcode>", "An internal server error occurred. The operation failed.");
}

function writeFault(code: string, text: string): string {
  return envelope(
    `${SERVICE}/Autodiscover/fault`,
    undefined,
    `<s:Fault>${code}<faultstring xml:lang="en-US">${escaped(text)}</faultstring></s:Fault>`,
  );
}

function envelope(action: string, relatesTo: string | undefined, body: string): string {
  const { major, minor, majorBuild, minorBuild } = VERSION;
  const version = `<h:ServerVersionInfo xmlns:h="${SERVICE}"><h:MajorVersion>${major}</h:MajorVersion><h:MinorVersion>${minor}</h:MinorVersion><h:MajorBuildNumber>${majorBuild}</h:MajorBuildNumber><h:MinorBuildNumber>${minorBuild}</h:MinorBuildNumber><h:Version>Exchange2016</h:Version></h:ServerVersionInfo>`;
  const relation = relatesTo === undefined ? "" : `<a:RelatesTo>${escaped(relatesTo)}</a:RelatesTo>`;
  return `<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action s:mustUnderstand="1">${action}</a:Action>${version}${relation}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}
