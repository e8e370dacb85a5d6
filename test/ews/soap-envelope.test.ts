import { describe, expect, it } from "vitest";
import { readSoapRequest } from "../../src/ews/soap-envelope.js";

const ENVELOPE =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
const onBehalfOf = (headers: string) =>
  readSoapRequest(
    `<s:Envelope ${ENVELOPE}><s:Header>${headers}</s:Header><s:Body><t:Question/></s:Body></s:Envelope>`,
    (xml) => xml.name(),
  ).onBehalfOf;
const context = (inside: string) => `<t:SerializedSecurityContext>${inside}</t:SerializedSecurityContext>`;
const impersonating = (inside: string) =>
  `<t:ExchangeImpersonation><t:ConnectingSID>${inside}</t:ConnectingSID></t:ExchangeImpersonation>`;

const SID = "S-1-5-21-1-2-3-1105";
const GROUPS =
  '<t:GroupSids><t:GroupIdentifier t:Attributes="7"><t:SecurityIdentifier>S-1-5-32-545</t:SecurityIdentifier></t:GroupIdentifier></t:GroupSids>';

describe("whoever an EWS question is asked for", () => {
  it.each([
    ["nobody without a header that says so", "", []],
    [
      "nobody where another forest's service asks for all of its people",
      "<t:ProxyRequestTypeHeader>CrossForest</t:ProxyRequestTypeHeader>",
      [],
    ],
    [
      "the person whose address comes with another forest's security context",
      context(`<t:UserSid>${SID}</t:UserSid>${GROUPS}<t:PrimarySmtpAddress> Bob@Corp.example </t:PrimarySmtpAddress>`),
      ["bob@corp.example"],
    ],
    [
      "the person who is impersonated",
      impersonating("<t:SmtpAddress>Bob@corp.example</t:SmtpAddress>"),
      ["bob@corp.example"],
    ],
    [
      "the same person, where older clients give more than one name",
      impersonating(`<t:SID>${SID}</t:SID><t:PrimarySmtpAddress>bob@corp.example</t:PrimarySmtpAddress>`),
      ["bob@corp.example"],
    ],
    [
      "somebody unknown by a principal's name",
      impersonating("<t:PrincipalName>CORP\\bob</t:PrincipalName>"),
      ["corp\\bob"],
    ],
    ["somebody unknown by a SID", impersonating(`<t:SID>${SID}</t:SID>`), [""]],
    ["somebody unknown by an empty address", impersonating("<t:SmtpAddress/>"), [""]],
    ["somebody unknown when nobody is named after all", "<t:ExchangeImpersonation/>", [""]],
    ["somebody unknown by the SIDs of a security context", context(`<t:UserSid>${SID}</t:UserSid>${GROUPS}`), [""]],
    [
      "two, where two headers name somebody, readable or not",
      impersonating(`<t:SID>${SID}</t:SID>`) + context("<t:PrimarySmtpAddress>bob@corp.example</t:PrimarySmtpAddress>"),
      ["", "bob@corp.example"],
    ],
  ])("is %s", (_, headers, expected) => {
    expect(onBehalfOf(headers)).toEqual(expected);
  });
});
