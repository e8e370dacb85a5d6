/**
 * Decides what plain-old-XML Autodiscover means here: one mailbox in, one EWS address out,
 * or one of Exchange's errors. This is what `Add-AvailabilityAddressSpace` asks.
 *
 * Never a redirection: callers differ in whether they follow one, and one that is followed
 * carries a password to wherever it points. Line ends matter: DavMail looks for EwsUrl on a
 * line of its own.
 *
 * Shapes: [MS-OXDSCLI]; the pages "POX Autodiscover request/response for Exchange", "Error (POX)".
 */

import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import { childrenNamed, readRequestTree } from "./request-tree.js";
import { VERSION_HEX } from "./server-identity.js";
import { escaped } from "./written-text.js";

const REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
const SETTINGS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";

/** `not-found` also stands for what is no address, and for a legacyExchangeDN: no system's names are resolved here. */
export type PoxRefusal = "invalid-request" | "schema-not-offered" | "not-found";

export type PoxQuestion =
  | { readonly kind: "mailbox"; readonly mailbox: MailboxAddress }
  | { readonly kind: "refused"; readonly refusal: PoxRefusal };

/** What is asked; a `RequestFault` when the bytes are no XML that is read here. */
export function readPoxQuestion(bytes: Buffer): PoxQuestion {
  const root = readRequestTree(bytes);
  const [request, ...more] = childrenNamed(root, REQUEST, "Request");
  if (root.namespace !== REQUEST || root.name !== "Autodiscover" || request === undefined || more.length > 0) {
    return refused("invalid-request");
  }
  const schemas = childrenNamed(request, REQUEST, "AcceptableResponseSchema");
  if (schemas.length > 0 && schemas.every(({ text }) => text !== SETTINGS)) return refused("schema-not-offered");
  const addresses = childrenNamed(request, REQUEST, "EMailAddress");
  const legacyNames = childrenNamed(request, REQUEST, "LegacyDN");
  // Two addresses are two questions, and an answer could be taken for either's.
  if (addresses.length > 1 || addresses.length + legacyNames.length === 0) return refused("invalid-request");
  const mailbox = addresses[0] === undefined ? undefined : parseMailboxAddress(addresses[0].text);
  return mailbox === undefined ? refused("not-found") : { kind: "mailbox", mailbox };
}

const refused = (refusal: PoxRefusal): PoxQuestion => ({ kind: "refused", refusal });

/** The EWS address for that mailbox, the same for callers inside (EXCH) and outside (EXPR). */
export function writePoxSettings(mailbox: MailboxAddress, url: string): string {
  const address = escaped(mailbox);
  const protocol = (type: string) => `      <Protocol>
        <Type>${type}</Type>
        <Server>${escaped(new URL(url).hostname)}</Server>
        <ServerVersion>${VERSION_HEX}</ServerVersion>
        <ASUrl>${escaped(url)}</ASUrl>
        <EwsUrl>${escaped(url)}</EwsUrl>
      </Protocol>`;
  return `${DECLARATION}
<Autodiscover xmlns="${RESPONSE}">
  <Response xmlns="${SETTINGS}">
    <User>
      <DisplayName>${address}</DisplayName>
      <AutoDiscoverSMTPAddress>${address}</AutoDiscoverSMTPAddress>
    </User>
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
${protocol("EXCH")}
${protocol("EXPR")}
    </Account>
  </Response>
</Autodiscover>
`;
}

/** Exchange's words: exchangelib tells an unknown mailbox by the sentence, not by the code. */
const ERRORS: Readonly<Record<PoxRefusal, readonly [code: number, message: string]>> = {
  "invalid-request": [600, "Invalid Request"],
  "schema-not-offered": [601, "Provider is not available"],
  "not-found": [500, "The e-mail address cannot be found."],
};

/** `time` is now; `requestId` ties the answer to the log. Id is a number, as Exchange writes one for each of its servers. */
export function writePoxError(refusal: PoxRefusal, time: Date, requestId: string): string {
  const [code, message] = ERRORS[refusal];
  return `${DECLARATION}
<Autodiscover xmlns="${RESPONSE}">
  <Response>
    <Error Time="${time.toISOString().slice(11, 23)}" Id="1">
      <ErrorCode>${code}</ErrorCode>
      <Message>${message}</Message>
      <DebugData>request-id ${escaped(requestId)}</DebugData>
    </Error>
  </Response>
</Autodiscover>
`;
}

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';
