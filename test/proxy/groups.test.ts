import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failed } from "../../src/availability/mailbox-answer.js";
import { mergedOfMembers } from "../../src/availability/merged-free-busy.js";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, slotsOf, told, viewOf } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

afterEach(() => void vi.useRealTimers());

const GROUP = "all@corp.example";
const NO_DATA = slotsOf({}, "4");

function setUp(members: readonly string[] = ["a@corp.example", "w@corp.example"], probes = false) {
  const exchange = new FakeBackend("exchange", "a@corp.example");
  const workmail = new FakeBackend("workmail");
  workmail.has.set("w@corp.awsapps.com", 15);
  const directory = new FakeDirectory(
    "ad",
    {},
    {
      addresses: ["w@corp.awsapps.com", "w@corp.example"],
      backend: "workmail",
    },
  ).group([GROUP, "alias@corp.example"], members);
  const memory = new ProbeMemory({ now: () => instant(DAY) });
  const gateway = gatewayOf({
    directories: probes ? [memory, directory] : [directory],
    backends: [exchange, workmail],
    ...(probes && { winners: memory }),
  });
  const ask = async (...args: Parameters<typeof gateway.ask>) => (await gateway.ask(...args)).map(told);
  return { ...gateway, exchange, workmail, directory, ask };
}

describe("a group", () => {
  it("is one answer in slots of the question, the highest of its members at both systems, whatever is asked for", async () => {
    const { ask, outcomes } = setUp();
    const hours = { 9: "2", 15: "2" };
    for (const detail of ["details", "times", "merged"] as const) {
      expect(await ask([GROUP], { detail })).toEqual([slotsOf(hours)]);
    }
    expect((await ask([GROUP], { intervalMinutes: 30 }))[0]).toBe(
      slotsOf(hours)
        .split("")
        .map((digit) => digit + digit)
        .join(""),
    );
    expect(outcomes[0]?.mailboxes[0]).toMatchObject({ delivered: "merged", rule: "ad: group in no backend" });
  });

  it("has the highest status of a slot, not the first nor the last", async () => {
    const { ask, exchange } = setUp(["a@corp.example", "b@corp.example", "c@corp.example"]);
    const types = { "a@corp.example": "Tentative", "b@corp.example": "OOF", "c@corp.example": "Busy" } as const;
    exchange.respond = async ({ mailboxes, detail }) =>
      mailboxes.map((one) => viewOf(one, detail, 9, types[one as keyof typeof types]));
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "3" })]);
  });

  it("has, beside its own answer, its members' answers where they are asked for too, each in its place", async () => {
    const { ask, exchange, workmail } = setUp();
    expect(await ask(["a@corp.example", GROUP, "w@corp.example", "alias@corp.example", "nobody@corp.example"])).toEqual(
      [
        "a@corp.example",
        slotsOf({ 9: "2", 15: "2" }),
        "w@corp.awsapps.com",
        slotsOf({ 9: "2", 15: "2" }),
        "mailbox-not-found",
      ],
    );
    expect(exchange.asked.filter((one) => one === "a@corp.example")).toHaveLength(1);
    expect(workmail.asked).toEqual(["w@corp.awsapps.com"]);
  });

  it("is asked for without details, and of each system in one question", async () => {
    const { ask, exchange, workmail } = setUp(["a@corp.example", "b@corp.example", "w@corp.example"]);
    await ask([GROUP]);
    expect([...exchange.questions, ...workmail.questions].map(({ detail }) => detail)).toEqual(["times", "times"]);
  });

  it.each(["no-access", "mailbox-not-found"] as const)(
    "has the slots of the others when a member has no data for good: %s",
    async (reason) => {
      const { ask, workmail } = setUp();
      workmail.failsWith(reason);
      expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" })]);
    },
  );

  it.each([
    "backend-timeout",
    "backend-unreachable",
    "backend-refused-credentials",
    "backend-denied-access",
    "backend-busy",
    "backend-http-error",
    "backend-fault",
    "backend-unreadable",
    "backend-wrong-count",
    "backend-error",
    "too-many-events",
    "group-too-large",
  ] as const)("looks free nowhere when a member's time was not told: %s", async (reason) => {
    const { ask, workmail } = setUp();
    workmail.failsWith(reason);
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" }, "4")]);
  });

  it("fails as its members do when nothing is known of any of them, for now", async () => {
    const { ask, exchange, workmail } = setUp();
    exchange.failsWith("no-access");
    workmail.failsWith("backend-busy");
    expect(await ask([GROUP])).toEqual(["backend-busy"]);
  });

  it("has no data when none of its members has any, and when it has no members", async () => {
    const { ask, exchange, workmail } = setUp();
    exchange.failsWith("no-access");
    workmail.failsWith("mailbox-not-found");
    expect(await ask([GROUP])).toEqual([NO_DATA]);
    expect(await setUp([]).ask([GROUP])).toEqual([NO_DATA]);
    expect(await setUp(["x@elsewhere.example"]).ask([GROUP])).toEqual([NO_DATA]);
  });

  it("looks free nowhere beside a member who, so a directory says, lives where nobody here may ask", async () => {
    const { ask, directory, exchange, workmail } = setUp(["a@corp.example", "away@corp.example"]);
    directory.put({ addresses: ["away@corp.example"] });
    directory.group(["away.all@corp.example"], ["away@corp.example"]);
    expect(await ask([GROUP, "away.all@corp.example", "away@corp.example"])).toEqual([
      slotsOf({ 9: "2" }, "4"),
      NO_DATA,
      "no-address-space",
    ]);
    expect([...exchange.asked, ...workmail.asked]).toEqual(["a@corp.example"]);
    // Of whom nobody knows anything, there is nothing to tell.
    expect(await setUp(["a@corp.example", "x@elsewhere.example"]).ask([GROUP])).toEqual([slotsOf({ 9: "2" })]);
  });

  it("looks free nowhere beside a member whom a directory cannot name, though he has a time, nor beside a group with one", async () => {
    const { ask, directory } = setUp();
    directory.group([GROUP], async () => ({ addresses: [mailbox("a@corp.example")], without: 1, unknown: 1 }));
    directory.group(["outer@corp.example"], [GROUP]);
    const busy = slotsOf({ 9: "2" }, "4");
    expect(await ask([GROUP, "outer@corp.example"])).toEqual([busy, busy]);
    directory.group([GROUP], async () => ({ addresses: [mailbox("a@corp.example")], without: 1, unknown: 0 }));
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" })]);
    directory.group([GROUP], async () => ({ addresses: [mailbox("a@corp.example")], without: 50, unknown: 50 }));
    expect(await ask([GROUP])).toEqual(["group-too-large"]);
  });

  it("looks free nowhere beside a member who, so a second look says, has moved to where nobody here may ask", async () => {
    const { ask, directory } = setUp(["a@corp.example", "moved@corp.example"]);
    directory.looks((address) => {
      if (address === "moved@corp.example") directory.put({ addresses: ["moved@corp.example"] });
      return true;
    });
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" }, "4")]);
  });

  it("has data from a member whose calendar has none only where others have some", async () => {
    const { ask, workmail } = setUp();
    workmail.respond = async ({ mailboxes, detail }) => mailboxes.map((one) => viewOf(one, detail, 9, "NoData"));
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2" })]);
    expect(await setUp(["w@corp.example"]).ask([GROUP])).toEqual([slotsOf({ 15: "2" })]);
  });

  it("never asks the asking system about any member, also in a second chance", async () => {
    const { ask, exchange, workmail } = setUp(["a@corp.example", "w@corp.example", "gone@corp.example"], true);
    // What it has of its own is unknown here, so that nothing looks free.
    expect(await ask([GROUP], { origin: "exchange" })).toEqual([slotsOf({ 15: "2" }, "4")]);
    expect(exchange.asked).toEqual([]);
    expect(workmail.asked).toContain("w@corp.awsapps.com");
  });

  it("of the asking system's members alone is not answered, because nobody else has their time", async () => {
    const { ask, exchange } = setUp(["a@corp.example", "b@corp.example"]);
    expect(await ask([GROUP], { origin: "exchange" })).toEqual(["belongs-to-origin"]);
    expect(exchange.asked).toEqual([]);
  });

  it("has a member who has moved where a second chance finds him", async () => {
    const { ask, workmail } = setUp(["a@corp.example", "moved@corp.example"], true);
    workmail.has.set("moved@corp.example", 11);
    expect(await ask([GROUP])).toEqual([slotsOf({ 9: "2", 11: "2" })]);
  });

  it("asks nobody about members outside", async () => {
    const { ask, exchange, workmail } = setUp(["eve@attacker.example"]);
    await ask([GROUP]);
    expect([...exchange.asked, ...workmail.asked]).toEqual([]);
  });

  it("that is too large, or whose members nobody names, fails alone", async () => {
    const { ask, directory } = setUp();
    directory.group(
      ["big@corp.example"],
      Array.from({ length: 101 }, (_, i) => `m${i}@corp.example`),
    );
    directory.group(["lost@corp.example"], () => Promise.reject(new Error("down")));
    expect(await ask(["big@corp.example", "a@corp.example", "lost@corp.example", GROUP])).toEqual([
      "group-too-large",
      "a@corp.example",
      "group-unresolved",
      slotsOf({ 9: "2", 15: "2" }),
    ]);
  });

  it("of whose directory no answer comes spends the budget alone", async () => {
    vi.useFakeTimers();
    const { ask, directory } = setUp();
    directory.group(["hung@corp.example"], () => new Promise(() => {}));
    const answers = ask(["hung@corp.example", "a@corp.example"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await answers).toEqual(["budget-spent", "a@corp.example"]);
  });

  it("says what it knows when the budget ends, and calls nothing free then", async () => {
    vi.useFakeTimers();
    const { ask, workmail } = setUp();
    workmail.respond = () => new Promise(() => {});
    const answers = ask([GROUP]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await answers).toEqual([slotsOf({ 9: "2" }, "4")]);
  });

  it("fails with what a member's system said, never with an empty view", async () => {
    const { ask, exchange } = setUp(["a@corp.example"]);
    exchange.respond = async () => [failed({ reason: "backend-timeout", backend: "exchange" })];
    expect(await ask([GROUP])).toEqual(["backend-timeout"]);
  });
});

describe("the slots of a group", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "2", "3", "4"), maxLength: 8 });

  it("are per slot the highest of the members with data, no data where none has, and never free beside somebody unknown", () => {
    fc.assert(
      fc.property(
        fc.array(digits, { maxLength: 6 }),
        fc.nat({ max: 8 }),
        fc.boolean(),
        (members, slots, someUnknown) => {
          const naive = Array.from({ length: slots }, (_, slot) => {
            const known = members.flatMap((one) =>
              one[slot] === undefined || one[slot] === "4" ? [] : Number(one[slot]),
            );
            const highest = Math.max(-1, ...known);
            if (highest === -1) return "4";
            return highest === 0 && someUnknown ? "4" : String(highest);
          }).join("");
          expect(mergedOfMembers(members, slots, someUnknown)).toBe(naive);
        },
      ),
    );
  });

  it("are the same in whatever order, and however often, members are named", () => {
    fc.assert(
      fc.property(fc.array(digits, { minLength: 1, maxLength: 6 }), fc.boolean(), (members, someUnknown) => {
        const once = mergedOfMembers(members, 8, someUnknown);
        expect(mergedOfMembers([...members].reverse(), 8, someUnknown)).toBe(once);
        expect(mergedOfMembers([...members, ...members], 8, someUnknown)).toBe(once);
      }),
    );
  });
});

describe("the slots of a group, where something is unknown", () => {
  const members = (count: number) => Array.from({ length: count }, (_, i) => `m${i}@corp.example`);

  it("a group whose directory stopped reading at the limit is too large, though one of its members is a group", async () => {
    // Port: too large when addresses.length + without > limit; what was not read is dropped otherwise, and busy reads as free.
    const people = members(150);
    const exchange = new FakeBackend("exchange", ...people);
    const ad = new FakeDirectory("ad", { home: "exchange" })
      .group(["inner@corp.example"], [])
      .group(["all@corp.example"], ["inner@corp.example", ...people]);
    exchange.has.set("m149@corp.example", 15);
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    expect((await ask(["all@corp.example"])).map(told)).toEqual(["group-too-large"]);
  });

  it("no slot looks free while the members of a nested group are unknown because its directory failed just now", async () => {
    const exchange = new FakeBackend("exchange", "m0@corp.example");
    const ad = new FakeDirectory("ad", { home: "exchange" })
      .group(["all@corp.example"], ["m0@corp.example", "inner@corp.example"])
      .group(["inner@corp.example"], async () => Promise.reject(new Error("ECONNREFUSED")));
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    expect((await ask(["all@corp.example"])).map(told)).toEqual([slotsOf({ 9: "2" }, "4")]);
  });

  it("no slot looks free beside a group inside that was left out for its size, and what that one holds still counts where another group holds it too", async () => {
    const exchange = new FakeBackend("exchange", "a@corp.example", "carol@corp.example");
    exchange.has.set("carol@corp.example", 15);
    const ad = new FakeDirectory("ad", { home: "exchange" })
      .group(["all@corp.example"], ["a@corp.example", "big@corp.example", "small@corp.example"])
      .group(["big@corp.example"], ["c@corp.example", ...members(100)])
      .group(["small@corp.example"], ["c@corp.example"])
      .group(["c@corp.example"], ["carol@corp.example"]);
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    expect((await ask(["all@corp.example"])).map(told)).toEqual([slotsOf({ 9: "2", 15: "2" }, "4")]);
  });

  it("no slot of a group looks free when a member was not found and the system that was probed for it failed", async () => {
    const exchange = new FakeBackend("exchange", "a@corp.example");
    const workmail = new FakeBackend("workmail");
    workmail.failsWith("backend-busy");
    const ad = new FakeDirectory("ad", { home: "exchange" }).group(
      ["all@corp.example"],
      ["a@corp.example", "moved@corp.example"],
    );
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    expect((await ask(["all@corp.example"])).map(told)).toEqual([slotsOf({ 9: "2" }, "4")]);
  });

  it("the asking system's own members count once under all their aliases, so that they push nobody else out", async () => {
    // Keyed by alias where the route is a refusal, by mailbox where it is not: then 60 + 60 + 1 is more than 100.
    const people = members(60).map((one): [string, string] => [one, `x-${one}`]);
    const ad = new FakeDirectory("ad", {}, ...people.map((addresses) => ({ addresses, backend: "exchange" })));
    ad.put({ addresses: ["w@corp.awsapps.com"], backend: "workmail" })
      .group(
        ["one@corp.example"],
        people.map(([first]) => first),
      )
      .group(["two@corp.example"], [...people.map(([, second]) => second), "w@corp.awsapps.com"])
      .group(["all@corp.example"], ["one@corp.example", "two@corp.example"]);
    const { ask } = gatewayOf({
      directories: [ad],
      backends: [new FakeBackend("exchange"), new FakeBackend("workmail", "w@corp.awsapps.com")],
    });
    expect((await ask(["all@corp.example"], { origin: "exchange" })).map(told)).toEqual([slotsOf({ 9: "2" }, "4")]);
  });
});
