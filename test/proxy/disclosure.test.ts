import { describe, expect, it } from "vitest";
import { type DisclosureRule, MailboxSet, type RequesterGroup } from "../../src/availability/disclosure-rules.js";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, slotsOf, told } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

const GROUP = "all@corp.example";
const ALL: DisclosureRule = { maximumDetail: "details", privateEvents: "without-text", allow: [], deny: [] };
const deny = (...entries: string[]): DisclosureRule => ({ ...ALL, deny: [new MailboxSet(entries)] });

function setUp(rule: DisclosureRule, groups: readonly RequesterGroup[] = []) {
  const exchange = new FakeBackend("exchange", "a@corp.example");
  const workmail = new FakeBackend("workmail");
  workmail.has.set("w@corp.awsapps.com", 15);
  const person = { addresses: ["w@corp.awsapps.com", "w@corp.example"], backend: "workmail" };
  const directory = new FakeDirectory("ad", {}, person).group([GROUP], ["a@corp.example", "w@corp.example"]);
  const winners = new ProbeMemory({ now: () => instant(DAY) });
  const gateway = gatewayOf({ directories: [winners, directory], backends: [exchange, workmail], winners });
  const caller = { name: "client", origin: undefined, maximumDetail: rule.maximumDetail, disclosure: { rule, groups } };
  const ask = async (addresses: readonly string[], onBehalfOf: readonly string[] = []) => {
    const answers = await gateway.answerer.answer(
      {
        mailboxes: addresses.map((text) => ({ text, routingType: "SMTP", address: mailbox(text) })),
        window: { start: instant(DAY), end: instant(DAY + 24 * 3_600_000) },
        intervalMinutes: 60,
        view: { detail: "details", merged: false },
      },
      { caller, returned: false, onBehalfOf, source: "192.0.2.1" },
      "id",
    );
    return answers.map(told);
  };
  return { ask, outcomes: gateway.outcomes, asked: () => [...exchange.asked, ...workmail.asked] };
}

describe("a mailbox the caller may not see", () => {
  it("is nobody's business: no system is asked, not even one that would be probed, and others are answered", async () => {
    const { ask, asked, outcomes } = setUp(deny("w@corp.example", "nobody@corp.example"));
    expect(await ask(["w@corp.example", "w@corp.awsapps.com", "nobody@corp.example", "a@corp.example"])).toEqual([
      ...["not-disclosed", "not-disclosed", "not-disclosed"],
      expect.stringContaining("a@corp.example"),
    ]);
    expect(asked()).toEqual(["a@corp.example"]);
    expect(outcomes[0]).toMatchObject({ source: "192.0.2.1" });
    expect(outcomes[0]?.mailboxes[0]).toMatchObject({ backend: undefined, delivered: undefined });
  });

  it("makes a group it belongs to unknown where the others are free, and is not asked about", async () => {
    const { ask, asked } = setUp(deny("w@corp.awsapps.com"));
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" }, "4")]);
    expect(asked()).toEqual(["a@corp.example"]);
    expect(await setUp(ALL).ask([GROUP])).toEqual([slotsOf({ 9: "2", 15: "2" })]);
  });

  it("may be a whole group", async () => {
    const { ask, asked } = setUp(deny(GROUP));
    expect([await ask([GROUP]), asked()]).toEqual([["not-disclosed"], []]);
  });
});

describe("whoever the caller asks for", () => {
  it("sees less where configured, and the next one does not", async () => {
    const group = {
      requesters: new MailboxSet(["intern@corp.example"]),
      rule: { ...ALL, maximumDetail: "merged" as const },
    };
    const { ask } = setUp(ALL, [group]);
    expect(await ask(["a@corp.example"], ["intern@corp.example"])).toEqual([slotsOf({ 9: "2" })]);
    expect(await ask(["a@corp.example"])).toEqual([expect.stringContaining("a@corp.example")]);
  });
});
