import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PublishedUrls } from "../../src/autodiscover/published-urls.js";
import { readSettingsQuestion } from "../../src/autodiscover/soap-request.js";
import { answerSettings, MAXIMUM_SUBJECTS, writeAutodiscoverFault } from "../../src/autodiscover/soap-response.js";
import { RequestFault } from "../../src/availability/request-fault.js";
import { read, samples } from "../support/shared.js";

const SERVICE = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
const ANYBODY = "https://freebusy.corp.example/EWS/Exchange.asmx";
const EXCHANGE = "https://inside.corp.example/EWS/Exchange.asmx";
const urls = new PublishedUrls({ domains: ["corp.example"], url: ANYBODY, urls: new Map([["exchange", EXCHANGE]]) });

function envelope(body: string, header = ""): Buffer {
  return Buffer.from(
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="${SERVICE}" xmlns:w="http://www.w3.org/2005/08/addressing"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`,
  );
}
const list = (outer: string, items: readonly string[]) => `<a:${outer}>${items.join("")}</a:${outer}>`;
const settingsOf = (settings: readonly string[]) =>
  list(
    "RequestedSettings",
    settings.map((name) => `<a:Setting>${name}</a:Setting>`),
  );
const users = (mailboxes: readonly string[], settings: readonly string[], header = "") =>
  envelope(
    `<a:GetUserSettingsRequestMessage><a:Request>${list(
      "Users",
      mailboxes.map((one) => `<a:User><a:Mailbox>${one}</a:Mailbox></a:User>`),
    )}${settingsOf(settings)}</a:Request></a:GetUserSettingsRequestMessage>`,
    header,
  );
const domains = (names: readonly string[], settings: readonly string[]) =>
  envelope(
    `<a:GetDomainSettingsRequestMessage><a:Request>${list(
      "Domains",
      names.map((one) => `<a:Domain>${one}</a:Domain>`),
    )}${settingsOf(settings)}</a:Request></a:GetDomainSettingsRequestMessage>`,
  );
const answer = (bytes: Buffer, origin?: string) => answerSettings(readSettingsQuestion(bytes), urls, origin);

describe("SOAP Autodiscover", () => {
  it("gives a caller the address that belongs to its origin, and only settings that were asked for", async () => {
    const wanted = ["ExternalEwsUrl", "UserDN", "AutoDiscoverSMTPAddress", "MailboxDN"];
    for (const [origin, url] of [
      [undefined, ANYBODY],
      ["workmail", ANYBODY],
      ["exchange", EXCHANGE],
    ] as const) {
      const { text, result, domains } = answer(users(["Bob@corp.example"], wanted), origin);
      const { Response } = (await read(text)).GetUserSettingsResponseMessage;
      const { UserResponse } = Response.UserResponses;
      expect([Response.ErrorCode, UserResponse.ErrorCode]).toEqual(["NoError", "NoError"]);
      expect(UserResponse.UserSettings.UserSetting).toEqual([
        { $: { "i:type": "StringSetting" }, Name: "ExternalEwsUrl", Value: url },
        { $: { "i:type": "StringSetting" }, Name: "AutoDiscoverSMTPAddress", Value: "bob@corp.example" },
      ]);
      expect(UserResponse.UserSettingErrors).toBe("");
      expect([result, domains]).toEqual(["settings", ["corp.example"]]);
    }
  });

  it("answers each mailbox in its place, those of other domains with InvalidUser and nothing more", async () => {
    const { text, result } = answer(
      users(
        ["bob@corp.example", "eve@attacker.example", "", "bob@corp.example.attacker.example", "bob@corp.example"],
        ["ExternalEwsUrl"],
      ),
    );
    const { UserResponse } = (await read(text)).GetUserSettingsResponseMessage.Response.UserResponses;
    expect(
      UserResponse.map((one: { ErrorCode: string; UserSettings: unknown }) => [one.ErrorCode, one.UserSettings !== ""]),
    ).toEqual([
      ["NoError", true],
      ["InvalidUser", false],
      ["InvalidUser", false],
      ["InvalidUser", false],
      ["NoError", true],
    ]);
    expect(text).not.toContain("attacker");
    expect(result).toBe("not-found");
  });

  it("answers domains too", async () => {
    const { text } = answer(
      domains(["CORP.example", "attacker.example", "autodiscover.com"], ["ExternalEwsUrl", "UserDisplayName"]),
    );
    const { DomainResponse } = (await read(text)).GetDomainSettingsResponseMessage.Response.DomainResponses;
    expect(DomainResponse.map(({ ErrorCode }: { ErrorCode: string }) => ErrorCode)).toEqual([
      "NoError",
      "InvalidDomain",
      "InvalidDomain",
    ]);
    expect(DomainResponse[0].DomainSettings.DomainSetting).toEqual({
      $: { "i:type": "DomainStringSetting" },
      Name: "ExternalEwsUrl",
      Value: ANYBODY,
    });
  });

  it("never gives the address for a mailbox outside of the configured domains", () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const domain = fc.oneof(
      fc.tuple(label, label).map((two) => two.join(".")),
      fc.constantFrom(
        "corp.example.",
        "corp.example:443",
        "corp-example",
        "xcorp.example",
        "sub.corp.example",
        "corp.example.com",
        "example",
      ),
    );
    fc.assert(
      fc.property(fc.emailAddress(), domain, (address, other) => {
        const local = address.slice(0, address.lastIndexOf("@")).replace(/&/g, "&amp;").replace(/</g, "&lt;");
        for (const mailbox of [`${local}@${other}`, `${local}@corp.example@${other}`]) {
          expect(
            answer(users([mailbox], ["ExternalEwsUrl", "InternalEwsUrl", "InteropExternalEwsUrl"])).text,
          ).not.toContain("https://");
        }
      }),
    );
  });

  it.each([
    ["nobody", users([], ["ExternalEwsUrl"])],
    ["no settings", users(["bob@corp.example"], [])],
    [
      "too many",
      users(
        Array.from({ length: MAXIMUM_SUBJECTS + 1 }, (_, i) => `a${i}@corp.example`),
        ["ExternalEwsUrl"],
      ),
    ],
  ])("calls a question for %s an invalid request", async (_, bytes) => {
    const { text, result } = answer(bytes);
    const { Response } = (await read(text)).GetUserSettingsResponseMessage;
    expect([Response.ErrorCode, result]).toEqual(["InvalidRequest", "invalid-request"]);
    expect(text).not.toContain("https://freebusy");
  });

  it("reads a hundred users with long addresses and every setting that clients know", () => {
    const mailboxes = Array.from({ length: MAXIMUM_SUBJECTS }, (_, i) => `${"a".repeat(60)}${i}@corp.example`);
    const settings = Array.from({ length: 80 }, (_, i) => `ExternalMailboxServerAuthenticationMethods${i}`);
    expect(answer(users(mailboxes, [...settings, "ExternalEwsUrl"])).text.match(/<Name>ExternalEwsUrl</g)).toHaveLength(
      100,
    );
  });

  it("says which version it is in elements, and whose question it answers", () => {
    const { text } = answer(
      users(
        ["bob@corp.example"],
        ["ExternalEwsUrl"],
        "<w:MessageID>urn:uuid:1&amp;2</w:MessageID><w:To s:mustUnderstand='1'>x</w:To>",
      ),
    );
    expect(text).toMatch(/<h:ServerVersionInfo[^>]*><h:MajorVersion>15<\/h:MajorVersion>/);
    expect(text).toContain("<a:RelatesTo>urn:uuid:1&amp;2</a:RelatesTo>");
    expect(text).toContain(
      '<a:Action s:mustUnderstand="1">http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettingsResponse</a:Action>',
    );
  });

  it.each(samples(/^autodiscover-(soap-getuser.*request|guide-0)/))("understands %s", (_, text) => {
    const question = readSettingsQuestion(Buffer.from(text));
    expect([question.operation, question.subjects.length]).toEqual(["GetUserSettings", 1]);
    expect(question.settings).toContain("EwsSupportedSchemas");
  });
});

describe("a SOAP request that is refused", () => {
  const fault = (bytes: Buffer): RequestFault => {
    try {
      readSettingsQuestion(bytes);
    } catch (error) {
      if (error instanceof RequestFault) return error;
      throw error;
    }
    throw new Error("it was read");
  };

  it.each([
    ["no envelope", Buffer.from("<a/>"), "malformed", "s:Client"],
    [
      "SOAP 1.2",
      Buffer.from('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>'),
      "malformed",
      "s:Client",
    ],
    ["an empty body", envelope(""), "malformed", "s:Client"],
    [
      "two operations",
      envelope("<a:GetUserSettingsRequestMessage/><a:GetDomainSettingsRequestMessage/>"),
      "malformed",
      "s:Client",
    ],
    [
      "another operation",
      envelope("<a:GetFederationInformationRequestMessage/>"),
      "unknown-operation",
      "a:ActionNotSupported",
    ],
    [
      "another namespace",
      envelope('<b:GetUserSettingsRequestMessage xmlns:b="https://schemas.microsoft.com/exchange/2010/Autodiscover"/>'),
      "unknown-operation",
      "a:ActionNotSupported",
    ],
    [
      "a header it must understand",
      users(["bob@corp.example"], ["ExternalEwsUrl"], '<a:Secret s:mustUnderstand="1"/>'),
      "must-understand",
      "s:MustUnderstand",
    ],
    [
      "WS-Security",
      users(
        ["bob@corp.example"],
        ["ExternalEwsUrl"],
        '<x:Security xmlns:x="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/>',
      ),
      "must-understand",
      "s:MustUnderstand",
    ],
  ] as const)("for %s says so in a fault", async (_, bytes, reason, code) => {
    const refused = fault(bytes);
    expect(refused.reason).toBe(reason);
    const { Fault } = await read(writeAutodiscoverFault(refused));
    expect([Fault.faultcode, Fault.faultstring._]).toEqual([code, refused.message]);
  });
});
