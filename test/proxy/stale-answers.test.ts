import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { FAILURE_REASONS, type MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, slotsOf, told } from "../support/fake-directory.js";

const BOB = "bob@corp.example";
const PASSING = [
  "backend-timeout",
  "budget-spent",
  "backend-unreachable",
  "backend-busy",
  "queue-full",
  "queue-timeout",
  "backend-circuit-open",
  "backend-http-error",
  "backend-fault",
  "backend-unreadable",
  "backend-wrong-count",
] as const;

const asOfOf = (answer: MailboxAnswer) => (answer.kind === "view" && answer.stale ? answer.learntAt : undefined);

function setUp(times: object) {
  const exchange = new FakeBackend("exchange", BOB, "ann@corp.example");
  const workmail = new FakeBackend("workmail", BOB);
  const directory = new FakeDirectory("ad", {}, { addresses: [BOB], backend: "exchange" });
  const cacheTimes = { viewTtlMs: 60_000, notFoundTtlMs: 10_000, ...times };
  const gateway = gatewayOf({ directories: [directory], backends: [exchange, workmail], cacheTimes });
  const cacheOf = () => gateway.outcomes.at(-1)?.mailboxes.map(({ cache }) => cache);
  const asOf = async () => {
    const [answer] = await gateway.ask([BOB]);
    return answer?.kind === "view" ? [told(answer), asOfOf(answer)] : [told(answer)];
  };
  return { ...gateway, exchange, workmail, directory, cacheOf, asOf };
}

describe("when a backend fails", () => {
  it("what was known is given, marked with its time, until it is too old; and nothing unless a site wants that", async () => {
    const { exchange, clock, asOf, cacheOf } = setUp({ staleIfErrorMs: 600_000 });
    await asOf();
    exchange.failsWith("backend-unreachable");
    clock.now = DAY + 60_000;
    expect(await asOf()).toEqual([BOB, DAY]);
    expect(cacheOf()).toEqual(["stale"]);
    clock.now = DAY + 659_999;
    expect(await asOf()).toEqual([BOB, DAY]);
    clock.now = DAY + 660_000;
    expect(await asOf()).toEqual(["backend-unreachable"]);

    const plain = setUp({});
    await plain.asOf();
    plain.exchange.failsWith("backend-unreachable");
    plain.clock.now = DAY + 60_000;
    expect(await plain.asOf()).toEqual(["backend-unreachable"]);
  });

  it("only reasons that pass are papered over", async () => {
    for (const reason of FAILURE_REASONS) {
      const { exchange, clock, asOf } = setUp({ staleIfErrorMs: 600_000 });
      await asOf();
      exchange.failsWith(reason);
      clock.now = DAY + 60_000;
      expect([reason, (await asOf())[0]]).toEqual([
        reason,
        (PASSING as readonly string[]).includes(reason) ? BOB : reason,
      ]);
    }
  });

  it("a refusal, or that there is no such mailbox, is the last that is heard of what was known", async () => {
    for (const [reason, notFoundTtlMs] of [
      ["no-access", 10_000],
      ["mailbox-not-found", 10_000],
      ["mailbox-not-found", 0],
    ] as const) {
      const { exchange, clock, asOf } = setUp({ staleIfErrorMs: 600_000, notFoundTtlMs });
      await asOf();
      clock.now = DAY + 60_000;
      exchange.failsWith(reason);
      expect(await asOf()).toEqual([reason]);
      exchange.failsWith("backend-timeout");
      clock.now = DAY + 80_000;
      expect(await asOf()).toEqual(["backend-timeout"]);
    }
  });

  it("a mailbox that moves while it is being asked about is not answered from before its move", async () => {
    const { exchange, directory, clock, ask } = setUp({ staleIfErrorMs: 600_000 });
    await ask([BOB]);
    clock.now = DAY + 60_000;
    const { respond } = exchange;
    exchange.failsWith("backend-timeout");
    const failing = exchange.respond;
    exchange.respond = async (question, signal) => {
      directory.tell([BOB]);
      return failing(question, signal);
    };
    expect((await ask([BOB])).map(told)).toEqual(["backend-timeout"]);
    exchange.respond = respond;
    expect((await ask([BOB])).map(told)).toEqual([BOB]);
  });

  it("a group is as stale as its stalest member, and says so", async () => {
    const { exchange, directory, clock, ask, cacheOf } = setUp({ staleIfErrorMs: 600_000 });
    directory.group(["all@corp.example"], [BOB, "ann@corp.example"]);
    await ask([BOB], { detail: "times" });
    clock.now = DAY + 1_000;
    await ask(["ann@corp.example"], { detail: "times" });
    clock.now = DAY + 70_000;
    exchange.failsWith("backend-busy");
    const [answer] = await ask(["all@corp.example"], { detail: "merged" });
    expect(answer).toMatchObject({ kind: "view", stale: true, learntAt: DAY });
    expect(told(answer)).toBe(slotsOf({ 9: "2" }));
    expect(cacheOf()).toEqual(["stale"]);
  });

  it("no answer is ever fresh without being so, nor stale without saying so, whatever happens in whatever order", async () => {
    const anyStep = fc.oneof(
      fc.record({ wait: fc.integer({ min: 0, max: 200_000 }) }),
      fc.record({ fails: fc.constantFrom(undefined, "backend-busy" as const, "no-access" as const) }),
      fc.constant({ moved: true }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 30_000, 600_000),
        fc.constantFrom(0, 45_000),
        async (steps, staleIfErrorMs, staleWhileRevalidateMs) => {
          const { exchange, directory, clock, ask } = setUp({ staleIfErrorMs, staleWhileRevalidateMs });
          const works = exchange.respond;
          let learntAt = Number.NEGATIVE_INFINITY;
          let forgotten = true;
          const right = exchange.respond;
          const track: typeof right = async (question, signal) => {
            learntAt = clock.now;
            forgotten = false;
            return works(question, signal);
          };
          exchange.respond = track;
          for (const step of steps) {
            if ("wait" in step) clock.now += step.wait;
            else if ("moved" in step) {
              directory.tell([BOB]);
              forgotten = true;
            } else if (step.fails === undefined) exchange.respond = track;
            else exchange.failsWith(step.fails);
            const before = learntAt;
            const wasForgotten = forgotten;
            const [answer] = await ask([BOB]);
            // What is fetched in the background has arrived before the next step.
            await new Promise(setImmediate);
            if (answer?.kind !== "view") {
              if (answer?.failure.reason === "no-access") forgotten = true;
              continue;
            }
            const age = clock.now - before;
            if (!answer.stale) {
              expect(learntAt === clock.now || (age < 60_000 && !wasForgotten)).toBe(true);
            } else {
              expect([wasForgotten, answer.learntAt]).toEqual([false, before]);
              expect(age).toBeGreaterThanOrEqual(60_000);
              expect(age).toBeLessThan(60_000 + Math.max(staleIfErrorMs, staleWhileRevalidateMs));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a view that is past its time, while a newer one is fetched", () => {
  it("is given once, marked; the next asking gets the newer one", async () => {
    const { exchange, clock, asOf, cacheOf } = setUp({ staleWhileRevalidateMs: 30_000 });
    await asOf();
    clock.now = DAY + 60_000;
    exchange.has.set(BOB, 11);
    expect(await asOf()).toEqual([BOB, DAY]);
    expect(cacheOf()).toEqual(["stale"]);
    await new Promise(setImmediate);
    expect(await asOf()).toEqual([BOB, undefined]);
    expect(cacheOf()).toEqual(["hit"]);
    expect(exchange.asked).toHaveLength(2);
  });

  it("is not fetched twice, however little time the fetching has left: nobody waits for it", async () => {
    const { exchange, clock, asOf } = setUp({ staleWhileRevalidateMs: 30_000 });
    await asOf();
    clock.now = DAY + 60_000;
    exchange.respond = () => new Promise(() => {});
    await asOf();
    clock.now += exchange.timeoutMs / 2 + 1;
    expect(await asOf()).toEqual([BOB, DAY]);
    await new Promise(setImmediate);
    expect(exchange.asked).toHaveLength(2);
  });

  it("is given no more once the mailbox was not found, however short that is remembered", async () => {
    const { exchange, clock, asOf } = setUp({ staleWhileRevalidateMs: 600_000, notFoundTtlMs: 0 });
    await asOf();
    exchange.has.delete(BOB);
    clock.now = DAY + 60_000;
    expect(await asOf()).toEqual([BOB, DAY]);
    await vi.waitFor(async () => expect(await asOf()).toEqual(["mailbox-not-found"]));
  });

  it("is not waited past the time allowed for it", async () => {
    const { clock, asOf, cacheOf } = setUp({ staleWhileRevalidateMs: 30_000 });
    await asOf();
    clock.now = DAY + 90_000;
    expect(await asOf()).toEqual([BOB, undefined]);
    expect(cacheOf()).toEqual(["miss"]);
  });
});
