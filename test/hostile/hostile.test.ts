import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorization, NAMESPACES, post, question, type Site, startSite, told } from "../support/gateway-process.js";
import { measured } from "../support/trial.js";

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

const calls = () => site.exchange.asked.length + site.workmail.asked.length;
const envelope = (body: string, header = "") =>
  `<s:Envelope ${NAMESPACES}>${header}<s:Body>${body}</s:Body></s:Envelope>`;
const ordinary = () => site.ask(["alice@corp.example"]);
const size = (body: string | Uint8Array) => `${(body.length / 1024).toFixed(body.length < 10_240 ? 1 : 0)} KiB`;
/** Sends it, with what it costs. */
const attack = (row: string, what: string, body: string | Uint8Array, headers = {}) =>
  measured(
    site.gateway.process,
    row,
    what,
    () => post(site.gateway.url, body, headers),
    ({ status, text }) => /<faultcode[^>]*>\w+:(\w+)</.exec(text)?.[1] ?? told(text)[0] ?? `HTTP ${status}`,
  );
const repeat = (text: string, times: number) => text.repeat(times);
/** Asks in a zone of one group of changes, which takes over again and again. */
const inZoneOf = (changes: number, eras: number) =>
  question(["alice@corp.example"]).replace(
    /<t:TimeZoneDefinition[^>]*>/,
    `<TimeZoneDefinition xmlns="http://schemas.microsoft.com/exchange/services/2006/types"><Periods><Period Id="p" Bias="PT0H"/></Periods><TransitionsGroups><a Id="g">${repeat("<a><To>p</To><Month>1</Month><Day>1</Day></a>", changes)}</a></TransitionsGroups><Transitions>${repeat("<a><To>g</To></a>", eras)}</Transitions></TimeZoneDefinition>`,
  );

describe("hostile XML is refused by a clear fault, without asking anybody, and the process goes on", () => {
  const inside = (content: string) =>
    envelope(`<m:GetUserAvailabilityRequest>${content}</m:GetUserAvailabilityRequest>`);
  const nested = (depth: number) => inside(repeat("<a>", depth) + repeat("</a>", depth));
  const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i} "${repeat(`&a${i === 0 ? "" : i - 1};`, 10)}">`).join("")}]>${envelope("&a8;")}`;
  const cases: [row: string, name: string, body: string | Uint8Array, expected: RegExp][] = [
    ["1", "70 KiB of nesting", nested(10_000), /ErrorSchemaValidation.*nested deeper/s],
    ["1", "280 KiB of nesting, never closed", inside(repeat("<a>", 95_000)).replace(/<\/.*/s, ""), /nested deeper/],
    ["2", "billion laughs", laughs, /DTD is prohibited/],
    [
      "3",
      "an external entity",
      `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>${envelope("&x;")}`,
      /DTD is prohibited/,
    ],
    [
      "3",
      "a parameter entity",
      `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>${envelope("")}`,
      /DTD is prohibited/,
    ],
    [
      "5",
      "40,000 attributes",
      envelope(`<a ${Array.from({ length: 40_000 }, (_, i) => `a${i}="1"`).join(" ")}/>`),
      /more than 64 attributes/,
    ],
    [
      "5",
      "20,000 namespace declarations",
      envelope(`<a ${Array.from({ length: 20_000 }, (_, i) => `xmlns:n${i}="u"`).join(" ")}/>`),
      /more than 64 attributes/,
    ],
    ["22", "not XML", "hello", /text outside the root element/],
    ["22", "JSON", '{"a":1}', /ErrorSchemaValidation/],
    ["22", "an open end", envelope("").slice(0, -5), /ErrorSchemaValidation/],
    [
      "22",
      "invalid UTF-8",
      Buffer.concat([Buffer.from("<a>"), Buffer.from([0xc3, 0x28]), Buffer.from("</a>")]),
      /not UTF-8/,
    ],
    ["22", "UTF-16", Buffer.from(`\ufeff${envelope("")}`, "utf16le"), /ErrorSchemaValidation/],
    ["7", "an empty Body", envelope(""), /Body holds no request/],
    [
      "7",
      "two requests in the Body",
      envelope(repeat(question(["alice@corp.example"]).replace(/.*<s:Body>|<\/s:Body>.*/gs, ""), 2)),
      /second element in the Body/,
    ],
    ["7", "two Bodies", question(["alice@corp.example"]).replace("</s:Body>", "</s:Body><s:Body/>"), /second Body/],
    [
      "7",
      "a header that must be understood",
      envelope("<m:GetFolder/>", '<s:Header><x:Y xmlns:x="urn:x" s:mustUnderstand="1"/></s:Header>'),
      /MustUnderstand/,
    ],
    [
      "26",
      "WS-Security",
      envelope(
        "<m:GetFolder/>",
        '<s:Header><w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/></s:Header>',
      ),
      /MustUnderstand/,
    ],
    ["7", "SOAP 1.2", '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', /send SOAP 1.1/],
    [
      "7",
      "another namespace",
      envelope('<GetUserAvailabilityRequest xmlns="urn:x"/>'),
      /not in the EWS messages namespace/,
    ],
    ["7", "another operation", envelope("<m:CreateItem/>"), /a:ErrorInvalidOperation</],
    [
      "8",
      "__proto__ as an element",
      envelope(
        "<m:GetUserAvailabilityRequest><__proto__><constructor>1</constructor></__proto__></m:GetUserAvailabilityRequest>",
      ),
      /MailboxDataArray is missing/,
    ],
    ["4", "80,000 references in an address", question([repeat("&#65;", 80_000)]), /ErrorInvalidSmtpAddress/],
  ];

  it.each(cases)("row %s: %s", async (row, name, body, expected) => {
    const before = calls();
    const { text } = await attack(row, `${name} (${size(body)})`, body);
    expect(text).toMatch(expected);
    expect(calls()).toBe(before);
    expect((await ordinary()).status).toBe(200);
  });
});

describe("requests beyond the limits get Exchange's code and words", () => {
  it.each([
    ["no mailbox", question([]), "ErrorMailboxDataArrayEmpty", /cannot be empty/],
    [
      "101 mailboxes",
      question(Array(101).fill("alice@corp.example")),
      "ErrorMailboxDataArrayTooBig",
      /allowed size = 100; the actual size = 101/,
    ],
    [
      "3,000 mailboxes",
      question(Array(3000).fill("a@corp.example")),
      "ErrorMailboxDataArrayTooBig",
      /actual size = 3000/,
    ],
    [
      "63 days",
      question(["alice@corp.example"], { start: "2026-01-01T00:00:00", end: "2026-03-05T00:00:00" }),
      "ErrorTimeIntervalTooBig",
      /actual limit = 63 days/,
    ],
    [
      "ten years",
      question(["alice@corp.example"], { end: "2036-03-05T00:00:00" }),
      "ErrorTimeIntervalTooBig",
      /allowed limit = 62 days/,
    ],
    [
      "a reversed window",
      question(["alice@corp.example"], { start: "2026-07-03T00:00:00" }),
      "ErrorInvalidTimeInterval",
      /TimeWindow is invalid/,
    ],
    [
      "interval 4",
      question(["alice@corp.example"], { interval: 4 }),
      "ErrorInvalidMergedFreeBusyInterval",
      /between 5 and 1440/,
    ],
    ["view None", question(["alice@corp.example"], { view: "None" }), "ErrorInvalidFreeBusyViewType", /RequestedView/],
    [
      "an unknown zone",
      question(["alice@corp.example"]).replace("W. Europe", "W. Atlantis"),
      "ErrorTimeZone",
      /W. Atlantis Standard Time/,
    ],
    ["a zone of 5,500 changes, 13,000 times", inZoneOf(5500, 13_000), "ErrorTimeZone", /more than 2000 transitions/],
    [
      "a date that is none",
      question(["alice@corp.example"], { start: "2026-02-30T00:00:00" }),
      "ErrorSchemaValidation",
      /TimeWindow\/StartTime/,
    ],
  ])("%s", async (name, body, code, words) => {
    const before = calls();
    const { status, text } = await attack("6", `${name} (${size(body)})`, body);
    expect([status, /<faultcode[^>]*>a:(\w+)</.exec(text)?.[1]]).toEqual([500, code]);
    expect(text).toMatch(words);
    expect(calls()).toBe(before);
  });

  it("a zone of as many transitions as are read is answered in", async () => {
    const body = inZoneOf(1000, 1000);
    const { status, text } = await attack("6", `a zone of 1,000 changes, 1,000 times (${size(body)})`, body);
    expect([status, told(text)]).toEqual([200, told((await ordinary()).text)]);
  });

  it("exactly 100 mailboxes are answered, in order", async () => {
    const people = Array.from({ length: 100 }, (_, i) =>
      i % 3 === 0 ? "alice@corp.example" : i % 3 === 1 ? "bob@corp.example" : "nobody@corp.example",
    );
    const { text } = await site.ask(people);
    expect(told(text).map((one) => one.split(" ").at(-1))).toEqual(
      people.map((_, i) => ["review", "Sync", "mailbox-not-found"][i % 3]),
    );
  });
});

describe("what is not EWS at all gets a status and a sentence", () => {
  it.each([
    ["no credentials", { authorization: "" }, 401],
    ["a wrong password", { authorization: authorization("client@corp.example", "wrong") }, 401],
    ["an unknown name", { authorization: authorization("eve@corp.example") }, 401],
    ["another scheme", { authorization: "Bearer x" }, 401],
    ["garbage for credentials", { authorization: "Basic !!!" }, 401],
    ["another content type", { "content-type": "application/json" }, 415],
    ["a compressed body", { "content-encoding": "gzip" }, 415],
  ])("%s", async (_, headers, expected) => {
    const { status, text, headers: answered } = await post(site.gateway.url, question(["alice@corp.example"]), headers);
    expect([status, text.length > 20]).toEqual([expected, true]);
    if (expected === 401) expect(answered.get("www-authenticate")).toMatch(/^Basic realm=/);
  });

  it("a wrong password and an unknown name get the same answer", async () => {
    const [wrong, unknown] = await Promise.all(
      ["client@corp.example", "eve@corp.example"].map((user) =>
        site.ask(["alice@corp.example"], { user, password: "nope" }),
      ),
    );
    expect(wrong?.text).toBe(unknown?.text);
  });

  it("an oversized body is refused, before and after signing in", async () => {
    const body = repeat("x", 600_000);
    expect((await post(site.gateway.url, body)).status).toBe(413);
    expect((await post(site.gateway.url, body, { authorization: "" })).status).toBe(401);
  });

  it.each(["PUT", "DELETE", "PATCH", "OPTIONS"])("%s is told to POST", async (method) => {
    const reply = await fetch(site.gateway.url, { method, headers: { authorization: authorization() } });
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  });

  it("the path is found in any case, and nothing else is", async () => {
    const paths = ["/ews/exchange.asmx", "/EWS/EXCHANGE.ASMX", "/", "/EWS/Exchange.asmx/WSSecurity", "/healthz"];
    const statuses = await Promise.all(
      paths.map(
        async (path) =>
          (await post(site.gateway.url.replace("/EWS/Exchange.asmx", path), question(["alice@corp.example"]))).status,
      ),
    );
    expect(statuses).toEqual([200, 200, 404, 404, 404]);
  });

  it("SOAPAction decides nothing: the body does", async () => {
    const { text } = await attack(
      "7",
      "SOAPAction says GetUserAvailability, the body CreateItem",
      envelope("<m:CreateItem/>"),
      {
        soapaction: '"http://schemas.microsoft.com/exchange/services/2006/messages/GetUserAvailability"',
      },
    );
    expect(text).toContain("ErrorInvalidOperation");
  });
});

describe("slow senders", () => {
  const open = (first: string) =>
    new Promise<number>((resolve) => {
      const started = performance.now();
      const socket = connect(site.gateway.port, "127.0.0.1", () => socket.write(first));
      const drip = setInterval(() => socket.writable && socket.write("x"), 1000);
      socket.on("error", () => {});
      socket.on("data", () => {});
      socket.on("close", () => {
        clearInterval(drip);
        resolve(performance.now() - started);
      });
    });

  it("are cut off within seconds, headers or body, and cost nobody else", { timeout: 30_000 }, async () => {
    const headers = `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization()}\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n`;
    const slow = [
      ...Array.from({ length: 200 }, () => open("POST /EWS/Exchange.asmx HTTP/1.1\r\nX: ")),
      ...Array.from({ length: 200 }, () => open(headers)),
    ];
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await ordinary()).status).toBe(200);
    const cut = await measured(
      site.gateway.process,
      "20",
      "400 connections, a byte a second: half in the headers, half in the body",
      () => Promise.all(slow),
      (all) => `all cut off, the last after ${(Math.max(...all) / 1000).toFixed(1)} s; others answered meanwhile`,
    );
    for (const ms of cut) expect(ms).toBeLessThan(15_000);
    expect((await ordinary()).status).toBe(200);
  });
});
