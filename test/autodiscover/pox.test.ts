import { describe, expect, it } from "vitest";
import { parseStringPromise } from "xml2js";
import { readPoxQuestion, writePoxError, writePoxSettings } from "../../src/autodiscover/pox.js";
import { VERSION, VERSION_HEX } from "../../src/autodiscover/server-identity.js";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { writeSoapResponse } from "../../src/ews/soap-envelope.js";
import { samples } from "../support/shared.js";

const OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook";
const ask = (inside: string, namespace = `${OUTLOOK}/requestschema/2006`) =>
  readPoxQuestion(Buffer.from(`<Autodiscover xmlns="${namespace}"><Request>${inside}</Request></Autodiscover>`));
const BOB = "<EMailAddress>Bob@Corp.example</EMailAddress>";
const schema = (uri: string) => `<AcceptableResponseSchema>${uri}</AcceptableResponseSchema>`;

describe("a plain-old-XML question", () => {
  it.each(samples(/^autodiscover-(pox-request|guide-2)/))("is read in %s", (_, text) => {
    expect(readPoxQuestion(Buffer.from(text))).toMatchObject({
      kind: "mailbox",
      mailbox: /\S+@contoso\.com/.exec(text)?.[0].replace(/^.*>/, ""),
    });
  });

  it("asks for one mailbox, in whatever order and case", () => {
    const mailbox = { kind: "mailbox", mailbox: "bob@corp.example" };
    expect(ask(BOB)).toEqual(mailbox);
    expect(ask(schema(`${OUTLOOK}/responseschema/2006a`) + BOB)).toEqual(mailbox);
    expect(ask(`${BOB}<LegacyDN>/o=corp/cn=bob</LegacyDN>`)).toEqual(mailbox);
  });

  it.each([
    ["no mailbox", ask(""), "invalid-request"],
    ["two mailboxes", ask(BOB + BOB), "invalid-request"],
    [
      "another namespace",
      ask(BOB, "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"),
      "invalid-request",
    ],
    [
      "https in the namespace",
      ask(BOB, "https://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"),
      "invalid-request",
    ],
    [
      "another schema",
      ask(BOB + schema("http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006")),
      "schema-not-offered",
    ],
    ["a legacyExchangeDN", ask("<LegacyDN>/o=corp/cn=bob</LegacyDN>"), "not-found"],
    ["no address", ask("<EMailAddress>bob</EMailAddress>"), "not-found"],
    ["an empty address", ask("<EMailAddress/>"), "not-found"],
    [
      "an address within an address",
      ask("<EMailAddress>bob@corp.example@attacker.example</EMailAddress>"),
      "not-found",
    ],
    ["a URL for an address", ask("<EMailAddress>bob@corp.example/@attacker.example:8443/</EMailAddress>"), "not-found"],
  ] as const)("with %s is refused", (_, question, refusal) => {
    expect(question).toEqual({ kind: "refused", refusal });
  });
});

describe("a plain-old-XML answer", () => {
  const URL = "https://freebusy.corp.example/EWS/Exchange.asmx";
  const mailbox = parseMailboxAddress("o'bob&co@corp.example");
  const settings = writePoxSettings(mailbox as NonNullable<typeof mailbox>, URL);

  it("gives the same address for callers inside and outside, and never sends anybody elsewhere", async () => {
    const root = (await parseStringPromise(settings, { explicitArray: false, xmlns: true })).Autodiscover;
    expect(root.$ns.uri).toBe("http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006");
    expect(root.Response.$ns.uri).toBe(`${OUTLOOK}/responseschema/2006a`);
    expect(root.Response.User.AutoDiscoverSMTPAddress._).toBe("o'bob&co@corp.example");
    const { Account } = root.Response;
    expect([Account.AccountType._, Account.Action._]).toEqual(["email", "settings"]);
    expect(
      Account.Protocol.map((one: Record<string, { _: string }>) => [one.Type?._, one.ASUrl?._, one.EwsUrl?._]),
    ).toEqual([
      ["EXCH", URL, URL],
      ["EXPR", URL, URL],
    ]);
    expect(settings).not.toMatch(/redirect/i);
  });

  it("has EwsUrl on a line of its own, as DavMail reads it", () => {
    expect(settings.split("\n").filter((line) => /^\s*<EwsUrl>https:\S+<\/EwsUrl>$/.test(line))).toHaveLength(2);
  });

  it("names the version that EWS answers with, in the bits that ServerVersion has for it", () => {
    const header = String(writeSoapResponse([""], "Exchange2016"));
    const inEws = ["MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber"].map((name) =>
      Number(new RegExp(`${name}="(\\d+)"`).exec(header)?.[1]),
    );
    expect(Object.values(VERSION)).toEqual(inEws);
    const bits = Number.parseInt(VERSION_HEX, 16).toString(2).padStart(32, "0");
    expect([bits.slice(4, 10), bits.slice(10, 16), bits.slice(17)].map((part) => Number.parseInt(part, 2))).toEqual(
      inEws.slice(0, 3),
    );
    expect(settings).toContain(`<ServerVersion>${VERSION_HEX}</ServerVersion>`);
  });

  it("of an error has Exchange's code and words, and the request's id for the log", async () => {
    const time = new Date("2026-07-01T21:25:04.889Z");
    for (const [refusal, code, words] of [
      ["invalid-request", "600", "Invalid Request"],
      ["schema-not-offered", "601", "Provider is not available"],
      ["not-found", "500", "The e-mail address cannot be found."],
    ] as const) {
      const root = await parseStringPromise(writePoxError(refusal, time, "abc-1"), { explicitArray: false });
      expect(root.Autodiscover.Response.Error).toEqual({
        $: { Time: "21:25:04.889", Id: "1" },
        ErrorCode: code,
        Message: words,
        DebugData: "request-id abc-1",
      });
    }
  });
});
