import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mode } from "../../simulators/ews-simulator.js";
import {
  authorization,
  BACKEND_PASSWORD,
  NAMESPACES,
  post,
  type Site,
  startSite,
  told,
} from "../support/gateway-process.js";
import { read, samples, validate } from "../support/shared.js";

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

/** A window nobody asked about before, so that nothing comes from the cache. */
let week = 0;
const fresh = () => {
  const day = new Date(Date.UTC(2030, 0, 7 + 7 * week++)).toISOString().slice(0, 10);
  const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
  return { start: `${day}T00:00:00`, end: `${next}T00:00:00` };
};

describe("one process between two systems", () => {
  it("answers from both, each position its own mailbox, errors alone", async () => {
    const { status, text } = await site.ask([
      "bob@corp.example",
      "alice@corp.example",
      "nobody@corp.example",
      "BOB@corp.awsapps.com",
      "x@elsewhere.example",
      "nonsense",
    ]);
    expect(status).toBe(200);
    expect(told(text)).toEqual([
      "DetailedMerged Project Gemini Sync",
      "DetailedMerged Stand-up Summer review",
      "mailbox-not-found",
      "DetailedMerged Project Gemini Sync",
      "no-address-space",
      "invalid-address",
    ]);
    validate(text);
  });

  it("gives times in the asker's zone and working hours in the owner's", async () => {
    const body = await read(
      (await site.ask(["carol@corp.example"], { start: "2026-07-02T00:00:00", end: "2026-07-03T00:00:00" })).text,
    );
    const view = body.GetUserAvailabilityResponse.FreeBusyResponseArray.FreeBusyResponse.FreeBusyView;
    expect(view.CalendarEventArray.CalendarEvent.StartTime).toBe("2026-07-02T17:30:00");
    expect(view.WorkingHours.TimeZone.Bias).toBe("480");
    expect(view.WorkingHours.WorkingPeriodArray.WorkingPeriod.StartTimeInMinutes).toBe("540");
  });

  it("asks its own canonical question: UTC, one request per backend, the version the backend knows", async () => {
    const before = [site.exchange.asked.length, site.workmail.asked.length] as const;
    await site.ask(
      ["alice@corp.example", "bob@corp.example", "carol@corp.example", "erin@corp.example", "alice@corp.example"],
      fresh(),
    );
    const [toExchange, toWorkMail] = [site.exchange.asked.slice(before[0]), site.workmail.asked.slice(before[1])];
    expect(toExchange.map(({ mailboxes, version }) => [mailboxes, version])).toEqual([
      [["alice@corp.example", "carol@corp.example"], "Exchange2013"],
    ]);
    expect(toWorkMail.map(({ mailboxes, version }) => [mailboxes, version])).toEqual([
      [["bob@corp.example", "erin@corp.example"], "Exchange2010_SP2"],
    ]);
    for (const { start, end } of [...toExchange, ...toWorkMail])
      expect(`${start} ${end}`).toMatch(/^\S+T00:00:00 \S+T00:00:00$/);
  });

  it("cuts a long window for a backend that takes 42 days, and counts a meeting at the cut once", async () => {
    const before = site.workmail.asked.length;
    const { text } = await site.ask(["bob@corp.example"], { start: "2026-06-01T00:00:00", end: "2026-08-02T00:00:00" });
    expect(site.workmail.asked.length - before).toBe(2);
    expect(told(text)[0]?.match(/Project Gemini/g)).toHaveLength(1);
    const days = new Set([...text.matchAll(/<t:StartTime>([^<]+)</g)].map((match) => match[1]));
    expect([...text.matchAll(/<t:CalendarEvent>/g)].length).toBeGreaterThanOrEqual(days.size);
    expect(told(text)[0]?.match(/Sync/g)).toHaveLength(45);
  });

  it("never sends a mailbox back to the system that asks", async () => {
    const before = site.exchange.asked.length;
    const { text } = await site.ask(["alice@corp.example", "bob@corp.example"], { user: "corp\\EXCHANGE", ...fresh() });
    expect(told(text)).toEqual(["belongs-to-origin", "FreeBusyMerged"]);
    expect(site.exchange.asked.length).toBe(before);
  });

  it("shows each caller no more than its configured view, also from the cache", async () => {
    const window = { start: "2026-07-01T00:00:00", end: "2026-07-02T00:00:00" };
    await site.ask(["bob@corp.example"], window);
    expect(told((await site.ask(["bob@corp.example"], { ...window, user: "exchange@corp.example" })).text)).toEqual([
      "FreeBusyMerged",
    ]);
    const { text } = await site.ask(["bob@corp.example"], { ...window, user: "slots@corp.example" });
    expect(told(text)).toEqual(["MergedOnly"]);
    expect(text).toContain(`${"0".repeat(18)}220020${"0".repeat(24)}`);
  });

  it("shows no more than the backend gave, and no text of private events", async () => {
    const { text } = await site.ask(["room-einstein@corp.example", "alice@corp.example"], {
      start: "2026-07-02T00:00:00",
      end: "2026-07-03T00:00:00",
    });
    expect(told(text)).toEqual(["FreeBusyMerged", "DetailedMerged"]);
    expect(text).toContain("<t:IsPrivate>true</t:IsPrivate>");
    expect(text).not.toContain("Doctor");
  });

  it("says that it does not suggest times, beside the free/busy data or alone", async () => {
    const options =
      "<t:SuggestionsViewOptions><t:DetailedSuggestionsWindow><t:StartTime>2026-07-01T00:00:00</t:StartTime><t:EndTime>2026-07-02T00:00:00</t:EndTime></t:DetailedSuggestionsWindow></t:SuggestionsViewOptions>";
    const { text } = await post(
      site.gateway.url,
      `<s:Envelope ${NAMESPACES}><s:Body><m:GetUserAvailabilityRequest><m:MailboxDataArray><t:MailboxData><t:Email><t:Address>alice@corp.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray>${options}</m:GetUserAvailabilityRequest></s:Body></s:Envelope>`,
    );
    expect(text).toContain("ErrorMeetingSuggestionGenerationFailed");
    expect(text).not.toContain("FreeBusyResponseArray");
    validate(text);
  });

  it.each(samples(/^req-/))("answers %s sensibly", async (_, text) => {
    const { status, text: answer } = await post(site.gateway.url, text);
    if (status === 500) expect(answer).toMatch(/a:Error(SchemaValidation)</);
    else {
      expect(status).toBe(200);
      const count = [...text.matchAll(/<(\w+:)?MailboxData[ >]/g)].length;
      if (/<(\w+:)?FreeBusyViewOptions/.test(text))
        expect([...answer.matchAll(/<m:FreeBusyResponse>/g)]).toHaveLength(count);
    }
    validate(answer);
  });
});

describe("a backend in trouble costs its own mailboxes only, with a reason", () => {
  const expected: [Mode, string][] = [
    ["busy", "backend-busy"],
    ["busy-200", "backend-busy"],
    ["unavailable", "backend-busy"],
    ["throttled", "backend-busy"],
    ["hang", "backend-timeout"],
    ["drip", "backend-timeout"],
    ["reset", "backend-unreachable"],
    ["half", "backend-unreachable"],
    ["garbage", "backend-unreadable"],
    ["html", "backend-unreadable"],
    ["empty", "backend-unreadable"],
    ["gzip", "backend-unreadable"],
    ["bad-event", "backend-unreadable"],
    ["too-few", "backend-wrong-count"],
    ["too-many", "backend-wrong-count"],
    ["forbidden", "backend-denied-access"],
    ["redirect", "backend-http-error"],
    ["html-500", "backend-http-error"],
    ["fault-200", "backend-fault"],
  ];
  for (const side of ["exchange", "workmail"] as const) {
    it.each(expected)(`${side} in mode %s: %s`, async (mode, reason) => {
      const simulator = site[side];
      const [mine, other] =
        side === "exchange" ? ["carol@corp.example", "bob@corp.example"] : ["bob@corp.example", "carol@corp.example"];
      simulator.behaviour.mode = mode;
      simulator.behaviour.backOffMs = 500;
      try {
        const window = fresh();
        const { status, text, ms } = await site.ask([mine, other, mine], window);
        expect(status).toBe(200);
        expect(told(text)).toEqual([reason, expect.stringMatching(/^DetailedMerged/), reason]);
        expect(ms).toBeLessThan(3000);
        validate(text);
        simulator.behaviour.mode = "normal";
        // At once, or when the account has been left alone for as long as the backend wished.
        await expect
          .poll(async () => told((await site.ask([mine], window)).text)[0], { timeout: 5000 })
          .toMatch(/^DetailedMerged/);
      } finally {
        simulator.behaviour.mode = "normal";
      }
    });
  }

  it("a password that is refused is tried once, and again only when it has changed", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "secret-")), "password");
    writeFileSync(file, "expired\n");
    const other = await startSite((text) =>
      text.replace("password: 'env:BACKEND_PASSWORD'", `password: 'file:${file}', checkSecretsSeconds: 1`),
    );
    const ask = async () => told((await other.ask(["carol@corp.example", "bob@corp.example"], fresh())).text);
    try {
      const refused = ["backend-refused-credentials", expect.stringMatching(/^DetailedMerged/)];
      for (let i = 0; i < 5; i++) expect(await ask()).toEqual(refused);
      expect(other.exchange.refused).toBe(1);
      const ready = (await (await fetch(`${other.gateway.management}/readyz`)).json()) as {
        backends: Record<string, { accounts: { setAsideUntil?: number; problem?: string }[] }>;
      };
      expect(ready.backends.exchange?.accounts[0]).toMatchObject({
        setAsideUntil: expect.any(Number),
        problem: "HTTP 401",
      });
      writeFileSync(file, `${BACKEND_PASSWORD}\n`);
      await expect.poll(async () => (await ask())[0], { timeout: 10_000 }).toMatch(/^DetailedMerged/);
      expect(other.exchange.refused).toBe(1);
    } finally {
      await other.close();
    }
  });

  it("one mailbox failing alone does so with its own code", async () => {
    site.exchange.behaviour.failing = {
      "carol@corp.example": "ErrorMailboxLogonFailed",
      "dave@corp.example": "ErrorNoFreeBusyAccess",
    };
    const { text } = await site.ask(["alice@corp.example", "carol@corp.example", "dave@corp.example"], fresh());
    site.exchange.behaviour.failing = {};
    expect(told(text)).toEqual([expect.stringMatching(/^Detailed/), "backend-error", "no-access"]);
  });

  it("events in any order, and far outside of the window, change nothing", async () => {
    site.exchange.behaviour.mode = "disorder";
    const { text } = await site.ask(["alice@corp.example"], {
      start: "2026-06-29T00:00:00",
      end: "2026-07-04T00:00:00",
    });
    site.exchange.behaviour.mode = "normal";
    const starts = [...text.matchAll(/<t:StartTime>([^<]+)</g)].map((match) => match[1]);
    expect(starts).toEqual([...starts].sort());
    expect(starts[0]).toBe("2026-06-29T09:00:00");
  });
});

describe("operators", () => {
  it("see that it is alive, ready, and how it is doing, on another port", async () => {
    const get = async (path: string) => {
      const reply = await fetch(`${site.gateway.management}${path}`);
      return [reply.status, await reply.text()] as const;
    };
    expect((await get("/healthz"))[0]).toBe(200);
    const [status, ready] = await get("/readyz");
    expect([status, Object.keys(JSON.parse(ready).backends)]).toEqual([200, ["exchange", "workmail"]]);
    expect((await get("/readyz?backend=nobody"))[0]).toBe(404);
    const [, metrics] = await get("/metrics");
    expect(metrics).toMatch(/freebusy_mailboxes_total\{backend="workmail",cache="miss",result="details"\} \d+/);
    expect((await fetch(site.gateway.url.replace("/EWS/Exchange.asmx", "/metrics"))).status).toBe(404);
  });

  it("are told by name and reason which backend is out of order", async () => {
    site.workmail.behaviour.mode = "forbidden";
    await site.ask(["bob@corp.example"], fresh());
    const reply = await fetch(`${site.gateway.management}/readyz?backend=workmail`);
    site.workmail.behaviour.mode = "normal";
    expect([reply.status, await reply.text()]).toEqual([503, expect.stringContaining("backend-denied-access")]);
    expect((await fetch(`${site.gateway.management}/readyz`)).status).toBe(200);
    await site.ask(["bob@corp.example"], fresh());
  });

  it("find no password, subject or address in anything the gateway wrote or counted, at level debug", async () => {
    const { text } = await site.ask(["bob@corp.example"]);
    expect(text).toContain("Project Gemini");
    await post(site.gateway.url, "<x", { authorization: authorization("client@corp.example", "wrong-canary-4711") });
    const metrics = await (await fetch(`${site.gateway.management}/metrics`)).text();
    const everything = site.gateway.output() + metrics;
    for (const canary of [
      "Project Gemini",
      "Stand-up",
      BACKEND_PASSWORD,
      "wrong-canary-4711",
      authorization().slice(6),
      "bob@corp.example",
      "alice@",
    ]) {
      expect(everything).not.toContain(canary);
    }
    expect(everything).toContain('"msg":"lookup"');
  });
});
