/** Attacks on what is below EWS: HTTP's framing, encodings, compressions, and what is written outwards. */

import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { SaxesParser } from "saxes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EvilServer, startEvil } from "../support/evil-server.js";
import { authorization, NAMESPACES, post, question, type Site, startSite, told } from "../support/gateway-process.js";
import { read } from "../support/shared.js";
import { measured, note } from "../support/trial.js";

const EVIL_ANSWER_BYTES = 64 * 1024 * 1024;
let site: Site;
let canary: EvilServer;
/** Says one thing, and then nothing but zeros in many disguises. */
let evil: EvilServer;
let disguise: "endless" | "gzip" | "deep" | "names" | "digits" = "endless";

beforeAll(async () => {
  canary = await startEvil();
  evil = await startEvil((reply) => {
    reply.on("error", () => {});
    if (disguise === "gzip") {
      const bomb = gzipSync(Buffer.alloc(EVIL_ANSWER_BYTES));
      reply.writeHead(200, { "content-type": "text/xml", "content-encoding": "gzip" }).end(bomb);
      return;
    }
    reply.writeHead(200, { "content-type": "text/xml" });
    if (disguise === "endless") {
      const more = () => {
        while (!reply.destroyed && reply.write(Buffer.alloc(65_536, " ")));
        if (!reply.destroyed) reply.once("drain", more);
      };
      more();
    } else if (disguise === "deep") reply.end("<a>".repeat(300_000));
    else if (disguise === "names") reply.end(`<${"n".repeat(900_000)}:a/>`);
    else
      reply.end(
        `<s:Envelope ${NAMESPACES}><s:Body><m:GetUserAvailabilityResponse><m:FreeBusyResponseArray><m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"/><m:FreeBusyView><t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>${"0".repeat(900_000)}</t:MergedFreeBusy></m:FreeBusyView></m:FreeBusyResponse></m:FreeBusyResponseArray></m:GetUserAvailabilityResponse></s:Body></s:Envelope>`,
      );
  });
  site = await startSite((configuration) =>
    configuration
      .replace(
        "\naddressSpaces:",
        `
  evil: { type: ews, url: '${evil.url}', username: svc, password: 'env:BACKEND_PASSWORD', timeoutSeconds: 1.5, allowPlainHttp: true, maximumAnswerMegabytes: 1 }
autodiscover: { url: 'https://freebusy.corp.example/EWS/Exchange.asmx' }
addressSpaces:
  - { domain: evil.example, backend: evil }`,
      )
      .replace("origin: workmail }", "origin: workmail, maximumView: Detailed }"),
  );
});
afterAll(() => Promise.all([site?.close(), canary?.close(), evil?.close()]));

const calls = () => site.exchange.asked.length + site.workmail.asked.length;
const at = (path: string) => site.gateway.url.replace("/EWS/Exchange.asmx", path);
/** A day nobody has asked about. */
let day = 0;
const fresh = () => {
  const text = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  const start = Date.UTC(2033, 0, 5 + 7 * day++);
  return { start: text(start), end: text(start + 86_400_000) };
};
const ordinary = async () =>
  expect(told((await site.ask(["alice@corp.example"], fresh())).text)).toEqual([
    expect.stringMatching(/^DetailedMerged/),
  ]);

describe("row 3: nothing is fetched because XML names it", () => {
  const inside = (content: string) => `<s:Envelope ${NAMESPACES}><s:Body>${content}</s:Body></s:Envelope>`;
  const documents = (): [string, string][] => [
    ["external DTD", `<!DOCTYPE a SYSTEM "${canary.origin}/x.dtd">${inside("")}`],
    ["external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "${canary.origin}/x">]>${inside("&x;")}`],
    ["parameter entity", `<!DOCTYPE a [<!ENTITY % x SYSTEM "${canary.origin}/x"> %x;]>${inside("")}`],
    ["XInclude", inside(`<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="${canary.origin}/x"/>`)],
    ["a stylesheet", `<?xml-stylesheet href="${canary.origin}/x"?>${inside("")}`],
    [
      "a schema location",
      inside(`<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="u ${canary.origin}/x"/>`),
    ],
    ["a namespace", inside(`<a xmlns="${canary.origin}/x"/>`)],
  ];

  it.each(["/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"])(
    "%s",
    async (path) => {
      const list = documents();
      await measured(
        site.gateway.process,
        "3",
        `${list.length} ways to name ${canary.origin.replace(/:\d+$/, "")} at ${path}`,
        async () => {
          for (const [, document] of list) expect((await post(at(path), document)).text).not.toContain("root:");
        },
        () => `${canary.arrivals.length} requests arrived there`,
      );
      expect(canary.arrivals).toEqual([]);
      await ordinary();
    },
  );
});

describe("rows 1, 2, 4, 5: the other readers", () => {
  const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i} "${`&a${i === 0 ? "" : i - 1};`.repeat(10)}">`).join("")}]><a>&a8;</a>`;
  const documents: [row: string, name: string, path: string, body: string][] = [
    ...["/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"].flatMap(
      (path): [string, string, string, string][] => [
        ["1", "60 KiB of nesting", path, "<a>".repeat(20_000)],
        ["2", "billion laughs", path, laughs],
        ["4", "11,000 references", path, `<a>${"&#65;".repeat(11_000)}</a>`],
        ["5", "8,000 attributes", path, `<a ${Array.from({ length: 8_000 }, (_, i) => `a${i}=''`).join(" ")}/>`],
      ],
    ),
    ["1", "60 KiB of nested lists", "/CAP", "[".repeat(60_000)],
    [
      "8",
      "__proto__ in an event",
      "/CAP",
      '{"__proto__":{"mailboxes":["a@b.example"]},"constructor":{"prototype":{"polluted":1}}}',
    ],
    ["6", "100,000 mailboxes", "/CAP", JSON.stringify({ mailboxes: Array(60_000).fill("a@b.c"), window: {} })],
  ];

  it.each(documents)("row %s: %s at %s", async (row, name, path, body) => {
    const before = calls();
    const headers: Record<string, string> =
      path === "/CAP"
        ? { "content-type": "application/json", authorization: authorization("workmail@corp.example") }
        : {};
    const { status, text } = await measured(
      site.gateway.process,
      row,
      `${name} at ${path}`,
      () => post(at(path), body, headers),
      ({ status, text }) =>
        `HTTP ${status} ${/<ErrorCode>(\d+)|faultcode[^>]*>([^<]+)|"error":"(\w+)"/.exec(text)?.slice(1).find(Boolean) ?? ""}`.trim(),
    );
    expect([200, 400, 413, 500]).toContain(status);
    expect(text).not.toMatch(/"events"|<EwsUrl>|hahaha/);
    expect(calls()).toBe(before);
    await ordinary();
  });
});

/** What comes back for these bytes until the connection ends. */
const sent = (port: number, bytes: string) =>
  new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });

describe("row 9: one request is one request", () => {
  const secret = "smuggled@corp.example";
  const hidden = () => {
    const body = question([secret]);
    return `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization()}\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const head = (framing: string) =>
    `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization()}\r\nContent-Type: text/xml\r\n${framing}\r\n\r\n`;
  const cases: [string, () => string][] = [
    ["CL.TE", () => `${head("Content-Length: 5\r\nTransfer-Encoding: chunked")}0\r\n\r\n${hidden()}`],
    ["TE.CL", () => `${head("Transfer-Encoding: chunked\r\nContent-Length: 4")}0\r\n\r\n${hidden()}`],
    ["TE.TE", () => `${head("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")}0\r\n\r\n${hidden()}`],
    ["TE with a vertical tab", () => `${head("Transfer-Encoding:\u000bchunked")}0\r\n\r\n${hidden()}`],
    ["an unknown transfer coding", () => `${head("Transfer-Encoding: xchunked")}0\r\n\r\n${hidden()}`],
    ["two Content-Lengths", () => `${head("Content-Length: 3\r\nContent-Length: 0")}abc${hidden()}`],
    ["a list of Content-Lengths", () => `${head("Content-Length: 3, 3")}abc${hidden()}`],
    ["a negative Content-Length", () => `${head("Content-Length: -1")}${hidden()}`],
    ["a Content-Length with a plus", () => `${head("Content-Length: +3")}abc${hidden()}`],
    ["a folded header", () => `${head("X: a\r\n Content-Length: 0\r\nContent-Length: 3")}abc${hidden()}`],
    ["a space before the colon", () => `${head("Content-Length : 3")}abc${hidden()}`],
    ["bare line feeds", () => `${head("X: y\nContent-Length: 3")}abc${hidden()}`],
    ["a NUL in a header", () => `${head("X: a\u0000b\r\nContent-Length: 3")}abc${hidden()}`],
    ["a chunk size that overflows", () => `${head("Transfer-Encoding: chunked")}fffffffffffffffff1\r\n${hidden()}`],
    ["a chunk longer than it says", () => `${head("Transfer-Encoding: chunked")}1\r\nab\r\n0\r\n\r\n${hidden()}`],
  ];

  it.each(cases)("%s", async (name, bytes) => {
    const text = await measured(
      site.gateway.process,
      "9",
      name,
      () => sent(site.gateway.port, bytes()),
      (answer) => `${answer.slice(9, 12) || "closed"}, then closed`,
    );
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses.length).toBeLessThanOrEqual(1);
    expect(statuses[0] ?? "400").toBe("400");
    for (const { mailboxes } of [...site.exchange.asked, ...site.workmail.asked])
      expect(mailboxes).not.toContain(secret);
    await ordinary();
  });
});

describe("a path is a path", () => {
  // Routers have taken some of these for the path behind the first character, past whatever looks at the whole of it.
  it.each([
    "*EWS/Exchange.asmx",
    "EWS/Exchange.asmx",
    "\\EWS\\Exchange.asmx",
    "*v1/availability",
    "*metrics",
    "*readyz",
  ])("%s is none, for callers and for operations", async (target) => {
    for (const port of [site.gateway.port, Number(new URL(site.gateway.management).port)]) {
      const text = await sent(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(text.slice(0, 12)).toMatch(/^HTTP\/1\.1 40[04]$/);
    }
  });
});

describe("row 21: what grows when it is unpacked", () => {
  it("is refused unread from callers", async () => {
    const bomb = gzipSync(Buffer.alloc(EVIL_ANSWER_BYTES, " "));
    for (const encoding of ["gzip", "deflate", "br", "x-gzip, gzip"]) {
      const { status } = await measured(
        site.gateway.process,
        "21",
        `64 MiB as ${(bomb.length / 1024).toFixed(0)} KiB of ${encoding}`,
        () => post(site.gateway.url, bomb, { "content-encoding": encoding }),
        ({ status }) => `HTTP ${status}`,
      );
      expect(status).toBe(415);
    }
    await ordinary();
  });

  it.each([
    ["21", "gzip", "64 MiB as gzip"],
    ["21", "endless", "an answer without an end, limit 1 MiB"],
    ["1", "deep", "300,000 levels"],
    ["5", "names", "a prefix of 900,000 letters"],
    ["6", "digits", "900,000 slots for one day"],
  ] as const)("row %s: %s from a backend costs its own mailboxes", async (row, way, what) => {
    disguise = way;
    const { text } = await measured(
      site.gateway.process,
      row,
      `from a backend: ${what}`,
      () => site.ask(["x@evil.example", "alice@corp.example"], fresh()),
      ({ text }) => told(text)[0] ?? "nothing",
    );
    const [bad, good] = told(text);
    expect(good).toMatch(/^DetailedMerged/);
    if (way === "digits") {
      // As many slots as were asked about; what was said of others is dropped.
      expect(/<t:MergedFreeBusy>(\d*)</.exec(text)?.[1]).toHaveLength(48);
    } else expect(bad).toMatch(/^backend-/);
  });
});

describe("row 22: encodings", () => {
  const body = (address: string | Buffer) => {
    const [before, after] = question(["@@"]).split("@@") as [string, string];
    return Buffer.concat([Buffer.from(before), Buffer.from(address as string), Buffer.from(after)]);
  };
  it.each([
    ["an overlong slash", body(Buffer.from([0x61, 0xc0, 0xaf, 0x40])), /not UTF-8/],
    ["a surrogate in UTF-8", body(Buffer.from([0xed, 0xa0, 0x80])), /not UTF-8/],
    ["a surrogate by reference", body("&#xD800;@corp.example"), /is not a reference XML knows/],
    ["a NUL", body(Buffer.from([0])), /a character that XML does not allow/],
    ["a NUL by reference", body("&#0;alice@corp.example"), /is not a reference XML knows/],
    [
      "UTF-7",
      Buffer.from(`<?xml version="1.0" encoding="UTF-7"?>${question(["alice@corp.example"])}`),
      /UTF-7: send UTF-8/,
    ],
    ["EBCDIC", Buffer.from(`<?xml version="1.0" encoding="IBM037"?>${question(["alice@corp.example"])}`), /send UTF-8/],
    ["a Cyrillic a in alice", body("\u0430lice@corp.example"), /mailbox-not-found/],
    ["a full-width domain's look-alike", body("alice@c\u043erp.example"), /no-address-space/],
    ["a line break in the address", body("alice@corp.example&#13;&#10;X: y"), /invalid-address/],
    ["a right-to-left override", body("\u202ealice@corp.example"), /mailbox-not-found|invalid-address/],
  ] as const)("%s is refused, or is what it is and nobody else", async (name, bytes, expected) => {
    const { text } = await measured(
      site.gateway.process,
      "22",
      name,
      () => post(site.gateway.url, bytes),
      ({ text }) => /<faultcode[^>]*>\w+:(\w+)</.exec(text)?.[1] ?? told(text)[0] ?? "",
    );
    expect(text).toMatch(expected);
    expect(text).not.toContain("Stand-up");
  });

  it("a byte order mark is passed over", async () => {
    const { text } = await post(site.gateway.url, Buffer.from(`\ufeff${question(["alice@corp.example"])}`));
    expect(told(text)).toEqual([expect.stringMatching(/^DetailedMerged/)]);
  });
});

describe("row 23: what is written outwards", () => {
  it("is well-formed, and exactly what the owner wrote", async () => {
    const texts = [
      "]]> <b>&amp;</b> & \"q\" 'a'",
      "Grüße 🎉 日本 \u202e",
      "<!DOCTYPE a><s:Envelope>",
      "a\tb  c",
      "%s {{y}}",
    ];
    for (const subject of texts) {
      const address = `t${texts.indexOf(subject)}@corp.example`;
      site.exchange.calendar.set(address, {
        events: [
          { start: "2026-07-01T12:00:00Z", end: "2026-07-01T13:00:00Z", busy: "Busy", subject, location: subject },
        ],
      });
      const { text } = await site.ask([address]);
      const parser = new SaxesParser({ xmlns: true });
      parser.on("error", (error) => {
        throw error;
      });
      parser.write(text).close();
      const view = (await read(text)).GetUserAvailabilityResponse.FreeBusyResponseArray.FreeBusyResponse.FreeBusyView;
      const details = view.CalendarEventArray.CalendarEvent.CalendarEventDetails;
      expect([details.Subject, details.Location]).toEqual([subject, subject]);
    }
    note({
      row: "23",
      what: `subjects with markup, controls and every script (${texts.length})`,
      outcome: "well-formed to a second parser, and the same text",
    });
  });

  it("quotes no address of a stranger so that it becomes markup or a header", async () => {
    const nasty = ["a&lt;b&gt;@corp.example", "x]]&gt;@corp.example", "&quot;q&quot;@corp.example"];
    for (const address of nasty) {
      const { text, headers } = await measured(
        site.gateway.process,
        "23",
        `the address ${address.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')}`,
        () => post(site.gateway.url, question([address])),
        ({ text }) => told(text)[0] ?? "",
      );
      expect(told(text)).toEqual([expect.stringMatching(/invalid-address|mailbox-not-found/)]);
      expect([...headers.values()].join()).not.toContain("corp.example");
      const parser = new SaxesParser();
      parser.on("error", (error) => {
        throw error;
      });
      parser.write(text).close();
    }
  });
});
