import { AsyncLocalStorage } from "node:async_hooks";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failed, type MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { DAY, FakeBackend, FakeDirectory, type FakeRecipient, gatewayOf, told } from "../support/fake-directory.js";

const BOB = "bob@corp.example";
const BOB_AWS = "bob@corp.awsapps.com";
const NAMES = ["exchange", "workmail"];

/** The systems on whose behalf the gateway works right now, each having been asked by the one before. */
const asking = new AsyncLocalStorage<readonly string[]>();

interface World {
  readonly directories?: readonly FakeDirectory[];
  readonly probes?: boolean;
  readonly whenOnBothSides?: string;
  readonly names?: readonly string[];
  readonly answerers?: (address: string) => string;
  readonly budgetMs?: number;
}

/** Systems that send what they do not have back to the gateway, as themselves, perhaps under another address. */
function forwardingWorld({
  directories = [],
  probes = true,
  whenOnBothSides,
  names = NAMES,
  answerers,
  budgetMs = 5000,
}: World = {}) {
  const askedBack: string[] = [];
  const backends = names.map((name) => {
    const backend = new FakeBackend(name);
    const own = backend.respond;
    backend.respond = (question, signal) => {
      if (asking.getStore()?.includes(name)) askedBack.push(...question.mailboxes.map((one) => `${name}: ${one}`));
      return own(question, signal);
    };
    backend.otherwise = async (address) => {
      // A question takes its time to get there: nobody is called back before he has finished asking.
      await new Promise(setImmediate);
      const forwarded = answerers?.(address) ?? address;
      const [answer] = await asking.run([...(asking.getStore() ?? []), name], () =>
        gateway.ask([forwarded], { origin: name }),
      );
      return answer as MailboxAnswer;
    };
    return backend;
  });
  const memory = new ProbeMemory({ now: () => instant(DAY) });
  const gateway = gatewayOf({
    directories: probes ? [memory, ...directories] : directories,
    backends,
    ...(probes && { winners: memory }),
    ...(whenOnBothSides !== undefined && { whenOnBothSides }),
    budgetMs,
  });
  const ask = (list: readonly string[], origin?: string) =>
    asking.run(origin === undefined ? [] : [origin], () => gateway.ask(list, { origin }));
  const calls = () => backends.map(({ name, asked }) => `${name}: ${asked.join(" ")}`.trim());
  const [exchange, workmail] = backends as [FakeBackend, FakeBackend];
  return { ...gateway, ask, backends, exchange, workmail, askedBack, calls };
}

describe("two systems that forward to each other what they do not have", () => {
  it("come to an end when a client asks about a mailbox neither has, and neither is asked back", async () => {
    const { ask, backends, askedBack } = forwardingWorld();
    expect((await ask([BOB])).map(told)).toEqual(["loop-detected"]);
    expect(askedBack).toEqual([]);
    for (const { asked } of backends) expect(asked.length).toBeLessThanOrEqual(2);
  });

  it.each(NAMES)("are asked but for %s, which asks about a mailbox neither has", async (origin) => {
    const { ask, backends, askedBack } = forwardingWorld();
    await ask([BOB], origin);
    const other = backends.find(({ name }) => name !== origin);
    expect([backends.find(({ name }) => name === origin)?.asked, other?.asked]).toEqual([[], [BOB]]);
    expect(askedBack).toEqual([]);
  });

  it("come to an end when a directory is wrong about the mailbox, or the question comes back under another address of it", async () => {
    for (const backend of NAMES) {
      const stale = new FakeDirectory("ad", {}, { addresses: [BOB, BOB_AWS], backend });
      for (const text of [BOB, BOB_AWS]) {
        const { ask, backends, askedBack } = forwardingWorld({ directories: [stale], answerers: () => BOB_AWS });
        expect((await ask([text])).map(told)).toEqual(["loop-detected"]);
        expect(askedBack).toEqual([]);
        for (const { asked } of backends) expect(asked.length).toBeLessThanOrEqual(2);
      }
    }
  });

  it("are asked but for the other without probing", async () => {
    const { ask, calls } = forwardingWorld({ probes: false });
    expect((await ask([BOB])).map(told)).toEqual(["loop-detected"]);
    expect(calls()).toEqual([`exchange: ${BOB}`, "workmail:"]);
  });

  it("get an answer for what the other has, though nobody knew", async () => {
    const world = forwardingWorld();
    world.workmail.has.set(BOB, 9);
    expect((await world.ask([BOB])).map(told)).toEqual([BOB]);
    expect(world.calls()).toEqual([`exchange: ${BOB}`, `workmail: ${BOB}`]);
  });

  it("get an answer for what one of them has, after as many hops as there are systems", async () => {
    const world = forwardingWorld({ answerers: () => BOB_AWS });
    world.workmail.has.set(BOB_AWS, 9);
    expect((await world.ask([BOB])).map(told)).toEqual([BOB_AWS]);
    expect(world.calls()).toEqual([`exchange: ${BOB}`, `workmail: ${BOB_AWS}`]);
  });

  it("keep nobody from the answers about other mailboxes", async () => {
    const world = forwardingWorld();
    world.exchange.has.set("a@corp.example", 9);
    world.workmail.has.set("w@corp.awsapps.com", 9);
    expect((await world.ask(["a@corp.example", BOB, "w@corp.awsapps.com"])).map(told)).toEqual([
      "a@corp.example",
      "loop-detected",
      "w@corp.awsapps.com",
    ]);
  });

  it("ask each system a bounded number of times and never back, for any claims, rule and origin", async () => {
    const recipient = fc.record({
      addresses: fc.shuffledSubarray([BOB, BOB_AWS], { minLength: 1 }),
      backend: fc.constantFrom("exchange", "workmail", "third", undefined),
    });
    const directory = fc.record({ decides: fc.boolean(), recipient: fc.option(recipient, { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(directory, { maxLength: 3 }),
        fc.constantFrom("first", "exchange", "workmail"),
        fc.constantFrom(undefined, "exchange", "workmail", "third"),
        fc.boolean(),
        async (claims, whenOnBothSides, origin, probes) => {
          const directories = claims.map(({ decides, recipient: one }, i) =>
            new FakeDirectory(`d${i}`, { decides }, ...(one === undefined ? [] : [one as FakeRecipient])).looks(),
          );
          const world = forwardingWorld({
            directories,
            whenOnBothSides,
            probes,
            names: [...NAMES, "third"],
          });
          const answers = await world.ask([BOB, BOB_AWS, BOB], origin);
          expect(answers).toHaveLength(3);
          expect(answers.map(({ kind }) => kind)).not.toContain("view");
          expect(world.askedBack).toEqual([]);
          // Each address once for each look, at most: first, elsewhere, probed.
          for (const backend of world.backends) expect(backend.asked.length).toBeLessThanOrEqual(4);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a question that a system sends about a mailbox it is being asked about", () => {
  it.each([
    ["under the address it was asked about", [BOB, BOB_AWS]],
    ["under another address, by which the new owner knows it", [BOB_AWS, BOB]],
  ])("is a loop while that system owns it, and goes to who owns it now, %s", async (_, addresses) => {
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", addresses[0] as string);
    let release: () => void = () => {};
    exchange.otherwise = async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return failed({ reason: "mailbox-not-found" });
    };
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB, BOB_AWS], backend: "exchange" });
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange, workmail] });
    const first = ask([BOB]);
    await new Promise(setImmediate);
    expect((await ask([BOB, BOB_AWS], { origin: "exchange" })).map(told)).toEqual(["loop-detected", "loop-detected"]);
    expect(workmail.asked).toEqual([]);
    directory.put({ addresses, backend: "workmail" });
    expect((await ask([BOB], { origin: "exchange" })).map(told)).toEqual([addresses[0]]);
    expect(exchange.asked).toEqual([BOB]);
    release();
    await first;
  });

  it("is a loop under the address that was asked about, though that system now knows the mailbox by another", async () => {
    const exchange = new FakeBackend("exchange");
    exchange.respond = () => new Promise(() => {});
    const directory = new FakeDirectory("ad");
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange], budgetMs: 20 });
    const first = ask([BOB]);
    directory.put({ addresses: [BOB_AWS, BOB], backend: "exchange" });
    expect((await ask([BOB, BOB_AWS], { origin: "exchange" })).map(told)).toEqual([
      "loop-detected",
      "belongs-to-origin",
    ]);
    await first;
  });

  it("is not sent to whom we ask on behalf of, however many systems lie between", async () => {
    const world = forwardingWorld({ names: [...NAMES, "third"] });
    await world.ask([BOB], "third");
    expect(world.backends[2]?.asked).toEqual([]);
    expect(world.askedBack).toEqual([]);
  });

  it("is no loop when a client asks, nor when the other system does", async () => {
    const exchange = new FakeBackend("exchange", BOB);
    const workmail = new FakeBackend("workmail");
    const { ask } = gatewayOf({ directories: [], backends: [exchange, workmail] });
    const answers = await Promise.all([ask([BOB]), ask([BOB]), ask([BOB], { origin: "workmail" })]);
    expect(answers.flat().map(told)).toEqual([BOB, BOB, BOB]);
    expect(exchange.asked).toEqual([BOB]);
  });

  it("is no loop any more when that system has let its time pass", async () => {
    const exchange = new FakeBackend("exchange");
    exchange.timeoutMs = 1;
    exchange.respond = () => new Promise(() => {});
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "exchange" });
    const workmail = new FakeBackend("workmail", BOB);
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange, workmail], budgetMs: 50 });
    await ask([BOB]);
    expect(exchange.signals[0]?.aborted).toBe(true);
    expect((await ask([BOB], { origin: "exchange" })).map(told)).toEqual(["belongs-to-origin"]);
    directory.put({ addresses: [BOB], backend: "workmail" });
    expect((await ask([BOB], { origin: "exchange" })).map(told)).toEqual([BOB]);
  });

  it("ends for all mailboxes when it carries a mark of this gateway", async () => {
    const exchange = new FakeBackend("exchange", BOB);
    const { ask, outcomes } = gatewayOf({ directories: [], backends: [exchange, new FakeBackend("workmail")] });
    expect((await ask([BOB, BOB_AWS, "x@elsewhere.example"], { returned: true })).map(told)).toEqual(
      Array(3).fill("loop-detected"),
    );
    expect(exchange.asked).toEqual([]);
    expect(outcomes[0]?.mailboxes[0]?.rule).toBe("a mark of this gateway");
  });
});

describe("the side that asks", () => {
  it("is never asked, for any claims, rule, look, probe, override and group, and always answered in order", async () => {
    const LIST = [BOB, BOB_AWS, "carol@corp.example", "x@elsewhere.example", "all@corp.example"];
    const claim = fc.record({
      addresses: fc.shuffledSubarray(LIST, { minLength: 1, maxLength: 2 }),
      backend: fc.constantFrom(undefined, "exchange", "workmail", "third"),
    });
    const directory = fc.record({
      decides: fc.boolean(),
      home: fc.constantFrom(undefined, "exchange", "workmail"),
      claims: fc.array(claim, { maxLength: 3 }),
      found: fc.option(claim, { nil: undefined }),
      members: fc.option(fc.shuffledSubarray(LIST), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(directory, { maxLength: 3 }),
        fc.array(fc.constantFrom(...LIST, "not an address", "/o=Corp/cn=nobody"), { minLength: 1, maxLength: 8 }),
        fc.constantFrom("exchange", "workmail", "third"),
        fc.constantFrom("first", "exchange", "workmail", "third"),
        fc.array(fc.tuple(fc.constantFrom("exchange", "workmail", "third"), fc.constantFrom(...LIST)), {
          maxLength: 4,
        }),
        fc.boolean(),
        async (plans, list, origin, whenOnBothSides, mailboxes, remembered) => {
          const memory = new ProbeMemory({ now: () => instant(DAY) });
          const directories = plans.map(({ decides, home, claims, found, members }, i) => {
            const one = new FakeDirectory(`d${i}`, home === undefined ? { decides } : { decides, home }, ...claims);
            if (members !== undefined) one.group(["all@corp.example"], members);
            return one.looks(() => {
              if (found === undefined) return false;
              one.put(found);
              one.tell([found.addresses[0] as string]);
              return true;
            });
          });
          const backends = ["exchange", "workmail", "third"].map((name) => new FakeBackend(name));
          for (const [name, address] of mailboxes) backends.find((one) => one.name === name)?.has.set(address, 9);
          const { ask, unexpected } = gatewayOf({
            directories: [memory, ...directories],
            backends,
            winners: memory,
            whenOnBothSides,
          });
          if (remembered) await ask(list);
          const asked = () => backends.find(({ name }) => name === origin)?.asked.length;
          const before = asked();
          const answers = await ask(list, { origin });
          expect(answers).toHaveLength(list.length);
          expect(asked()).toBe(before);
          expect(unexpected).toEqual([]);
          // Whoever is named twice has the same answer twice.
          for (const [i, text] of list.entries()) expect(answers[i]).toEqual(answers[list.indexOf(text)]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a group that comes back", () => {
  it("a member of a group that the asking system is being asked about right now is asked about nowhere else", async () => {
    const workmail = new FakeBackend("workmail");
    const exchange = new FakeBackend("exchange");
    const ad = new FakeDirectory("ad", {}, { addresses: ["bob@corp.example"], backend: "workmail" }).group(
      ["all@corp.example"],
      ["bob@corp.example"],
    );
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const gateway = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    let asked = -1;
    // Probed, Exchange asks back about a group that holds the mailbox.
    exchange.otherwise = async () => {
      const before = workmail.asked.length;
      const [answer] = await gateway.ask(["all@corp.example"], { origin: "exchange" });
      asked = workmail.asked.length - before;
      return answer as NonNullable<typeof answer>;
    };
    gateway.clock.now = DAY;
    await gateway.ask(["bob@corp.example"]);
    expect(exchange.asked).toEqual(["bob@corp.example"]);
    expect(asked).toBe(0);
  });
});
