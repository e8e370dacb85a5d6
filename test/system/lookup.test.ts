/** The JSON look-up, the command that draws it, and free/busy URLs: the real process, asked over real sockets. */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import ICAL from "ical.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { authorization, PASSWORD, PROJECT, type Site, startSite } from "../support/gateway-process.js";

let site: Site;
let base: string;
beforeAll(async () => {
  site = await startSite((text) =>
    text
      .replace("maximumView: MergedOnly }", "maximumView: MergedOnly, freeBusyUrls: true }")
      .replace("maximumView: Detailed }", "maximumView: Detailed, freeBusyUrls: true }")
      .replace(
        "backends:",
        `  - { name: hr, usernames: [hr], passwordHash: 'env:CALLER_HASH', maximumView: Detailed, freeBusyUrls: true, deny: [alice@corp.example], requesterGroups: [{ requesters: [intern@corp.example], maximumView: MergedOnly }] }
  - { name: plain, usernames: [plain], passwordHash: 'env:CALLER_HASH' }
backends:`,
      ),
  );
  base = site.gateway.url.replace("/EWS/Exchange.asmx", "");
});
afterAll(() => site.close());

const DAY = "from=2026-07-01&to=2026-07-02&zone=Europe/Berlin";
const get = (path: string, user = "client@corp.example", headers: Record<string, string> = {}) =>
  fetch(`${base}${path}`, { headers: { authorization: authorization(user), ...headers } });
const postJson = (body: unknown, user = "client@corp.example") =>
  fetch(`${base}/v1/availability`, {
    method: "POST",
    headers: { authorization: authorization(user), "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
interface Entry {
  mailbox: string;
  view?: {
    detail: string;
    merged: string;
    events?: { start: string; end: string; busyType: string; details?: object }[];
  };
  failure?: { reason: string; code: string; sentence: string };
  source?: string;
  learntAt?: string;
}
const entriesOf = async (reply: Response) => ((await reply.json()) as { mailboxes: Entry[] }).mailboxes;
/** As `told` says it of EWS. */
const told = ({ view, failure }: Entry) => failure?.reason ?? view?.detail;

const ajv = formats.default(new Ajv2020({ strict: false }));
const { components } = parse(readFileSync(join(PROJECT, "openapi.yaml"), "utf8")) as { components: object };
const schemaNamed = (name: string) => ajv.compile({ $ref: `#/components/schemas/${name}`, components });
const isAvailability = schemaNamed("Availability");
const isProblem = schemaNamed("Problem");

describe("a look-up in JSON", () => {
  it("answers from both systems, in the order asked, errors alone, and as openapi.yaml describes it", async () => {
    const mailboxes = [
      "bob@corp.example",
      "alice@corp.example",
      "nobody@corp.example",
      "BOB@corp.awsapps.com",
      "x@elsewhere.example",
      "nonsense",
      "carol@corp.example",
    ];
    const reply = await postJson({ mailboxes, from: "2026-07-01", to: "2026-07-02", view: "details" });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
    const answer = (await reply.json()) as { mailboxes: Entry[] };
    isAvailability(answer);
    expect(isAvailability.errors).toBeNull();
    expect(answer.mailboxes.map((entry) => [entry.mailbox, told(entry)])).toEqual([
      ["bob@corp.example", "details"],
      ["alice@corp.example", "details"],
      ["nobody@corp.example", "mailbox-not-found"],
      ["BOB@corp.awsapps.com", "details"],
      ["x@elsewhere.example", "no-address-space"],
      ["nonsense", "invalid-address"],
      ["carol@corp.example", "details"],
    ]);
  });

  it("says the same as EWS to the same question, whoever asks about whom, in what detail and slots", async () => {
    const anyMailbox = fc.constantFrom(
      ...["alice", "bob", "carol", "dave", "erin", "room-einstein", "nobody"].map((name) => `${name}@corp.example`),
      ...["BOB@corp.awsapps.com", "x@elsewhere.example", "nonsense"],
    );
    const views = { merged: "MergedOnly", times: "FreeBusyMerged", details: "DetailedMerged" } as const;
    const anyUser = fc.constantFrom(
      ...["client@corp.example", "slots@corp.example", "exchange@corp.example", "workmail@corp.example", "hr", "plain"],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMailbox, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("merged", "times", "details" as const),
        fc.constantFrom(15, 30, 60),
        anyUser,
        fc.constantFrom("2026-07-01T00:00", "2026-07-01T08:20", "2026-10-24T12:00"),
        async (mailboxes, view, interval, user, from) => {
          const to = new Date(Date.parse(`${from}Z`) + 40 * 3_600_000).toISOString().slice(0, 16);
          const json = await entriesOf(
            await postJson({ mailboxes, from, to, interval, view, zone: "Europe/Berlin" }, user),
          );
          const { text } = await site.ask(mailboxes, {
            ...{ user, interval, view: views[view], start: `${from}:00`, end: `${to}:00` },
          });
          expect(json.map(comparable)).toEqual(ewsEntries(text));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("shows each caller no more than its configured view, and says who may not be asked about", async () => {
    const path = `/v1/availability?mailbox=alice@corp.example&mailbox=bob@corp.example&view=details&${DAY}`;
    const seen = async (user: string, more = "") => (await entriesOf(await get(path + more, user))).map(told);
    expect(await seen("plain")).toEqual(["times", "times"]);
    expect(await seen("slots@corp.example")).toEqual(["merged", "merged"]);
    expect(await seen("exchange@corp.example")).toEqual(["belongs-to-origin", "times"]);
    expect(await seen("hr")).toEqual(["not-disclosed", "details"]);
    expect(await seen("hr", "&requester=Intern@corp.example")).toEqual(["not-disclosed", "merged"]);
    const private_ = await get(
      "/v1/availability?mailbox=alice@corp.example&view=details&from=2026-07-02&to=2026-07-03",
    );
    expect(await private_.text()).toMatch(/^(?!.*Doctor).*"isPrivate":true/);
  });

  it("marks what comes from the cache and how old it is, and confirms it with 304 as long as nothing has changed", async () => {
    const path = "/v1/availability?mailbox=dave@corp.example&from=2031-01-06&to=2031-01-07";
    const first = await get(path);
    const etag = first.headers.get("etag") ?? "";
    expect([etag, first.headers.get("cache-control"), first.headers.get("vary")]).toEqual([
      expect.stringMatching(/^W\/"[\w-]{27}"$/),
      "private, no-cache",
      "authorization",
    ]);
    const [fresh] = await entriesOf(first);
    const second = await get(path, "client@corp.example", { "if-none-match": '"x"' });
    expect([second.status, second.headers.get("etag"), second.headers.get("age")]).toEqual([
      200,
      etag,
      expect.stringMatching(/^\d+$/),
    ]);
    const [kept] = await entriesOf(second);
    expect([fresh?.source, kept?.source, kept?.learntAt]).toEqual(["fresh", "cache", fresh?.learntAt]);
    for (const known of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
      const third = await get(path, "client@corp.example", { "if-none-match": known });
      expect([third.status, third.headers.get("etag"), await third.text()]).toEqual([304, etag, ""]);
    }
    const other = path.replace("2031-01-07", "2031-01-08");
    expect((await get(other, "client@corp.example", { "if-none-match": etag })).status).toBe(200);
  });

  it("tells everything that is wrong with a question at once, and repeats no value of it", async () => {
    const reply = await get("/v1/availability?from=canary&interval=3&view=canary&canary=1&to=2026-07-01&to=2026-07-02");
    expect([reply.status, reply.headers.get("content-type")]).toEqual([400, "application/problem+json; charset=utf-8"]);
    const problem = (await reply.json()) as { problems: { parameter: string; problem: string }[] };
    isProblem(problem);
    expect(isProblem.errors).toBeNull();
    expect(problem.problems.map(({ parameter }) => parameter)).toEqual([
      ...["canary", "from", "to", "view", "mailbox", "interval"],
    ]);
    expect(JSON.stringify(problem.problems.slice(1))).not.toContain("canary");
    expect(site.gateway.output()).not.toContain("canary");
  });

  it.each([
    ["not JSON", '{"mailboxes":'],
    ["nothing", ""],
    ["a list", "[]"],
    ["null", "null"],
    ["a name that would reach into prototypes", '{"__proto__":{"mailboxes":["a@corp.example"]}}'],
    ["a very deep one", "[".repeat(100_000)],
  ])("refuses a body that is %s, as a problem", async (_, body) => {
    const reply = await postJson(body);
    const problem = await reply.json();
    expect([reply.status, isProblem(problem)]).toEqual([400, true]);
  });

  it("is for callers who have signed in, whatever they send, and for no other method", async () => {
    for (const user of ["nobody", "client@corp.example\u0000"]) {
      expect((await get(`/v1/availability?mailbox=alice@corp.example&${DAY}`, user)).status).toBe(401);
    }
    const bare = await fetch(`${base}/V1/Availability`, { method: "POST", body: "x" });
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([401, expect.stringContaining("Basic")]);
    const put = await fetch(`${base}/v1/availability`, { method: "PUT", headers: { authorization: authorization() } });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  });

  it("asks nobody again what one of our own questions, come back, asks", async () => {
    const reply = await get(`/v1/availability?mailbox=bob@corp.example&${DAY}`, "plain", { "x-freebusy-hop": "1" });
    expect((await entriesOf(reply)).map(told)).toEqual(["loop-detected"]);
  });
});

describe("a free/busy URL", () => {
  it("gives busy stretches that another reader understands, and nothing about what they are", async () => {
    const reply = await get("/v1/freebusy/alice@corp.example.ifb?from=2026-07-01&to=2026-07-03&zone=Europe/Berlin");
    expect(reply.headers.get("content-type")).toMatch(/^text\/calendar; charset=utf-8/);
    const text = await reply.text();
    const component = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vfreebusy");
    const periods = component
      ?.getAllProperties("freebusy")
      .map((one) => [one.getParameter("fbtype"), one.getFirstValue()?.toString()]);
    expect(periods).toEqual([
      ["BUSY", "2026-07-01T07:00:00Z/2026-07-01T07:30:00Z"],
      ["BUSY", "2026-07-01T12:00:00Z/2026-07-01T13:00:00Z"],
      ["BUSY", "2026-07-02T08:00:00Z/2026-07-02T09:00:00Z"],
    ]);
    expect(text).not.toMatch(/SUMMARY|Stand-up|Doctor|Einstein/);
  });

  it("covers today and two months on where nothing is said, and is confirmed with 304", async () => {
    const reply = await get("/V1/FreeBusy/BOB@corp.awsapps.com.IFB", "slots@corp.example");
    const component = new ICAL.Component(ICAL.parse(await reply.text())).getFirstSubcomponent("vfreebusy");
    const [from, to] = ["dtstart", "dtend"].map((name) =>
      Date.parse(String(component?.getFirstPropertyValue(name))),
    ) as [number, number];
    expect([from <= Date.now() - 86_400_000, (to - from) / 86_400_000]).toEqual([true, 62]);
    expect(component?.getAllProperties("freebusy").length).toBeGreaterThan(40);
    const etag = reply.headers.get("etag") ?? "";
    const again = await get("/v1/freebusy/bob@corp.awsapps.com.ifb", "slots@corp.example", { "if-none-match": etag });
    expect(again.status).toBe(304);
  });

  it("is an error where there is no answer, never a calendar that reads as free", async () => {
    const refused = async (file: string, user = "client@corp.example") => {
      const reply = await get(`/v1/freebusy/${file}`, user);
      expect(reply.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      return [reply.status, ((await reply.json()) as { detail: string }).detail.match(/\[(.+)\]$/)?.[1]];
    };
    expect(await refused("nobody@corp.example.ifb")).toEqual([404, "mailbox-not-found"]);
    expect(await refused("nonsense.ifb")).toEqual([404, "invalid-address"]);
    expect(await refused(`${"x".repeat(60)}@${"y".repeat(60)}.example.ifb`)).toEqual([404, "no-address-space"]);
    expect(await refused("alice@corp.example.ifb", "hr")).toEqual([403, "not-disclosed"]);
    expect(await refused("alice@corp.example")).toEqual([404, undefined]);
    expect(await refused("bob@corp.example.ifb?from=2026-07-01")).toEqual([400, undefined]);
    expect(await refused("alice@corp.example.ifb", "plain")).toEqual([403, undefined]);
    site.exchange.behaviour.mode = "html-500";
    try {
      expect(await refused("carol@corp.example.ifb?from=2033-01-01&to=2033-01-02")).toEqual([502, expect.any(String)]);
    } finally {
      site.exchange.behaviour.mode = "normal";
    }
  });

  it("needs somebody signed in", async () => {
    expect((await fetch(`${base}/v1/freebusy/alice@corp.example.ifb`)).status).toBe(401);
  });
});

describe("freebusy lookup", () => {
  const freebusy = (args: string[], environment: Record<string, string> = {}) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      const { FREEBUSY_PASSWORD: _, FREEBUSY_USER: __, ...rest } = process.env;
      const child = spawn(process.execPath, [join(PROJECT, "dist/src/main.js"), "lookup", ...args], {
        env: { ...rest, FREEBUSY_PASSWORD: PASSWORD, COLUMNS: "80", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString();
      });
      child.on("close", (code) => resolve({ code, out, err }));
    });
  const asClient = (...args: string[]) => freebusy([...args, "--user", "client@corp.example", "--url", base]);

  it("draws who is busy when, without colour where there is no terminal, and ends with 0", async () => {
    const { code, out } = await asClient(
      ...["alice@corp.example", "bob@corp.example", "--from", "2026-07-01", "--zone", "Europe/Berlin"],
    );
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 4)).toEqual([
      "Wednesday 2026-07-01, Europe/Berlin",
      "                   00  02  04  06  08  10  12  14  16  18  20  22",
      "alice@corp.example ..................#.........##..................",
      "bob@corp.example   ..................##..#.........................",
    ]);
    expect(out).not.toContain("\u001b");
  });

  it("ends with 3 and names the reason where a mailbox failed, and never draws it free", async () => {
    const { code, out } = await asClient("nobody@corp.example", "alice@corp.example", "--from", "2026-07-01");
    expect([code, out]).toEqual([3, expect.stringMatching(/^nobody@corp\.example \?+$/m)]);
    expect(out).toMatch(/^nobody@corp\.example: .*\[mailbox-not-found\]$/m);
  });

  it("gives programs the gateway's own answer", async () => {
    const { code, out } = await asClient("bob@corp.example", "--json", "--view", "details", "--from", "2026-07-01");
    const answer = JSON.parse(out);
    expect([code, isAvailability(answer), told(answer.mailboxes[0])]).toEqual([0, true, "details"]);
  });

  it.each([
    [["--user", "u"], "MAILBOX"],
    [["a@b.example"], "--user"],
    [["a@b.example", "--user", "u"], "--url URL or --config"],
    [["a@b.example", "--user", "u", "--url", "nonsense"], "no URL"],
    [["a@b.example", "--user", "u", "--url", "https://u:secret@gw.example"], "FREEBUSY_PASSWORD"],
    [["a@b.example", "--user", "u", "--url", "http://gw.example"], "unencrypted"],
    [["a@b.example", "--user", "u", "--url", "https://gw.example", "--from", "heute"], "--from"],
    [["a@b.example", "--user", "u", "--url", "https://gw.example", "--zone", "Berln"], "--zone"],
    [["a@b.example", "--user", "u", "--url", "https://gw.example", "--interval", "x"], "--interval"],
    [["a@b.example", "--nonsense"], "--nonsense"],
    [["a@b.example", "--user", "u", "--config", "/nonexistent.yaml"], "ENOENT"],
  ])("ends with 2 for %j and names what is wrong", async (args, named) => {
    const { code, err } = await freebusy(args);
    expect([code, err]).toEqual([2, expect.stringContaining(named)]);
    expect(err).not.toContain("secret");
  });

  it("ends with 2 and all that the gateway finds wrong, in the command line's own words", async () => {
    const { code, err } = await asClient(
      "a@corp.example",
      "--from",
      "2026-07-01",
      "--to",
      "2026-12-01",
      "--interval",
      "3",
    );
    expect([code, err]).toEqual([2, expect.stringMatching(/--to is too far[\s\S]*--interval does not fit/)]);
  });

  it("ends with 1 where it is not let in, where nobody answers, and where something else does", async () => {
    const args = ["alice@corp.example", "--user", "client@corp.example"];
    expect(await freebusy([...args, "--url", base], { FREEBUSY_PASSWORD: "wrong-canary" })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^(?!.*canary).*unknown name or wrong password/),
    });
    expect(await freebusy([...args, "--url", "http://127.0.0.1:9"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("No gateway answers"),
    });
    expect(await freebusy([...args, "--url", site.gateway.management])).toMatchObject({
      code: 1,
      err: expect.stringContaining("HTTP 404"),
    });
  });

  it("asks for a password only on a terminal, and explains itself", async () => {
    const child = spawn(
      process.execPath,
      [join(PROJECT, "dist/src/main.js"), "lookup", "a@b.example", "--user", "u", "--url", base],
      { env: { PATH: process.env.PATH }, stdio: ["pipe", "ignore", "pipe"] },
    );
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(2);
    expect(err).toContain("no terminal to ask for it");
    expect(await freebusy(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("Exit codes: 0") });
  });
});

/** An entry in the form that both wires can be brought to. */
function comparable({ view, failure }: Entry) {
  if (failure !== undefined) return failure.reason;
  const events = view?.events?.map(({ start, end, busyType, details }) => ({
    start: wallClock(start),
    end: wallClock(end),
    busyType,
    subject: (details as { subject?: string } | undefined)?.subject,
  }));
  return { detail: view?.detail, merged: view?.merged, events };
}

function wallClock(instant: string): string {
  return new Date(instant).toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).replace(" ", "T");
}

const DETAIL: Readonly<Record<string, string>> = {
  MergedOnly: "merged",
  FreeBusyMerged: "times",
  DetailedMerged: "details",
};

function ewsEntries(text: string) {
  return text
    .split("<m:FreeBusyResponse>")
    .slice(1)
    .map((entry) => {
      const reason = /\[([a-z-]+)\]<\/m:MessageText>/.exec(entry)?.[1];
      if (reason !== undefined) return reason;
      const value = (name: string, of = entry) => new RegExp(`<t:${name}>([^<]*)<`).exec(of)?.[1];
      const detail = DETAIL[value("FreeBusyViewType") ?? ""];
      const events = [...entry.matchAll(/<t:CalendarEvent>.*?<\/t:CalendarEvent>/gs)].map(([event]) => ({
        start: value("StartTime", event),
        end: value("EndTime", event),
        busyType: value("BusyType", event),
        subject: value("Subject", event),
      }));
      return { detail, merged: value("MergedFreeBusy"), events: detail === "merged" ? undefined : events };
    });
}
