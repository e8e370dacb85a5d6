import { afterEach, describe, expect, it, vi } from "vitest";
import type { MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { purge } from "../../src/proxy/purge.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, slotsOf, told } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

afterEach(() => void vi.useRealTimers());

const MINUTE = 60_000;
const BOB = "bob@corp.example";

/** By the address spaces everybody at corp.example belongs to Exchange. */
function setUp({ probes = false, third = false, directory = new FakeDirectory("ad") } = {}) {
  const exchange = new FakeBackend("exchange", "a@corp.example");
  const workmail = new FakeBackend("workmail");
  const other = new FakeBackend("third");
  const memory = new ProbeMemory({ now: () => instant(gateway.clock.now) });
  const gateway = gatewayOf({
    directories: probes ? [memory, directory] : [directory],
    backends: third ? [exchange, workmail, other] : [exchange, workmail],
    ...(probes && { winners: memory }),
  });
  const parts = { backends: [exchange, workmail, other], winners: memory };
  const winner = (text = BOB) => memory.find(mailbox(text), instant(gateway.clock.now))?.backend;
  return { ...gateway, ...parts, exchange, workmail, other, directory, memory, winner };
}

/** What it is asked from now on arrives when told; the promise is kept once it has been asked. */
function held(backend: FakeBackend): readonly [Promise<void>, () => void] {
  const own = backend.respond;
  let arrive = () => {};
  const arriving = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const underWay = new Promise<void>((asked) => {
    backend.respond = async (question, signal) => {
      asked();
      await arriving;
      return own(question, signal);
    };
  });
  return [underWay, arrive];
}

describe("a mailbox that its presumed owner does not know", () => {
  it("is asked for where a fresh look says it is now", async () => {
    const { ask, directory, exchange, workmail, outcomes } = setUp();
    workmail.has.set("bob@corp.awsapps.com", 9);
    directory.looks(() => {
      directory.put({ addresses: ["bob@corp.awsapps.com", BOB], backend: "workmail" });
      return true;
    });
    expect((await ask(["a@corp.example", BOB])).map(told)).toEqual(["a@corp.example", "bob@corp.awsapps.com"]);
    expect([exchange.asked, workmail.asked]).toEqual([["a@corp.example", BOB], ["bob@corp.awsapps.com"]]);
    expect(directory.looked).toEqual([BOB]);
    expect(outcomes[0]?.mailboxes[1]).toMatchObject({
      backend: "workmail",
      rule: "ad: mailbox in workmail",
      cache: "miss",
    });
  });

  it("keeps what was found for it, though the system that another one is looked for at says nothing", async () => {
    const gone = "gone@corp.example";
    const { ask, directory, workmail, other } = setUp({ probes: true, third: true });
    vi.useFakeTimers();
    workmail.has.set("bob@corp.awsapps.com", 9);
    directory.looks((address) => {
      if (address === BOB) directory.put({ addresses: ["bob@corp.awsapps.com", BOB], backend: "workmail" });
      return true;
    });
    other.respond = () => new Promise(() => {});
    other.timeoutMs = 60_000;
    const answers = ask([BOB, gone]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await answers).map(told)).toEqual(["bob@corp.awsapps.com", "mailbox-not-found"]);
    expect(other.asked).toEqual([gone]);
  });

  it("is not found only after a fresh look, and then without another question", async () => {
    const { ask, directory, exchange, workmail } = setUp();
    directory.looks();
    expect((await ask([BOB])).map(told)).toEqual(["mailbox-not-found"]);
    expect([directory.looked, exchange.asked, workmail.asked]).toEqual([[BOB], [BOB], []]);
  });

  it("is looked at again also when that it was not found is remembered", async () => {
    const { ask, directory, exchange, workmail } = setUp();
    directory.looks();
    await ask([BOB]);
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "workmail" });
      return true;
    });
    workmail.has.set(BOB, 9);
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect(exchange.asked).toEqual([BOB]);
  });

  it("is asked for again at the same owner when a fresh look finds it under another address", async () => {
    const directory = new FakeDirectory("ad", {}, { addresses: ["old@corp.example", BOB], backend: "exchange" });
    const { ask, exchange } = setUp({ directory });
    exchange.has.set("new@corp.example", 9);
    directory.looks(() => {
      directory.put({ addresses: ["new@corp.example", BOB], backend: "exchange" });
      return true;
    });
    expect((await ask([BOB])).map(told)).toEqual(["new@corp.example"]);
    expect(exchange.asked).toEqual(["old@corp.example", "new@corp.example"]);
  });

  it("is told with what the new owner says, when that is no view either", async () => {
    const { ask, directory, workmail } = setUp();
    workmail.failsWith("no-access");
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "workmail" });
      return true;
    });
    expect((await ask([BOB])).map(told)).toEqual(["no-access"]);
  });

  it("is looked for in one go with all others", async () => {
    const { ask, directory, workmail } = setUp();
    directory.looks((address) => {
      directory.put({ addresses: [address], backend: "workmail" });
      return true;
    });
    const moved = Array.from({ length: 20 }, (_, i) => `m${i}@corp.example`);
    for (const one of moved) workmail.has.set(one, 9);
    expect((await ask(moved)).map(told)).toEqual(moved);
    expect(workmail.questions).toHaveLength(1);
  });

  it("costs others nothing when its look, or the new owner, takes longer than the budget", async () => {
    vi.useFakeTimers();
    const { ask, directory, workmail } = setUp();
    workmail.respond = () => new Promise(() => {});
    directory.looks((address) => {
      directory.put({ addresses: [address], backend: "workmail" });
      return address === BOB ? true : new Promise(() => {});
    });
    const answers = ask([BOB, "a@corp.example"]);
    const hung = ask(["h@corp.example", "a@corp.example"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect((await answers).map(told)).toEqual(["mailbox-not-found", "a@corp.example"]);
    expect((await hung).map(told)).toEqual(["mailbox-not-found", "a@corp.example"]);
    expect(workmail.asked).toEqual([BOB, "h@corp.example"]);
  });

  it.each(["no-access", "backend-timeout", "backend-unreachable", "backend-busy", "backend-error"] as const)(
    "is not looked for elsewhere because of %s",
    async (reason) => {
      const { ask, directory, exchange, workmail } = setUp({ probes: true });
      directory.looks();
      exchange.failsWith(reason);
      expect((await ask([BOB])).map(told)).toEqual([reason]);
      expect([directory.looked, workmail.asked]).toEqual([[], []]);
    },
  );

  it("is looked for nowhere when its domain is unknown or it is no address", async () => {
    const { ask, directory, exchange, workmail } = setUp({ probes: true });
    directory.looks();
    expect((await ask(["eve@attacker.example", "nonsense", "/o=nobody"])).map(told)).toEqual([
      "no-address-space",
      "invalid-address",
      "unresolved-legacy-dn",
    ]);
    expect([directory.looked, exchange.asked, workmail.asked]).toEqual([[], [], []]);
  });

  it("is looked for nowhere when a directory says that it lives where nobody may ask", async () => {
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB] }).looks();
    const { ask, exchange, workmail } = setUp({ probes: true, directory });
    expect((await ask([BOB])).map(told)).toEqual(["no-address-space"]);
    expect([directory.looked, exchange.asked, workmail.asked]).toEqual([[], [], []]);
  });
});

describe("a mailbox that its presumed owner asks about", () => {
  it("is asked for where a fresh look says it is now", async () => {
    const { ask, directory, exchange, workmail } = setUp();
    workmail.has.set(BOB, 9);
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "workmail" });
      return true;
    });
    expect((await ask([BOB], { origin: "exchange" })).map(told)).toEqual([BOB]);
    expect(exchange.asked).toEqual([]);
  });

  it("is not asked back when the look changes nothing, nor when it says the asker has it after all", async () => {
    const directory = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "workmail" });
    const { ask, exchange } = setUp({ directory });
    directory.looks();
    expect((await ask(["a@corp.example"], { origin: "exchange" })).map(told)).toEqual(["belongs-to-origin"]);
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "exchange" });
      return true;
    });
    expect((await ask([BOB], { origin: "exchange" })).map(told)).not.toContain(BOB);
    expect(exchange.asked).toEqual([]);
  });

  it("is probed for at every other system", async () => {
    const { ask, exchange, workmail, other, winner } = setUp({ probes: true, third: true });
    other.has.set(BOB, 9);
    expect((await ask([BOB], { origin: "exchange" })).map(told)).toEqual([BOB]);
    expect([exchange.asked, workmail.asked, other.asked]).toEqual([[], [BOB], [BOB]]);
    expect(winner()).toBe("third");
  });
});

describe("probing", () => {
  it("is off without a memory for what it finds", async () => {
    const { ask, workmail } = setUp();
    expect((await ask([BOB])).map(told)).toEqual(["mailbox-not-found"]);
    expect(workmail.asked).toEqual([]);
  });

  it("asks each other system once, in one question, and nobody while that is remembered", async () => {
    const { ask, exchange, workmail, other } = setUp({ probes: true, third: true });
    expect((await ask([BOB, "c@corp.example", BOB])).map(told)).toEqual(Array(3).fill("mailbox-not-found"));
    await ask([BOB, "c@corp.example"]);
    for (const backend of [exchange, workmail, other]) {
      expect(backend.questions).toHaveLength(1);
      expect(backend.asked).toEqual([BOB, "c@corp.example"]);
    }
  });

  it("never asks the system that asks, nor the presumed owner again", async () => {
    const { ask, exchange, workmail, other } = setUp({ probes: true, third: true });
    await ask([BOB], { origin: "workmail" });
    expect([exchange.asked, workmail.asked, other.asked]).toEqual([[BOB], [], [BOB]]);
  });

  it("comes after a fresh look, and only when that changed nothing", async () => {
    const { ask, directory, workmail, other } = setUp({ probes: true, third: true });
    workmail.has.set(BOB, 9);
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "workmail" });
      return true;
    });
    await ask([BOB]);
    expect([workmail.asked, other.asked]).toEqual([[BOB], []]);
  });

  it("remembers who has the mailbox, so that its presumed owner is not asked again", async () => {
    const { ask, clock, exchange, workmail, winner } = setUp({ probes: true });
    workmail.has.set(BOB, 9);
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect(winner()).toBe("workmail");
    clock.now += 2 * MINUTE;
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect(exchange.asked).toEqual([BOB]);
  });

  it("does not ask back the winner it remembers, when that is who asks", async () => {
    const { ask, clock, workmail } = setUp({ probes: true });
    workmail.has.set(BOB, 9);
    await ask([BOB]);
    clock.now += 2 * MINUTE;
    const asked = workmail.asked.length;
    expect((await ask([BOB], { origin: "workmail" })).map(told)).not.toContain(BOB);
    expect(workmail.asked).toHaveLength(asked);
  });

  it("remembers one winner when several systems have the mailbox", async () => {
    const { ask, workmail, other, winner, outcomes } = setUp({ probes: true, third: true });
    workmail.has.set(BOB, 9);
    other.has.set(BOB, 15);
    await ask([BOB]);
    expect(winner()).toBe("workmail");
    expect(outcomes[0]?.mailboxes[0]?.backend).toBe("workmail");
  });

  it("forgets a winner that no longer has the mailbox, and finds it where it is now", async () => {
    const { ask, clock, exchange, workmail, winner } = setUp({ probes: true });
    workmail.has.set(BOB, 9);
    await ask([BOB]);
    workmail.has.delete(BOB);
    exchange.has.set(BOB, 9);
    clock.now += 2 * MINUTE;
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect(winner()).toBeUndefined();
    expect(exchange.asked).toEqual([BOB, BOB]);
  });

  it("keeps a winner that fails for another reason", async () => {
    const { ask, clock, workmail, winner } = setUp({ probes: true });
    workmail.has.set(BOB, 9);
    await ask([BOB]);
    workmail.failsWith("backend-busy");
    clock.now += 2 * MINUTE;
    expect((await ask([BOB])).map(told)).toEqual(["backend-busy"]);
    expect(winner()).toBe("workmail");
  });

  it("that fails leaves open whether there is such a mailbox, and remembers nobody", async () => {
    const { ask, workmail, other, winner } = setUp({ probes: true, third: true });
    workmail.failsWith("backend-timeout");
    expect((await ask([BOB]))[0]).toMatchObject({
      kind: "failure",
      failure: { reason: "backend-timeout", backend: "workmail" },
    });
    expect(other.asked).toEqual([BOB]);
    expect(winner()).toBeUndefined();
  });

  it("finds the mailbox at one system though another fails", async () => {
    const { ask, workmail, other } = setUp({ probes: true, third: true });
    workmail.failsWith("backend-timeout");
    other.has.set(BOB, 9);
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
  });

  it.each([
    ["a directory tells of the mailbox", (world: ReturnType<typeof setUp>) => world.directory.tell([BOB])],
    ["a directory tells that all is new", (world: ReturnType<typeof setUp>) => world.directory.tell("all")],
    ["an operator drops the mailbox", (world: ReturnType<typeof setUp>) => purge(mailbox(BOB), world)],
    ["an operator drops all", (world: ReturnType<typeof setUp>) => purge("all", world)],
  ])("remembers nothing that was seen before %s", async (_, happens) => {
    const world = setUp({ probes: true });
    const { ask, workmail, winner } = world;
    workmail.has.set(BOB, 9);
    const [underWay, arrive] = held(workmail);
    const answers = ask([BOB]);
    await underWay;
    await happens(world);
    arrive();
    expect((await answers).map(told)).toEqual([BOB]);
    expect(winner()).toBeUndefined();
    await ask([BOB]);
    expect(winner()).toBe("workmail");
  });

  it("remembers what was seen while another mailbox was told of", async () => {
    const { ask, directory, workmail, winner } = setUp({ probes: true });
    workmail.has.set(BOB, 9);
    const [underWay, arrive] = held(workmail);
    const answers = ask([BOB]);
    await underWay;
    directory.tell(["a@corp.example"]);
    arrive();
    await answers;
    expect(winner()).toBe("workmail");
  });

  it("asks under the address the presumed owner would know, and gives each alias its answer", async () => {
    const directory = new FakeDirectory(
      "ad",
      {},
      {
        addresses: [BOB, "robert@corp.example"],
        backend: "exchange",
        legacyDns: ["/o=Corp/cn=bob"],
      },
    );
    const { ask, workmail, winner } = setUp({ probes: true, directory });
    workmail.has.set(BOB, 9);
    expect((await ask(["/o=corp/cn=BOB", "robert@corp.example", BOB])).map(told)).toEqual([BOB, BOB, BOB]);
    expect(workmail.asked).toEqual([BOB]);
    expect(winner()).toBe("workmail");
  });
});

describe("the address a probe asks about", () => {
  const AWS = "bob@corp.awsapps.com";
  const rewriting = [
    { domain: "corp.example", backend: "workmail", rewriteDomain: "corp.awsapps.com" },
    { domain: "corp.awsapps.com", backend: "workmail" },
  ];
  const world = (exchange: FakeBackend, workmail: FakeBackend, ...directories: readonly FakeDirectory[]) => {
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const found = (text: string) => winners.find(mailbox(text), instant(DAY));
    const parts = { directories: [winners, ...directories], winners, backends: [exchange, workmail] };
    return { ...gatewayOf({ ...parts, addressSpaces: rewriting }), found };
  };

  it("is the one that was asked about, where the presumed owner's own is of another domain", async () => {
    const [exchange, workmail] = [new FakeBackend("exchange", BOB), new FakeBackend("workmail")];
    const { ask, found } = world(exchange, workmail);
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[BOB], [AWS]]);
    expect(found(BOB)).toMatchObject({ backend: "exchange", address: BOB });
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
    expect([exchange.asked, workmail.asked]).toEqual([[BOB], [AWS]]);
  });

  it("is the one its address space makes of it, where the probed system's own is of another domain", async () => {
    const [exchange, workmail] = [new FakeBackend("exchange"), new FakeBackend("workmail", AWS)];
    const legacy = "/o=Corp/cn=bob";
    const ad = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "exchange", legacyDns: [legacy] });
    const { ask } = world(exchange, workmail, ad);
    expect((await ask([BOB, legacy])).map(told)).toEqual([AWS, AWS]);
    expect([exchange.asked, workmail.asked]).toEqual([[BOB], [AWS]]);
  });

  it("is the one its own directory knows, where the mailbox is in both", async () => {
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "robert@corp.awsapps.com");
    const ad = new FakeDirectory("ad", { home: "exchange" }, { addresses: [BOB], backend: "exchange" });
    const wm = new FakeDirectory(
      "wm",
      { home: "workmail" },
      { addresses: ["robert@corp.awsapps.com", BOB], backend: "workmail" },
    );
    const { ask } = world(exchange, workmail, ad, wm);
    expect((await ask([BOB])).map(told)).toEqual(["robert@corp.awsapps.com"]);
    expect(workmail.asked).toEqual(["robert@corp.awsapps.com"]);
  });

  it("may not be the one it comes back under: whoever asks is not asked back, under none of them", async () => {
    const [exchange, workmail] = [new FakeBackend("exchange"), new FakeBackend("workmail")];
    const { ask } = world(exchange, workmail);
    const sentOn: (string | undefined)[] = [];
    // Exchange has him as a mail user, and sends the question to where his mail goes.
    exchange.otherwise = async () => {
      const [answer] = await ask([AWS], { origin: "exchange" });
      sentOn.push(told(answer));
      return answer as MailboxAnswer;
    };
    await ask([BOB], { origin: "workmail" });
    expect([exchange.asked, workmail.asked, sentOn]).toEqual([[BOB], [], ["loop-detected"]]);
  });
});

describe("a second chance", () => {
  it("tells two legacyExchangeDNs apart", async () => {
    const directory = new FakeDirectory(
      "ad",
      {},
      { addresses: [BOB], backend: "exchange", legacyDns: ["/o=Corp/cn=bob"] },
      { addresses: ["ann@corp.example"], backend: "exchange", legacyDns: ["/o=Corp/cn=ann"] },
    );
    const exchange = new FakeBackend("exchange", BOB, "ann@corp.example");
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange] });
    expect((await ask(["/o=Corp/cn=bob", "/o=Corp/cn=nobody", "/o=Corp/cn=ann"])).map(told)).toEqual([
      BOB,
      "unresolved-legacy-dn",
      "ann@corp.example",
    ]);
  });

  it("asks nobody twice in one lookup, though nothing is remembered", async () => {
    const names = ["exchange", "workmail", "third"];
    const backends = names.map((name) => new FakeBackend(name));
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const directory = new FakeDirectory("ad");
    directory.looks(() => {
      directory.put({ addresses: [BOB], backend: "workmail" });
      return true;
    });
    const { ask } = gatewayOf({
      directories: [winners, directory],
      backends,
      winners,
      cacheTimes: { viewTtlMs: 0, notFoundTtlMs: 0 },
    });
    await ask([BOB]);
    expect(backends.map(({ asked }) => asked)).toEqual([[BOB], [BOB], [BOB]]);
  });

  it("tells directories when time is up", async () => {
    vi.useFakeTimers();
    let signal: AbortSignal | undefined;
    const directory = new FakeDirectory("ad").looks((_, given) => {
      signal = given;
      return new Promise(() => {});
    });
    const { ask } = gatewayOf({ directories: [directory], backends: [new FakeBackend("exchange")], budgetMs: 1000 });
    const answers = ask([BOB]);
    await vi.advanceTimersByTimeAsync(999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await answers).map(told)).toEqual(["mailbox-not-found"]);
    expect(signal?.aborted).toBe(true);
  });

  it("forgets a winner also where its own directory has come to know the mailbox by yet another address", async () => {
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    winners.learn(mailbox(BOB), "workmail", mailbox(BOB), winners.forgotten);
    const ad = new FakeDirectory("ad", {}, { addresses: [BOB, "bsmith@corp.example"], backend: "exchange" });
    const wm = new FakeDirectory(
      "wm",
      { home: "workmail" },
      { addresses: ["p@corp.awsapps.com", BOB], backend: "workmail" },
    );
    const workmail = new FakeBackend("workmail");
    const { ask } = gatewayOf({
      directories: [winners, ad, wm],
      backends: [new FakeBackend("exchange"), workmail],
      winners,
    });
    await ask(["bsmith@corp.example"]);
    expect(workmail.asked).toEqual(["p@corp.awsapps.com"]);
    expect(winners.find(mailbox(BOB), instant(DAY))).toBeUndefined();
  });

  it("after a fresh look an alias that now belongs to somebody else does not lend his calendar to the former owner's address", async () => {
    // Both lead to one target first; the look at the alias alone decides for both positions.
    const exchange = new FakeBackend("exchange", "quinn@corp.example");
    const workmail = new FakeBackend("workmail");
    const directory = new FakeDirectory(
      "workmail-directory",
      { home: "workmail" },
      {
        addresses: ["paul@corp.example", "sales@corp.example"],
        backend: "workmail",
      },
    );
    directory.looks((address) => {
      if (address !== mailbox("sales@corp.example")) return true;
      directory.put({ addresses: ["quinn@corp.example", "sales@corp.example"], backend: "exchange" });
      directory.tell(["sales@corp.example"]);
      return true;
    });
    const { ask } = gatewayOf({ directories: [directory], backends: [exchange, workmail] });
    expect((await ask(["sales@corp.example", "paul@corp.example"])).map(told)).toEqual([
      "quinn@corp.example",
      "mailbox-not-found",
    ]);
  });

  it("an address that a fresh look finds to be a group is answered as one, and nobody is probed for it", async () => {
    const exchange = new FakeBackend("exchange", "a@corp.example");
    const workmail = new FakeBackend("workmail");
    const ad = new FakeDirectory("ad");
    ad.looks(() => {
      ad.group(["new@corp.example"], ["a@corp.example"]);
      return true;
    });
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    expect((await ask(["new@corp.example"])).map(told)).toEqual([slotsOf({ 9: "2" })]);
    expect(workmail.asked).toEqual([]);
  });

  it("when the former winner and the presumed owner both deny a mailbox, the third system is still asked once", async () => {
    const names = ["exchange", "workmail", "third"];
    const [exchange, workmail, third] = names.map((name) => new FakeBackend(name)) as [
      FakeBackend,
      FakeBackend,
      FakeBackend,
    ];
    third.has.set("bob@corp.example", 9);
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    winners.learn(mailbox("bob@corp.example"), "workmail", mailbox("bob@corp.example"), winners.forgotten);
    const { ask } = gatewayOf({ directories: [winners], backends: [exchange, workmail, third], winners });
    expect((await ask(["bob@corp.example"])).map(told)).toEqual(["bob@corp.example"]);
  });

  it("one that hangs, deaf to its signal, is left behind after three seconds, and others are probed", async () => {
    vi.useFakeTimers();
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "moved@corp.example");
    const ad = new FakeDirectory("ad").looks(() => new Promise(() => {}));
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({
      directories: [winners, ad],
      backends: [exchange, workmail],
      winners,
      budgetMs: 18_000,
    });
    let answers: readonly unknown[] = [];
    void ask(["moved@corp.example"]).then((all) => {
      answers = all.map(told);
    });
    await vi.advanceTimersByTimeAsync(2_900);
    expect([answers, workmail.asked]).toEqual([[], []]);
    await vi.advanceTimersByTimeAsync(200);
    expect(answers).toEqual(["moved@corp.example"]);
  });

  it("a probe's winner is forgotten when it denies the mailbox, also when asked under an alias only a directory knows", async () => {
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const ad = new FakeDirectory(
      "ad",
      { home: "exchange" },
      {
        addresses: ["bob@corp.example", "bsmith@corp.example"],
        backend: "exchange",
      },
    );
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask, clock } = gatewayOf({ directories: [winners, ad], backends: [exchange, workmail], winners });
    await ask(["bob@corp.example"]);
    expect(winners.find(mailbox("bob@corp.example"), instant(DAY))?.backend).toBe("workmail");
    workmail.has.clear();
    clock.now += 61_000;
    expect((await ask(["bsmith@corp.example"])).map(told)).toEqual(["mailbox-not-found"]);
    expect(winners.find(mailbox("bob@corp.example"), instant(DAY))).toBeUndefined();
  });

  it("a winner is not forgotten because the winning system itself asks", async () => {
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners], backends: [exchange, workmail], winners });
    await ask(["bob@corp.example"]);
    await ask(["bob@corp.example"], { origin: "workmail" });
    expect(winners.find(mailbox("bob@corp.example"), instant(DAY))?.backend).toBe("workmail");
  });

  it("the answer of a probe's winner is kept like any other: the next question costs no call", async () => {
    // winners.learn tells a change, which drops the answer that has just been kept.
    const exchange = new FakeBackend("exchange");
    const workmail = new FakeBackend("workmail", "bob@corp.example");
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const { ask } = gatewayOf({ directories: [winners], backends: [exchange, workmail], winners });
    await ask(["bob@corp.example"]);
    await ask(["bob@corp.example"]);
    expect(workmail.asked).toHaveLength(1);
  });
});
