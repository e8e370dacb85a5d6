/** The console and the synthetic probes of the real process, over real sockets. */

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseConfiguration } from "../../src/config/load-configuration.js";
import { authorization, CALLER_HASH, type Site, siteConfiguration, startSite } from "../support/gateway-process.js";

const CONSOLE =
  "console: { username: admin, passwordHash: 'env:CALLER_HASH', maximumView: Detailed, deny: [dave@corp.example] }";
const PROBES = `
probes:
  - { name: to-workmail, as: exchange, mailbox: bob@corp.example, everySeconds: 5 }
  - { name: to-itself, as: exchange, mailbox: alice@corp.example }
  - { name: in-detail, mailbox: room-einstein@corp.example, expect: Detailed }
cache: { staleIfErrorSeconds: 3600 }
`;
const withConsole = (text: string, settings = CONSOLE) =>
  text.replace("management: { port: MANAGEMENT_PORT }", `management: { port: MANAGEMENT_PORT, ${settings} }`);
const HOSTILE = `"><img src=x onerror=alert(1)><b>'&`;

let site: Site;
beforeAll(async () => {
  site = await startSite((text) => withConsole(text) + PROBES);
});
afterAll(() => site.close());

const admin = { authorization: authorization("admin") };
const get = (path: string, headers: Record<string, string> = admin) =>
  fetch(`${site.gateway.management}${path}`, { headers, redirect: "manual" });
const lookUp = (form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${site.gateway.management}/console/lookup`, {
    method: "POST",
    headers: { ...admin, origin: site.gateway.management, ...headers },
    body: new URLSearchParams({
      mailboxes: "",
      from: "2026-07-01",
      days: "1",
      as: "none",
      zone: "Europe/Berlin",
      ...form,
    }),
  });
/** Per mailbox of a look-up: the words of its strip. */
const strips = (page: string) =>
  [...page.matchAll(/class="strip" role="img" aria-label="([^"]*)"/g)].map((match) => match[1]);
const cacheOf = (page: string) => [...page.matchAll(/data-column="Cache"[^>]*><div>(\w+)</g)].map((match) => match[1]);

describe("the console", () => {
  it("is shown to nobody who has not signed in, on any of its paths, and says so with the same headers", async () => {
    const style = /href="(\/console\/assets\/style-[^"]+)"/.exec(await (await get("/console")).text())?.[1] as string;
    for (const path of ["/console", "/CONSOLE", "/console/recent", "/console/lookup", "/console/reasons", style]) {
      for (const headers of [
        {},
        { authorization: authorization("admin", "wrong") },
        { authorization: authorization() },
      ]) {
        const reply = await get(path, headers as Record<string, string>);
        expect([path, reply.status]).toEqual([path, 401]);
        expect(reply.headers.get("www-authenticate")).toMatch(/^Basic /);
        expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");
        expect(await reply.text()).not.toContain("<");
      }
    }
    const posted = await lookUp({ mailboxes: "bob@corp.example" }, { authorization: authorization() });
    expect(posted.status).toBe(401);
    // What needs no console needs no password, as before.
    expect((await get("/healthz", {})).status).toBe(200);
  });

  it("makes somebody who guesses wait", async () => {
    const own = await startSite((text) => withConsole(text));
    try {
      const guess = (i: number) =>
        fetch(`${own.gateway.management}/console`, {
          headers: { authorization: authorization("admin", `guess ${i}`) },
        });
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) statuses.push((await guess(i)).status);
      expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
      expect(statuses).toContain(429);
    } finally {
      await own.close();
    }
  });

  it("is not there unless it is configured", async () => {
    const own = await startSite();
    try {
      expect((await fetch(`${own.gateway.management}/console`, { headers: admin })).status).toBe(404);
    } finally {
      await own.close();
    }
  });

  it("lets pages run nothing and be kept by nobody, and its style be kept for good", async () => {
    for (const path of ["/console", "/console/recent", "/console/lookup", "/console/reasons"]) {
      const reply = await get(path);
      const csp = reply.headers.get("content-security-policy");
      expect([reply.status, csp?.includes("unsafe"), csp?.includes("script-src")]).toEqual([200, false, false]);
      expect(csp).toMatch(/^default-src 'none'; style-src 'self'; .*frame-ancestors 'none'/);
      expect(reply.headers.get("cache-control")).toBe("no-store");
      const text = await reply.text();
      expect(text).not.toMatch(/<script|<style| style=| on[a-z]+="|https?:\/\/(?!127)/i);
      for (const [, asset = ""] of text.matchAll(/(?:href|src)="(\/console\/assets\/[^"]+)"/g)) {
        const kept = await get(asset);
        expect([kept.status, kept.headers.get("cache-control")]).toEqual([200, "private, max-age=31536000, immutable"]);
        const hash = createHash("sha256")
          .update(await kept.text())
          .digest("hex")
          .slice(0, 16);
        expect(asset).toContain(hash);
      }
    }
  });

  it("draws who is free when, from both systems, each mailbox with its way and its reason", async () => {
    const reply = await lookUp({
      mailboxes: "bob@corp.example\nalice@corp.example\ncarol@corp.example\nnobody@corp.example\ndave@corp.example",
    });
    expect(reply.status).toBe(200);
    const page = await reply.text();
    expect(strips(page)).toEqual([
      "busy 09:00–10:00 Project Gemini; busy 11:00–11:30 Sync; otherwise free",
      "busy 09:00–09:30 Stand-up; busy 14:00–15:00 Summer review; otherwise free",
      "free all day",
      "not known all day",
      "not known all day",
      expect.stringMatching(/^not known 00:00–09:00; busy 09:00–10:00; not known 10:00–11:00; .*; otherwise free$/),
    ]);
    expect(page).toMatch(/id="reason-mailbox-not-found"[\s\S]*id="reason-not-disclosed"/);
    // Whom the console may not see, nobody was asked about.
    expect(site.exchange.asked.flatMap(({ mailboxes }) => mailboxes).join()).not.toContain("dave@");
  });

  it("asks as a system would, and shows that it is not asked back", async () => {
    const page = await (await lookUp({ mailboxes: "alice@corp.example bob@corp.example", as: "exchange" })).text();
    expect(page).toContain('id="reason-belongs-to-origin"');
    expect(strips(page)[0]).toBe("not known all day");
    expect(strips(page)[1]).toContain("Project Gemini");
  });

  it("shows hostile subjects and mailboxes as text", async () => {
    site.workmail.calendar.set("mallory@corp.example", {
      timeZone: "Europe/Berlin",
      events: [{ start: "2026-07-01T09:00:00", end: "2026-07-01T17:00:00", busy: "Busy", subject: HOSTILE }],
    });
    const page = await (await lookUp({ mailboxes: `mallory@corp.awsapps.com\n${HOSTILE}` })).text();
    expect(page).toContain("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;b&gt;&#39;&amp;");
    expect(page).not.toMatch(/<img src=x|<b>'/);
  });

  it("asks for nobody whose browser was sent here by another page", async () => {
    const before = site.exchange.asked.length;
    const from = (headers: Record<string, string>) =>
      lookUp({ mailboxes: "carol@corp.example", from: "2026-08-01" }, headers);
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "" },
      { origin: site.gateway.management, "sec-fetch-site": "cross-site" },
      { origin: site.gateway.management, "sec-fetch-site": "same-site" },
    ]) {
      expect([headers, (await from(headers)).status]).toEqual([headers, 403]);
    }
    expect(site.exchange.asked.slice(before).filter(({ mailboxes }) => mailboxes.join().includes("carol"))).toEqual([]);
    expect((await from({ origin: "https://console.example", "sec-fetch-site": "same-origin" })).status).toBe(200);
  });

  it("refuses what is no form, or too large, without a word about itself", async () => {
    const json = await lookUp({}, { "content-type": "application/json" });
    expect(json.status).toBe(415);
    const large = await lookUp({ mailboxes: "x".repeat(20_000) });
    expect(large.status).toBe(413);
    expect((await lookUp({ mailboxes: "" })).status).toBe(400);
    expect(await large.text()).not.toContain("Error:");
  });

  it("remembers look-ups with hashes for addresses, and finds them by address", async () => {
    await site.ask(["erin@corp.example"], { user: "exchange@corp.example" });
    const hash = createHash("sha256").update("erin@corp.example").digest("hex").slice(0, 12);
    const page = await (await get("/console/recent?q=Erin@corp.example")).text();
    expect(page).toContain(hash);
    expect(page.replace(/<form[\s\S]*<\/form>/, "")).not.toContain("erin@");
    expect(page).toContain("as exchange");
    // Whatever the system asks by itself is told elsewhere.
    expect(await (await get("/console/recent")).text()).not.toContain("probe:");
    await lookUp({ mailboxes: "erin@corp.example" });
    // Log lines leave a little later.
    await vi.waitFor(() => expect(site.gateway.output()).toContain('"caller":"console:admin"'));
  });

  it("asks anew, past what is kept, even when that ends in a failure", async () => {
    const form = { mailboxes: "erin@corp.example", from: "2026-09-01" };
    const first = await (await lookUp(form)).text();
    expect([cacheOf(first), cacheOf(await (await lookUp(form)).text())]).toEqual([["miss"], ["hit"]]);
    expect(cacheOf(await (await lookUp({ ...form, anew: "yes" })).text())).toEqual(["miss"]);
    site.workmail.behaviour.mode = "html-500";
    try {
      expect(strips(await (await lookUp(form)).text())).toEqual([
        "tentative 15:00–18:00 Customer visits; otherwise free",
      ]);
      expect(strips(await (await lookUp({ ...form, anew: "yes" })).text())).toEqual(["not known all day"]);
    } finally {
      site.workmail.behaviour.mode = "normal";
    }
  });
});

describe("synthetic probes", () => {
  const readiness = async () => {
    const reply = await get("/readyz", {});
    return {
      status: reply.status,
      body: (await reply.json()) as { probes: Record<string, { result: string; reason: string | null; as: string }> },
    };
  };

  it("are told in metrics, readiness, log and console, and make nobody less ready", async () => {
    await vi.waitFor(async () => {
      const { probes } = (await readiness()).body;
      expect(Object.values(probes).map(({ as, result, reason }) => [as, reason ?? result])).toEqual([
        ["exchange", "success"],
        ["exchange", "belongs-to-origin"],
        ["none", "less-than-expected"],
      ]);
    }, 10_000);
    expect((await readiness()).status).toBe(200);
    const metrics = await (await get("/metrics", {})).text();
    expect(metrics).toContain('freebusy_probe_success{probe="to-workmail",as="exchange"} 1');
    expect(metrics).toContain('freebusy_probe_success{probe="to-itself",as="exchange"} 0');
    expect(metrics).toMatch(/freebusy_probe_seconds\{probe="to-workmail",as="exchange"\} [\d.e-]+/);
    expect(metrics).toMatch(
      /freebusy_probe_last_success_timestamp_seconds\{probe="to-workmail",as="exchange"\} 1\d{9}/,
    );
    expect(metrics).not.toContain('freebusy_probe_last_success_timestamp_seconds{probe="to-itself"');
    expect(site.gateway.output()).toMatch(
      /"probe":"to-itself","as":"exchange","reason":"belongs-to-origin".*"msg":"probe fails"/,
    );
    const page = await (await get("/console")).text();
    expect(page).toContain("Probes that fail: to-itself, in-detail.");
    expect(JSON.stringify((await readiness()).body.probes)).not.toContain("@");
  });

  it("notice a system that fails although its answers are kept, and one that is well again", async () => {
    site.workmail.behaviour.mode = "html-500";
    const isNow = (result: string) =>
      vi.waitFor(async () => expect((await readiness()).body.probes["to-workmail"]?.result).toBe(result), {
        timeout: 12_000,
        interval: 200,
      });
    await isNow("failure");
    site.workmail.behaviour.mode = "normal";
    await isNow("success");
    // Log lines leave a little later.
    await vi.waitFor(() => {
      const told = site.gateway.output().matchAll(/"probe":"to-workmail".*"msg":"(probe \w+)"/g);
      expect([...told].map((match) => match[1])).toEqual(["probe succeeds", "probe fails", "probe succeeds"]);
    });
  }, 30_000);
});

describe("their configuration", () => {
  const problemsOf = (change: (text: string) => string) => {
    try {
      parseConfiguration(
        "f",
        change(
          siteConfiguration("http://127.0.0.1:1", "http://127.0.0.1:2")
            .replace("LISTEN_PORT", "1")
            .replace("MANAGEMENT_PORT", "2"),
        ),
        {
          CALLER_HASH,
          BACKEND_PASSWORD: "x",
        },
      );
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const managed = (settings: string) => (text: string) =>
    text.replace("management: { port: 2 }", `management: { port: 2, ${settings} }`);

  it("is refused with all that is wrong, each with its place", () => {
    const console = "console: { username: 'a:b', passwordHash: plain, timeZone: Mars/Olympus }";
    expect(problemsOf(managed(console))).toMatch(
      /console\.username: .*colon[\s\S]*console\.passwordHash: is not an argon2[\s\S]*console\.timeZone: is no time zone/,
    );
    const probes =
      "\nprobes: [{ name: a, mailbox: bob@corp.example, as: nowhere }, { name: a, mailbox: bob, everySeconds: 1 }]";
    const told = problemsOf((text) => text + probes);
    for (const place of [
      "probes.1.mailbox: is not an SMTP",
      "probes.1.everySeconds",
      "probes.0.as: there is no backend 'nowhere'",
      "probes.1.name: a is given twice",
    ]) {
      expect(told).toContain(place);
    }
  });

  it("lets no password travel in clear unless somebody says that it does not", () => {
    const console = (more: string) =>
      `host: 0.0.0.0, console: { username: admin, passwordHash: 'env:CALLER_HASH'${more} }`;
    expect(problemsOf(managed(console("")))).toContain("the console's password would travel in clear");
    expect(problemsOf(managed(console(", allowPlainHttp: true")))).toBe("");
    expect(problemsOf(managed("host: 0.0.0.0"))).toBe("");
  });
});
