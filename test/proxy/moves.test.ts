import { afterEach, describe, expect, it, vi } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { PinnedMailboxes } from "../../src/directories/pinned-mailboxes.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, HOUR, told, viewOf } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

afterEach(() => void vi.useRealTimers());

const BOB = "bob@corp.example";
const ALIAS = "robert@corp.example";

/** A promise to be kept later. */
function later() {
  let settle = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** A backend that answers when it is told to, each time with a meeting an hour later. */
function slowBackend(name: string) {
  const backend = new FakeBackend(name);
  const waiting: (() => void)[] = [];
  backend.otherwise = async (address, { detail }) => {
    const hour = backend.asked.length;
    await new Promise<void>((resolve) => waiting.push(resolve));
    return viewOf(`${address} ${hour}`, detail, hour);
  };
  const answerAll = async () => {
    await new Promise(setImmediate);
    for (const answer of waiting.splice(0)) answer();
  };
  return Object.assign(backend, { answerAll });
}

describe("when a directory says that a mailbox has moved", () => {
  const setUp = () => {
    const exchange = new FakeBackend("exchange", BOB);
    const workmail = new FakeBackend("workmail", BOB);
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB, ALIAS], backend: "exchange" });
    const move = (backend: string | undefined, changed: readonly string[] | "all" = [ALIAS]) => {
      directory.put({ addresses: [BOB, ALIAS], backend });
      directory.tell(changed);
    };
    return { ...gatewayOf({ directories: [directory], backends: [exchange, workmail] }), exchange, workmail, move };
  };

  it("no lookup goes to the loser any more, under any of its addresses", async () => {
    const { ask, exchange, workmail, move } = setUp();
    await ask([BOB]);
    move("workmail");
    expect((await ask([ALIAS, BOB])).map(told)).toEqual([BOB, BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[BOB], [BOB]]);
  });

  it.each([
    ["one of its addresses was named", [ALIAS]],
    ["everything may have changed", "all" as const],
  ])("what was kept of it is gone at both systems, when %s", async (_, changed) => {
    const { ask, exchange, workmail, move } = setUp();
    await ask([BOB]);
    move("workmail", changed);
    await ask([BOB]);
    move("exchange", changed);
    await ask([BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[BOB, BOB], [BOB]]);
  });

  it("what was kept of others is still there", async () => {
    const { ask, exchange, move } = setUp();
    exchange.has.set("a@corp.example", 9);
    await ask(["a@corp.example"]);
    move("workmail");
    await ask(["a@corp.example"]);
    expect(exchange.asked).toEqual(["a@corp.example"]);
  });

  it("that it was not found at its new owner is forgotten too", async () => {
    const { ask, exchange, workmail, move } = setUp();
    workmail.has.clear();
    move("workmail");
    expect((await ask([BOB])).map(told)).toEqual(["mailbox-not-found"]);
    workmail.has.set(BOB, 9);
    move("workmail");
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect(exchange.asked).toEqual([]);
  });

  it("nobody is asked when it now lives where nobody may ask", async () => {
    const { ask, exchange, workmail, move } = setUp();
    await ask([BOB]);
    move(undefined);
    expect((await ask([BOB])).map(told)).toEqual(["no-address-space"]);
    expect([exchange.asked.length, workmail.asked.length]).toEqual([1, 0]);
  });

  it("nobody joins the question under way, nor is its answer kept, but who waits for it has it", async () => {
    const exchange = slowBackend("exchange");
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB, ALIAS], backend: "exchange" });
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange, new FakeBackend("workmail")] });
    const before = ask([BOB]);
    const joined = ask([BOB]);
    directory.tell([ALIAS]);
    const after = ask([BOB]);
    await exchange.answerAll();
    expect((await Promise.all([before, joined, after])).flat().map(told)).toEqual([`${BOB} 1`, `${BOB} 1`, `${BOB} 2`]);
    expect(exchange.asked).toHaveLength(2);
    expect((await ask([BOB])).map(told)).toEqual([`${BOB} 2`]);
  });

  /** One question before the directory speaks, one after; each is answered when the test calls its answer. */
  const twoUnderWay = async () => {
    const exchange = new FakeBackend("exchange");
    const answers: (() => void)[] = [];
    exchange.otherwise = async (address, { detail }) => {
      const hour = exchange.asked.length;
      await new Promise<void>((resolve) => answers.push(resolve));
      return viewOf(`${address} ${hour}`, detail);
    };
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "exchange" });
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange] });
    const before = ask([BOB]);
    directory.tell([BOB]);
    const after = ask([BOB]);
    await new Promise(setImmediate);
    return { exchange, ask, answers, before, after };
  };

  it("the older of two answers under way is not kept, though it comes last", async () => {
    const { exchange, ask, answers, before, after } = await twoUnderWay();
    answers[1]?.();
    await after;
    answers[0]?.();
    await before;
    expect((await ask([BOB])).map(told)).toEqual([`${BOB} 2`]);
    expect(exchange.asked).toHaveLength(2);
  });

  it("the older of two answers under way is not kept, though the younger is still to come", async () => {
    const { exchange, ask, answers, before, after } = await twoUnderWay();
    answers[0]?.();
    await before;
    const joining = ask([BOB]);
    answers[1]?.();
    expect((await Promise.all([after, joining])).flat().map(told)).toEqual([`${BOB} 2`, `${BOB} 2`]);
    expect(exchange.asked).toHaveLength(2);
  });

  it("only its own answer is not kept, of a question about several", async () => {
    const exchange = slowBackend("exchange");
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "exchange" });
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange] });
    const before = ask([BOB, "a@corp.example"]);
    directory.tell([BOB]);
    await exchange.answerAll();
    await before;
    const after = ask([BOB, "a@corp.example"]);
    await exchange.answerAll();
    await after;
    expect(exchange.questions.map(({ mailboxes }) => mailboxes)).toEqual([[BOB, "a@corp.example"], [BOB]]);
  });
});

describe("when an override begins or ends at an instant", () => {
  const setUp = (override: { from?: number; until?: number }) => {
    vi.useFakeTimers({ now: DAY });
    const now = () => instant(Date.now());
    const exchange = new FakeBackend("exchange", BOB, "new@corp.example");
    const workmail = new FakeBackend("workmail", BOB);
    const overrides = new PinnedMailboxes({
      name: "overrides",
      now,
      rows: [
        {
          addresses: [mailbox(BOB)],
          backend: "workmail",
          from: override.from === undefined ? undefined : instant(override.from),
          until: override.until === undefined ? undefined : instant(override.until),
          rule: "overrides: line 1",
        },
      ],
    });
    const directory = new FakeDirectory("ad", {}, { addresses: [ALIAS, BOB], backend: "exchange" });
    exchange.has.set(ALIAS, 9);
    const gateway = gatewayOf({
      directories: [overrides, directory],
      backends: [exchange, workmail],
      now: () => Date.now(),
    });
    return { ...gateway, exchange, workmail };
  };

  it("no lookup goes to the loser from that very instant on, under any address", async () => {
    const { ask, exchange, workmail } = setUp({ from: DAY + HOUR });
    vi.setSystemTime(DAY + HOUR - 1);
    await ask([BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[ALIAS], []]);
    // The clock alone: no timer has fired.
    vi.setSystemTime(DAY + HOUR);
    await ask([ALIAS, BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[ALIAS], [BOB]]);
  });

  it("what was kept at either system is gone", async () => {
    const { ask, exchange, workmail } = setUp({ from: DAY + HOUR, until: DAY + HOUR + 10_000 });
    await vi.advanceTimersByTimeAsync(HOUR - 10_000);
    await ask([BOB]);
    await vi.advanceTimersByTimeAsync(10_000);
    await ask([BOB]);
    await vi.advanceTimersByTimeAsync(10_000);
    await ask([BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[ALIAS, ALIAS], [BOB]]);
  });

  it("what was under way to the loser is not kept", async () => {
    const { ask, exchange, workmail } = setUp({ until: DAY + HOUR });
    let release: () => void = () => {};
    workmail.has.clear();
    workmail.otherwise = async (address, { detail }) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return viewOf(address, detail);
    };
    await vi.advanceTimersByTimeAsync(HOUR - 1);
    const before = ask([BOB]);
    await vi.advanceTimersByTimeAsync(1);
    expect((await ask([BOB])).map(told)).toEqual([ALIAS]);
    release();
    expect((await before).map(told)).toEqual([BOB]);
    expect((await ask([BOB, ALIAS])).map(told)).toEqual([ALIAS, ALIAS]);
    expect([exchange.asked, workmail.asked]).toEqual([[ALIAS], [BOB]]);
  });
});

describe("a move, besides", () => {
  it("a probe's winner counts no more once a directory says that everything may have changed", async () => {
    // A reading with more than 10,000 changed addresses is told as "all": the very batch in which people move.
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const ad = new FakeDirectory("ad", {}, { addresses: ["bob@corp.example"], backend: "exchange" });
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    await ask(["bob@corp.example"]);
    exchange.has.set("bob@corp.example", 15);
    ad.tell("all");
    await ask(["bob@corp.example"]);
    expect([exchange.asked.length, workmail.asked.length]).toEqual([2, 1]);
  });

  it("after a change of everything, nobody joins what was under way, and it is not kept", async () => {
    const exchange = new FakeBackend("exchange");
    const first = later();
    let answers = 0;
    exchange.otherwise = async (address, question) => {
      if (++answers === 1) await first.promise;
      return viewOf(address, question.detail, answers === 1 ? 9 : 15);
    };
    const ad = new FakeDirectory("ad");
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    const before = ask(["a@corp.example"]);
    ad.tell("all");
    const after = ask(["a@corp.example"]);
    first.settle();
    await Promise.all([before, after]);
    await ask(["a@corp.example"]);
    expect(exchange.asked).toHaveLength(2);
  });

  it("a probe's winner counts no more once a directory says that the mailbox has moved", async () => {
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const ad = new FakeDirectory("ad", { home: "exchange" }, { addresses: ["bob@corp.example"], backend: "exchange" });
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    expect((await ask(["bob@corp.example"])).map(told)).toEqual(["bob@corp.example"]);
    expect(workmail.asked).toHaveLength(1);
    // AD catches up: the mailbox lives in WorkMail; later it moves back, and a copy stays in WorkMail for a while.
    ad.put({ addresses: ["bob@corp.example"], backend: "workmail" });
    ad.tell(["bob@corp.example"]);
    ad.put({ addresses: ["bob@corp.example"], backend: "exchange" });
    ad.tell(["bob@corp.example"]);
    exchange.has.set("bob@corp.example", 15);
    const asked = workmail.asked.length;
    await ask(["bob@corp.example"]);
    expect(workmail.asked).toHaveLength(asked);
    expect(exchange.asked.filter((one) => one === "bob@corp.example")).toHaveLength(2);
  });

  it("a member whose owner changes while other members are still being named is not asked at the loser", async () => {
    const exchange = new FakeBackend("exchange", "bob@corp.example");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const named = later();
    const ad = new FakeDirectory("ad", {}, { addresses: ["bob@corp.example"], backend: "exchange" })
      .group(["all@corp.example"], ["bob@corp.example", "inner@corp.example"])
      .group(["inner@corp.example"], async () => {
        await named.promise;
        return { addresses: [], without: 0 };
      });
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange, workmail] });
    const answers = ask(["all@corp.example"]);
    await new Promise(setImmediate);
    ad.put({ addresses: ["bob@corp.example"], backend: "workmail" });
    ad.tell(["bob@corp.example"]);
    named.settle();
    await answers;
    expect([exchange.asked, workmail.asked]).toEqual([[], ["bob@corp.example"]]);
  });

  it("what was kept of a mailbox is gone when its override begins, also under the domain its address space writes", async () => {
    const clock = { now: DAY };
    const exchange = new FakeBackend("exchange", "eve@corp.example");
    const workmail = new FakeBackend("workmail", "eve@corp.example");
    const overrides = new PinnedMailboxes({ name: "overrides", rows: [], now: () => instant(clock.now) });
    const { ask } = gatewayOf({
      directories: [overrides],
      backends: [exchange, workmail],
      addressSpaces: [{ domain: "corp.awsapps.com", backend: "workmail", rewriteDomain: "corp.example" }],
    });
    await ask(["eve@corp.awsapps.com"]);
    overrides.replace([{ addresses: [mailbox("eve@corp.awsapps.com")], backend: "exchange", rule: "overrides: 1" }]);
    overrides.replace([]);
    await ask(["eve@corp.awsapps.com"]);
    expect(workmail.asked).toHaveLength(2);
  });
});
