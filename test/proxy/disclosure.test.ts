import { describe, expect, it } from "vitest";
import { type DisclosureRule, MailboxSet, type RequesterGroup } from "../../src/availability/disclosure-rules.js";
import { type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant } from "../../src/availability/time-window.js";
import { adRecipient } from "../../src/directories/ad-recipient.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { RecipientTable } from "../../src/directories/recipient-table.js";
import type { MailboxDirectory, RecipientKey } from "../../src/proxy/mailbox-directory.js";
import {
  askedFor,
  DAY,
  FakeBackend,
  FakeDirectory,
  gatewayOf,
  slotsOf,
  told,
  viewOf,
} from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";
import { fill } from "../support/recipient-records.js";

const GROUP = "all@corp.example";
const ALL: DisclosureRule = { maximumDetail: "details", privateEvents: "without-text", allow: [], deny: [] };
const deny = (...entries: string[]): DisclosureRule => ({ ...ALL, deny: [new MailboxSet(entries)] });

function setUp(rule: DisclosureRule, groups: readonly RequesterGroup[] = []) {
  const exchange = new FakeBackend("exchange", "a@corp.example");
  const workmail = new FakeBackend("workmail");
  workmail.has.set("w@corp.awsapps.com", 15);
  const person = { addresses: ["w@corp.awsapps.com", "w@corp.example"], backend: "workmail" };
  const directory = new FakeDirectory("ad", {}, person)
    .group([GROUP], ["a@corp.example", "w@corp.example"])
    .group(["board@corp.example", "b1@corp.example"], ["w@corp.example"])
    .group(["everybody@corp.example"], ["a@corp.example", "b1@corp.example"])
    .group(["cover@corp.example"], ["board@corp.example"]);
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

  it("is known by each address of the two entries of a directory that lead to it", async () => {
    const own = { mailboxBackend: "exchange", backendOfDomain: () => "workmail" };
    const entry = (type: string, ...addresses: readonly string[]) =>
      adRecipient(
        new Map([
          ["msexchrecipienttypedetails", [type]],
          ["proxyaddresses", addresses],
          ["targetaddress", ["SMTP:w@corp.awsapps.com"]],
        ]),
        own,
      ) as DirectoryRecord;
    const person = entry("128", "SMTP:boss@corp.example", "smtp:w.smith@corp.example");
    const contact = entry("64", "SMTP:assistant@corp.example");
    for (const [records, asked] of [
      [
        [person, contact],
        ["boss", "w.smith", "assistant"],
      ],
      [
        [contact, person],
        ["boss", "w.smith"],
      ],
    ] as const) {
      const table = fill(new RecipientTable("ad", instant(DAY)), records);
      const directory: MailboxDirectory = Object.assign(new FakeDirectory("ad"), {
        find: (key: RecipientKey) => table.find(key),
        addressesOf: (key: RecipientKey) => table.addressesOf(key),
      });
      const workmail = new FakeBackend("workmail", "w@corp.awsapps.com");
      const gateway = gatewayOf({ directories: [directory], backends: [workmail] });
      const caller = { name: "client", origin: undefined, maximumDetail: "details" as const };
      const ask = async (rule: DisclosureRule) => {
        const answers = await gateway.answerer.answer(
          {
            mailboxes: asked.map((name) => askedFor(`${name}@corp.example`)),
            window: { start: instant(DAY), end: instant(DAY + 24 * 3_600_000) },
            intervalMinutes: 60,
            view: { detail: "details", merged: false },
          },
          { caller: { ...caller, disclosure: { rule, groups: [] } }, returned: false },
          "id",
        );
        return new Set(answers.map(told));
      };
      expect(await ask(ALL)).toEqual(new Set(["w@corp.awsapps.com"]));
      for (const address of ["boss@corp.example", "w.smith@corp.example", "w@corp.awsapps.com"]) {
        expect(await ask(deny(address))).toEqual(new Set(["not-disclosed"]));
      }
    }
  });

  it("may be a whole group", async () => {
    const { ask, asked } = setUp(deny(GROUP));
    expect([await ask([GROUP]), asked()]).toEqual([["not-disclosed"], []]);
  });

  it("may be a group inside another one, which tells nothing of it, nor that the others are free beside it", async () => {
    const { ask, asked } = setUp(deny("board@corp.example"));
    expect(await ask(["cover@corp.example", "everybody@corp.example"])).toEqual([
      "not-disclosed",
      slotsOf({ 9: "2" }, "4"),
    ]);
    expect(asked()).toEqual(["a@corp.example"]);
    expect(await setUp(ALL).ask(["cover@corp.example", "everybody@corp.example"])).toEqual([
      slotsOf({ 15: "2" }),
      slotsOf({ 9: "2", 15: "2" }),
    ]);
  });
});

describe("a mailbox that is found out to be one the caller may not see", () => {
  const [exchange, workmail] = [
    () => new FakeBackend("exchange"),
    () => new FakeBackend("workmail", "ceo@corp.example"),
  ];
  const asking = (rule: DisclosureRule) => ({
    caller: { name: "client", origin: undefined, maximumDetail: rule.maximumDetail, disclosure: { rule, groups: [] } },
    returned: false,
    onBehalfOf: [],
    source: "",
  });
  const query = (address: string) => ({
    mailboxes: [askedFor(address)],
    window: { start: instant(DAY), end: instant(DAY + 24 * 3_600_000) },
    intervalMinutes: 60,
    view: { detail: "details" as const, merged: false },
  });
  const asked = async (gateway: ReturnType<typeof gatewayOf>, rule: DisclosureRule, address: string) =>
    told((await gateway.answerer.answer(query(address), asking(rule), "id"))[0]);

  it("by a second look at the directory, stays undisclosed", async () => {
    for (const [rule, expected] of [
      [ALL, "ceo@corp.example"],
      [deny("ceo@corp.example"), "not-disclosed"],
    ] as const) {
      const directory = new FakeDirectory("workmail-directory", { home: "workmail" });
      directory.looks(() => {
        directory.put({ addresses: ["ceo@corp.example", "chief@corp.example"], backend: "workmail" });
        return true;
      });
      const asks = workmail();
      const gateway = gatewayOf({ directories: [directory], backends: [exchange(), asks] });
      expect(await asked(gateway, rule, "chief@corp.example")).toBe(expected);
      expect(asks.asked).toHaveLength(rule === ALL ? 1 : 0);
    }
  });

  it("by a second look, to be a group, is not expanded", async () => {
    const directory = new FakeDirectory("ad");
    directory.looks(() => {
      directory.group(["board@corp.example", "b1@corp.example"], ["ceo@corp.example"]);
      return true;
    });
    const gateway = gatewayOf({ directories: [directory], backends: [exchange(), workmail()] });
    expect(await asked(gateway, deny("board@corp.example"), "b1@corp.example")).toBe("not-disclosed");
  });

  it("at the system that would be probed, is not looked for there", async () => {
    const spaces = [
      { domain: "corp.example", backend: "exchange" },
      { domain: "corp.awsapps.com", backend: "workmail", rewriteDomain: "corp.example" },
    ];
    for (const [rule, expected] of [
      [ALL, "ceo@corp.example"],
      [deny("ceo@corp.awsapps.com"), "mailbox-not-found"],
    ] as const) {
      const winners = new ProbeMemory({ now: () => instant(DAY) });
      const backends = [exchange(), workmail()];
      const gateway = gatewayOf({ directories: [winners], backends, winners, addressSpaces: spaces });
      expect(await asked(gateway, rule, "ceo@corp.example")).toBe(expected);
    }
  });

  it("under an address that an administrator has written, or that is rewritten to another one, is found out", async () => {
    const pins = new FakeDirectory(
      "overrides",
      { decides: true },
      { addresses: ["ceo@corp.example", "c1@corp.example", "ceo@corp.awsapps.com"], backend: "workmail" },
    );
    const pinned = gatewayOf({ directories: [pins], backends: [exchange(), workmail()] });
    const rewriting = gatewayOf({
      directories: [],
      backends: [exchange(), new FakeBackend("workmail", "ceo@corp.awsapps.com")],
      addressSpaces: [
        { domain: "corp.example", backend: "workmail", rewriteDomain: "corp.awsapps.com" },
        { domain: "corp.awsapps.com", backend: "workmail" },
        { domain: "other.example", backend: "exchange", rewriteDomain: "corp.awsapps.com" },
      ],
    });
    for (const address of ["ceo@corp.example", "c1@corp.example", "ceo@corp.awsapps.com"]) {
      expect(await asked(pinned, deny("ceo@corp.awsapps.com"), address)).toBe("not-disclosed");
      expect(await asked(pinned, ALL, address)).toBe("ceo@corp.example");
    }
    for (const address of ["ceo@corp.example", "ceo@corp.awsapps.com"]) {
      expect(await asked(rewriting, deny("ceo@corp.example"), address)).toBe("not-disclosed");
      expect(await asked(rewriting, deny("corp.awsapps.com"), address)).toBe("not-disclosed");
      // It leads to another system: that is somebody else.
      expect(await asked(rewriting, deny("ceo@other.example"), address)).toBe("ceo@corp.awsapps.com");
    }
  });
});

describe("private events that are to look like any other busy time", () => {
  const rule = (maximumDetail: DisclosureRule["maximumDetail"]): DisclosureRule => ({
    ...ALL,
    maximumDetail,
    privateEvents: "busy",
  });
  const eventsOf = (answer: MailboxAnswer) =>
    answer.kind === "view" && answer.view.detail !== "merged" ? answer.view.events : [];
  /** Out of office at nine, which is private, and a proposal at noon, which is not. */
  const gateway = () => {
    const backend = new FakeBackend("exchange");
    backend.otherwise = (_, { detail }) => {
      const hidden = eventsOf(viewOf("a", detail, 9, "OOF")).map(({ details, ...event }) =>
        details === undefined ? event : { ...event, details: { ...details, subject: undefined, isPrivate: true } },
      );
      return viewed({ detail, events: [...hidden, ...eventsOf(viewOf("a", detail, 12, "Tentative"))] });
    };
    const directory = new FakeDirectory("ad").group([GROUP], ["a@corp.example"]);
    return gatewayOf({ directories: [directory], backends: [backend] });
  };

  it.each(["details", "times", "merged"] as const)(
    "do, at most %s shown, whoever asked before, in groups too",
    async (detail) => {
      for (const before of ["details", "times"] as const) {
        const { ask, answerer } = gateway();
        await ask(["a@corp.example"], { detail: before, maximumDetail: before });
        const disclosure = { rule: rule(detail), groups: [] };
        const answers = await answerer.answer(
          {
            mailboxes: ["a@corp.example", GROUP].map(askedFor),
            window: { start: instant(DAY), end: instant(DAY + 24 * 3_600_000) },
            intervalMinutes: 60,
            view: { detail: "details", merged: false },
          },
          { caller: { name: "client", origin: undefined, maximumDetail: detail, disclosure }, returned: false },
          "id",
        );
        const slots = answers.map((answer) =>
          answer.kind === "view"
            ? mergedFreeBusy(answer.view, { start: instant(DAY), end: instant(DAY + 24 * 3_600_000) }, 60).digits
            : answer.failure.reason,
        );
        expect(slots).toEqual([slotsOf({ 9: "2", 12: "1" }), slotsOf({ 9: "2", 12: "1" })]);
      }
    },
  );
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
