/** WorkMail's availability events over HTTP, on the real process between two simulated systems. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CapEntry } from "../../src/workmail-cap/cap-response.js";
import { capEvent } from "../support/cap-events.js";
import { authorization, post as postXml, type Site, startSite } from "../support/gateway-process.js";

let site: Site;
beforeAll(async () => {
  site = await startSite((configuration) =>
    configuration.replace(
      "\nbackends:",
      `
  - { name: cap, usernames: [cap@corp.example], passwordHash: 'env:CALLER_HASH', origin: workmail, maximumView: Detailed, deny: [dave@corp.example], requesterGroups: [{ requesters: [intern@corp.example], maximumView: MergedOnly }] }
backends:`,
    ),
  );
});
afterAll(() => site.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  postXml(
    site.gateway.url.replace("/EWS/Exchange.asmx", "/CAP"),
    typeof body === "string" ? body : JSON.stringify(body),
    { "content-type": "application/json", authorization: authorization("cap@corp.example"), ...headers },
  );
const entriesOf = async (...given: Parameters<typeof post>): Promise<CapEntry[]> => {
  const { status, text } = await post(...given);
  expect(status, text).toBe(200);
  return JSON.parse(text).mailboxes;
};
const asked = () => site.exchange.asked.length + site.workmail.asked.length;

describe("POST /cap", () => {
  it("answers for every mailbox in order, from Exchange alone, and never for the WorkMail that asks", async () => {
    const before = site.workmail.asked.length;
    const mailboxes = [
      "ghost@corp.example",
      "ALICE@corp.example",
      "bob@corp.example",
      "dave@corp.example",
      "nonsense",
      "x@elsewhere.example",
      "alice@corp.example",
    ];
    const entries = await entriesOf(capEvent(mailboxes));
    expect(entries.map((entry) => [entry.mailbox, "error" in entry ? entry.error : entry.events.length])).toEqual([
      ["ghost@corp.example", "MailboxNotFound"],
      ["ALICE@corp.example", expect.any(Number)],
      ["bob@corp.example", "ErrorFreeBusyGenerationFailed"],
      ["dave@corp.example", "ErrorFreeBusyGenerationFailed"],
      ["nonsense", "MailboxNotFound"],
      ["x@elsewhere.example", "ErrorAvailabilityConfigNotFound"],
      ["alice@corp.example", expect.any(Number)],
    ]);
    expect(JSON.stringify(entries[1])).toContain('"subject":"Stand-up"');
    expect({ ...entries[1], mailbox: "" }).toEqual({ ...entries[6], mailbox: "" });
    expect(site.workmail.asked.length).toBe(before);
  });

  it("shows no private text, and slots only where the requester may see no more", async () => {
    const window = { startDate: "2026-07-02T00:00:00Z", endDate: "2026-07-03T00:00:00Z" };
    const detailed = JSON.stringify(await entriesOf(capEvent(["alice@corp.example"], { window })));
    expect(detailed).not.toContain("Doctor");
    const requester = { email: "Intern@corp.example" };
    const [slots] = await entriesOf(capEvent(["alice@corp.example"], { window, requester }));
    expect(Object.keys(slots as object)).toEqual(["mailbox", "events"]);
    expect(JSON.stringify(slots)).not.toContain("details");
    expect(JSON.stringify(slots)).toContain("BUSY");
  });

  it("shows a caller without details of its own none: EWS callers' limits hold here too", async () => {
    const entries = await entriesOf(capEvent(["alice@corp.example"]), {
      authorization: authorization("workmail@corp.example"),
    });
    expect(JSON.stringify(entries)).not.toContain("details");
    expect(entries[0]).toHaveProperty("workingHours");
  });

  it("answers for 500 mailboxes at once, each in its place", async () => {
    const mailboxes = Array.from({ length: 500 }, (_, i) =>
      i % 2 === 0 ? "alice@corp.example" : `m${i}@corp.example`,
    );
    const entries = await entriesOf(capEvent(mailboxes));
    expect(entries.map((entry) => [entry.mailbox, "error" in entry && entry.error])).toEqual(
      mailboxes.map((mailbox, i) => [mailbox, i % 2 === 0 ? false : "MailboxNotFound"]),
    );
  });

  it("keeps a silent Exchange to its own mailboxes, inside the time budget", async () => {
    const window = { startDate: "2031-01-06T00:00:00Z", endDate: "2031-01-07T00:00:00Z" };
    site.exchange.behaviour.mode = "hang";
    try {
      const entries = await entriesOf(capEvent(["alice@corp.example", "nonsense"], { window }));
      expect(entries.map((entry) => "error" in entry && entry.error)).toEqual([
        "ErrorTimeoutExpired",
        "MailboxNotFound",
      ]);
    } finally {
      site.exchange.behaviour.mode = "normal";
    }
  });

  it.each([
    ["", "The body is no JSON."],
    ["{", "The body is no JSON."],
    ["[".repeat(200_000), "The body is no JSON."],
    ["null", "no list of mailboxes"],
    [JSON.stringify({ mailboxes: ["a@corp.example"] }), "window.startDate is no time"],
    [
      JSON.stringify(
        capEvent(["a@corp.example"], {
          window: { startDate: "2026-07-02T00:00:00Z", endDate: "2026-07-01T00:00:00Z" },
        }),
      ),
      "TimeWindow is invalid",
    ],
    [JSON.stringify(capEvent(Array(1001).fill("a@corp.example"))), "The allowed size = 1000"],
  ])("refuses %.40s with a sentence, and asks nobody", async (body, sentence) => {
    const before = asked();
    const { status, text, headers } = await post(body);
    expect([status, headers.get("content-type")]).toEqual([400, "text/plain; charset=utf-8"]);
    expect(text).toContain(sentence);
    expect(asked()).toBe(before);
  });

  it("reads valid JSON nested a hundred thousand deep without harm", async () => {
    const deep = `{"requester":${"[".repeat(100_000)}${"]".repeat(100_000)},"mailboxes":[]}`;
    expect(await entriesOf(deep)).toEqual([]);
  });

  it("refuses whoever has not signed in, what is no JSON, and any other method", async () => {
    const statuses = [
      await post("{}", { authorization: "" }),
      await post("{}", { "content-type": "text/xml" }),
      await post("{}", { "content-encoding": "gzip" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 415, 415]);
    const get = await fetch(site.gateway.url.replace("/EWS/Exchange.asmx", "/cap"), {
      headers: { authorization: authorization() },
    });
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("does not answer its own question sent back to it, by header or by the requester it names", async () => {
    const before = asked();
    const window = { startDate: "2032-01-06T00:00:00Z", endDate: "2032-01-07T00:00:00Z" };
    const byHeader = await entriesOf(capEvent(["alice@corp.example"], { window }), { "x-freebusy-hop": "1" });
    const requester = { email: "svc@corp.example" };
    const byRequester = await entriesOf(capEvent(["alice@corp.example"], { window, requester }));
    for (const [entry] of [byHeader, byRequester])
      expect(entry).toEqual({ mailbox: "alice@corp.example", error: "ErrorFreeBusyGenerationFailed" });
    expect(asked()).toBe(before);
  });
});
