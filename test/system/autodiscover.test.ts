/** Autodiscover on the real process, over TLS, with clients that others wrote: from a mail address to somebody's calendar. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import ews from "ews-javascript-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../support/certificates.js";
import { authorization, PASSWORD, PROJECT, question, type Site, startSite, told } from "../support/gateway-process.js";

const run = promisify(execFile);
const hasExchangelib = existsSync("/usr/lib/python3/dist-packages/exchangelib");
const hasCurl = existsSync("/usr/bin/curl");
if (!hasCurl) process.stderr.write("SKIPPED: no curl to discover with NTLM (Debian: curl)\n");
if (!hasExchangelib) process.stderr.write("SKIPPED: exchangelib is not installed (Debian: python3-exchangelib)\n");

const ANYBODY = "https://freebusy.corp.example/EWS/Exchange.asmx";
const EXCHANGE = "https://inside.corp.example/EWS/Exchange.asmx";
const NAMES = ["freebusy.corp.example", "inside.corp.example", "autodiscover.corp.example"];
const folder = mkdtempSync(join(tmpdir(), "autodiscover-"));
const { certFile, keyFile, caFile, ca } = issueCertificate(folder, "127.0.0.1", NAMES);
let site: Site;
beforeAll(async () => {
  const settings = `autodiscover: { url: '${ANYBODY}', urls: { exchange: '${EXCHANGE}' } }\n`;
  site = await startSite((text) =>
    text
      .replace("LISTEN_PORT", `LISTEN_PORT, tls: { certFile: '${certFile}', keyFile: '${keyFile}' }`)
      .concat(settings),
  );
});
afterAll(async () => {
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What DNS and port 443 would do: the gateway's names lead to it, others nowhere. */
class GatewayNames extends Agent {
  readonly wanted: string[] = [];

  override createConnection(options: { host?: string }) {
    const host = options.host ?? "";
    this.wanted.push(host);
    const port = NAMES.includes(host) ? site.gateway.port : 1;
    return connect({ ...options, host: "127.0.0.1", port, servername: host, ca });
  }
}

interface Told {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function call(path: string, body?: string | Buffer, headers: Record<string, string> = {}, method?: string) {
  return new Promise<Told>((resolve, reject) => {
    const signedIn = { authorization: authorization(), "content-type": "text/xml; charset=utf-8", ...headers };
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: site.gateway.port,
        ca,
        servername: "",
        path,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: Object.fromEntries(Object.entries(signedIn).filter(([, value]) => value !== "")),
      },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () =>
          resolve({
            status: reply.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            headers: reply.headers,
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const POX = "/autodiscover/autodiscover.xml";
const SOAP = "/autodiscover/autodiscover.svc";
const pox = (mailbox: string) =>
  `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${mailbox}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
const element = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`<${name}>([^<]*)<`, "g"))].map((match) => match[1]);

describe("a caller that has signed in", () => {
  it.each([POX, "/Autodiscover/Autodiscover.xml", "/AUTODISCOVER/AUTODISCOVER.XML"])(
    "is given the EWS address at %s",
    async (path) => {
      const { status, text, headers } = await call(path, pox("bob@corp.example"));
      expect([status, headers["content-type"], headers["x-soap-enabled"]]).toEqual([
        200,
        "text/xml; charset=utf-8",
        "True",
      ]);
      expect([element(text, "ASUrl"), element(text, "EwsUrl")]).toEqual([
        [ANYBODY, ANYBODY],
        [ANYBODY, ANYBODY],
      ]);
    },
  );

  it("is given the one that belongs to its origin, for domains with and without an owner of their own", async () => {
    const as = (user: string) => ({ authorization: authorization(user) });
    for (const mailbox of ["anybody@corp.example", "erin@corp.awsapps.com"]) {
      const asked = await call(POX, pox(mailbox), as("CORP\\exchange"));
      expect(element(asked.text, "ASUrl")).toEqual([EXCHANGE, EXCHANGE]);
      expect(element((await call(POX, pox(mailbox), as("workmail@corp.example"))).text, "ASUrl")).toEqual([
        ANYBODY,
        ANYBODY,
      ]);
    }
  });

  it("chooses nothing of the address by what it says about the host", async () => {
    const headers = {
      host: "attacker.example",
      "x-forwarded-host": "attacker.example",
      "x-original-host": "attacker.example",
    };
    const { text } = await call(`${POX}?host=attacker.example`, pox("bob@corp.example"), headers);
    expect(element(text, "ASUrl")).toEqual([ANYBODY, ANYBODY]);
    expect(text).not.toContain("attacker");
  });

  it("gets Exchange's error for a domain that is not configured, the same whatever is behind the name", async () => {
    const answers = await Promise.all(
      [
        "eve@attacker.example",
        "eve@localhost",
        "eve@169.254.169.254",
        "eve@autodiscover.com",
        "eve@sub.corp.example",
      ].map(async (mailbox) => (await call(POX, pox(mailbox))).text),
    );
    for (const text of answers) {
      expect(element(text, "ErrorCode")).toEqual(["500"]);
      expect(text).not.toMatch(/ASUrl|EwsUrl|redirect/i);
    }
  });

  it("sees in the log's line which domain was asked about, by whom and with what result, and no address", async () => {
    await call(POX, pox("canary-person@corp.awsapps.com"), { authorization: authorization("CORP\\exchange") });
    await call(POX, pox("canary-person@elsewhere.example"));
    await expect.poll(() => site.gateway.output()).toContain("elsewhere.example");
    const lines = site.gateway
      .output()
      .split("\n")
      .filter((line) => line.includes('"msg":"autodiscover"'))
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        caller: "exchange",
        origin: "exchange",
        wire: "pox",
        result: "settings",
        domains: ["corp.awsapps.com"],
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ caller: "client", result: "not-found", domains: ["elsewhere.example"] }),
    );
    expect(site.gateway.output()).not.toContain("canary-person");
  });
});

describe("whoever has not signed in", () => {
  it.each([POX, SOAP])("learns at %s how to, and that there is a SOAP service, and nothing else", async (path) => {
    for (const body of [undefined, pox("bob@corp.example")]) {
      const { status, text, headers } = await call(path, body, { authorization: "" });
      expect([status, headers["x-soap-enabled"]]).toEqual([401, "True"]);
      expect(headers["www-authenticate"]).toMatch(/^Basic /);
      expect(text).not.toContain("corp.example");
    }
  });

  it("is not asked for a password where Autodiscover is not configured", async () => {
    const plain = await startSite();
    try {
      const base = plain.gateway.url.replace("/EWS/Exchange.asmx", "");
      for (const path of [POX, SOAP]) {
        const reply = await fetch(`${base}${path}`, { method: "POST", body: pox("bob@corp.example") });
        expect([reply.status, reply.headers.get("www-authenticate"), reply.headers.get("x-soap-enabled")]).toEqual([
          404,
          null,
          null,
        ]);
        expect(await reply.text()).toContain("Set autodiscover.url");
      }
    } finally {
      await plain.close();
    }
  });
});

describe("bad input", () => {
  const laughs = '<!DOCTYPE a [<!ENTITY e "canary-entity">]><Autodiscover>&e;</Autodiscover>';

  it.each([
    ["a DTD", laughs],
    ["deep nesting", "<a>".repeat(20_000)],
    ["no XML", "{}"],
    ["nothing", ""],
    ["another namespace", pox("bob@corp.example").replace("outlook", "mobilesync")],
  ])("%s is an invalid request in plain old XML, and a fault or a refusal in SOAP", async (_, body) => {
    const inPox = await call(POX, body);
    expect([inPox.status, element(inPox.text, "ErrorCode")]).toEqual([200, ["600"]]);
    const inSoap = await call(SOAP, body);
    expect([inSoap.status, element(inSoap.text, "faultcode")]).toEqual([500, ["s:Client"]]);
    expect(inSoap.text).not.toContain("canary");
  });

  it("too large, compressed or of another type is refused unread", async () => {
    expect((await call(POX, "x".repeat(70_000))).status).toBe(413);
    expect((await call(POX, pox("bob@corp.example"), { "content-type": "application/json" })).status).toBe(415);
    expect((await call(POX, pox("bob@corp.example"), { "content-encoding": "gzip" })).status).toBe(415);
  });

  it("such as a GET or PUT is told what to do", async () => {
    const got = await call(POX);
    expect([got.status, element(got.text, "ErrorCode")]).toEqual([200, ["600"]]);
    for (const [path, method] of [
      [POX, "PUT"],
      [SOAP, "GET"],
      [SOAP, "DELETE"],
    ] as const) {
      const { status, headers } = await call(path, undefined, {}, method);
      expect([status, headers.allow]).toEqual([405, "POST"]);
    }
  });
});

describe("real clients come from a mail address to somebody's calendar", () => {
  const exchangelib = async (wire: string, mailbox: string) => {
    const script = join(PROJECT, "test/clients/exchangelib_autodiscover_client.py");
    const args = [script, wire, String(site.gateway.port), mailbox, "client@corp.example", PASSWORD, "2026-07-01"];
    const env = { ...process.env, REQUESTS_CA_BUNDLE: caFile };
    const { stdout } = await run(
      "/usr/bin/python3",
      [...args, "alice@corp.example", "bob@corp.example", "nobody@corp.example"],
      {
        env,
        timeout: 25_000,
      },
    );
    return JSON.parse(stdout);
  };

  it.skipIf(!hasExchangelib).each(["pox", "soap"])("exchangelib, by %s", { timeout: 30_000 }, async (wire) => {
    expect(await exchangelib(wire, "bob@corp.example")).toEqual({
      mailbox: "bob@corp.example",
      endpoint: ANYBODY,
      version: expect.stringMatching(/^Exchange201[69]$/),
      people: [["Stand-up", "Summer review"], ["Project Gemini", "Sync"], "ErrorMailRecipientNotFound"],
    });
  });

  it("ews-javascript-api, by AutodiscoverUrl: it looks for the SOAP service without signing in, then asks it", async () => {
    const agent = new GatewayNames();
    const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013);
    service.Credentials = new ews.WebCredentials("client@corp.example", PASSWORD);
    (service.XHRApi as unknown as { requestOptions: object }).requestOptions = { httpsAgent: agent };
    await service.AutodiscoverUrl("bob@corp.example");
    expect(service.Url.ToString()).toBe(ANYBODY);
    expect(new Set(agent.wanted)).toEqual(new Set(["autodiscover.corp.example"]));
    const start = ews.DateTime.Parse("2026-07-01T00:00:00");
    const { AttendeesAvailability: found } = await service.GetUserAvailability(
      [new ews.AttendeeInfo("bob@corp.example")],
      new ews.TimeWindow(start, start.AddDays(1)),
      ews.AvailabilityData.FreeBusy,
    );
    expect(found.Responses[0]?.CalendarEvents.map(({ Details }) => Details?.Subject)).toEqual([
      "Project Gemini",
      "Sync",
    ]);
    expect(agent.wanted).toContain("freebusy.corp.example");
    agent.destroy();
  });

  it.skipIf(!hasCurl)("curl, signed in by NTLM as an address space with OrgWideFB is expected to", async () => {
    const ntlm = await startSite(
      (text) =>
        `${text}autodiscover: { url: '${ANYBODY}' }\nsignIn: { ntlm: { integrityCode: when-promised } }\n`.replace(
          "origin: exchange }",
          "password: 'env:CALLER_PASSWORD', origin: exchange }",
        ),
      { CALLER_PASSWORD: PASSWORD },
    );
    try {
      const url = ntlm.gateway.url.replace("/EWS/Exchange.asmx", POX);
      const sent = ["-H", "Content-Type: text/xml; charset=utf-8", "-d", pox("bob@corp.awsapps.com")];
      const by = async (password: string) =>
        (await run("/usr/bin/curl", ["-sS", "--ntlm", "-u", `CORP\\exchange:${password}`, ...sent, url])).stdout;
      expect(element(await by(PASSWORD), "ASUrl")).toEqual([ANYBODY, ANYBODY]);
      expect(element(await by("wrong"), "ASUrl")).toEqual([]);
    } finally {
      await ntlm.close();
    }
  });

  it("what Exchange does across forests: plain old XML as its account, then EWS where it was told", async () => {
    const exchange = {
      authorization: authorization("CORP\\exchange"),
      "user-agent": "ASAutoDiscover/CrossForest/EmailDomain",
    };
    const { text } = await call(POX, pox("bob@corp.awsapps.com"), exchange);
    const given = new URL(element(text, "ASUrl")[1] ?? "");
    expect(given.hostname).toBe("inside.corp.example");
    const answer = await call(given.pathname, question(["bob@corp.awsapps.com", "alice@corp.example"]), exchange);
    expect(told(answer.text)).toEqual(["FreeBusyMerged", "belongs-to-origin"]);
  });
});
