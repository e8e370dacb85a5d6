/** How many requests an account has under way at once, who waits for it, and how it comes back from a pause. */

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TransportError } from "../../src/backends/http-channel.js";
import { answerWith, FakeSite, settled } from "../support/fake-accounts.js";

const site = (names: readonly string[], maximumAtOnce: number) => new FakeSite(names, () => ({ maximumAtOnce }));
const bodies = ({ sent }: FakeSite) => sent.map(({ body }) => body).join(" ");
const sentWith = ({ sent }: FakeSite) => sent.map(({ account, body }) => account + body).join(" ");
const accepted = async (names: readonly string[], maximumAtOnce: number) => {
  const one = site(names, maximumAtOnce);
  for (const _ of names) await one.ask("first");
  one.sent.length = 0;
  return one;
};

// Time passes only where a test says so, also on a machine that is held up.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("an account's budget", () => {
  it("is never exceeded, whatever is asked, given up or refused, and every request comes to an end", async () => {
    const anyStep = fc.oneof(
      { weight: 3, arbitrary: fc.constant("ask" as const) },
      { weight: 2, arbitrary: fc.record({ release: fc.nat({ max: 8 }) }) },
      { weight: 1, arbitrary: fc.record({ giveUp: fc.nat({ max: 30 }) }) },
      { weight: 1, arbitrary: fc.record({ busy: fc.constantFrom("a", "b"), status: fc.constantFrom(200, 503, 429) }) },
      { weight: 1, arbitrary: fc.record({ breaks: fc.constantFrom("a", "b") }) },
      { weight: 1, arbitrary: fc.record({ later: fc.constantFrom(1_000, 400_000) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (steps, budget) => {
        const one = site(["a", "b"], budget);
        one.held = true;
        const asked: Promise<unknown>[] = [];
        const aborts: AbortController[] = [];
        const check = () => {
          for (const { name, inFlight } of one.service.state())
            expect([name, inFlight > budget]).toEqual([name, false]);
          expect(one.service.room).toBeGreaterThanOrEqual(0);
        };
        for (const step of steps) {
          if (step === "ask") {
            const abort = new AbortController();
            aborts.push(abort);
            asked.push(one.ask(`${aborts.length}`, abort.signal).catch(() => "failed"));
          } else if ("release" in step) await one.release(step.release);
          else if ("giveUp" in step) aborts[step.giveUp]?.abort(new Error("enough"));
          else if ("breaks" in step) one.account(step.breaks).instead = new TransportError("ECONNRESET", { cause: 0 });
          else if ("later" in step) one.now += step.later;
          else one.account(step.busy).instead = step.status === 200 ? undefined : answerWith(step.status);
          check();
        }
        await settled();
        for (let i = 0; i < 200 && one.waiting > 0; i++) {
          await one.release();
          check();
        }
        await Promise.all(asked);
        expect(one.service.state().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
        await one.service.close();
      }),
      { numRuns: 150 },
    );
  });

  it("when it is spent lets others wait in the order they came", async () => {
    const one = await accepted(["a"], 2);
    one.held = true;
    for (let i = 1; i <= 5; i++) void one.ask(`${i}`);
    await settled();
    expect([bodies(one), one.service.room]).toEqual(["1 2", 0]);
    await one.release();
    await one.release();
    expect(bodies(one)).toBe("1 2 3 4");
  });

  it("is not waited for where another account has room", async () => {
    const one = await accepted(["a", "b"], 1);
    one.held = true;
    void one.ask("1");
    void one.ask("2");
    await settled();
    expect(one.sent.map(({ account }) => account).sort()).toEqual(["a", "b"]);
  });

  it("is not waited for by whoever another account has room for, though somebody waits who was told no by that one", async () => {
    const one = await accepted(["a", "b"], 1);
    one.held = true;
    void one.ask("1");
    await settled();
    one.account("b").instead = answerWith(503, { retryAfter: "1" });
    void one.ask("2");
    await settled();
    one.account("b").instead = undefined;
    await one.release(1);
    one.now += 1_000;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.service.room).toBe(1);
    void one.ask("3");
    void one.ask("4");
    await settled();
    expect([sentWith(one), one.service.room]).toEqual(["a1 b2 b3", 0]);
    // Whoever came later does not overtake.
    await one.release(0);
    expect(sentWith(one)).toBe("a1 b2 b3 a2");
    await one.release(0);
    expect(sentWith(one)).toBe("a1 b2 b3 a2 b4");
  });

  it("is for those who waited first, also when it was time that gave it back and nobody was told", async () => {
    const one = await accepted(["a", "b"], 1);
    one.account("b").valid = "elsewhere";
    for (let i = 0; i < 2; i++) await one.ask();
    one.account("b").valid = "b-1";
    one.sent.length = 0;
    one.held = true;
    void one.ask("1");
    void one.ask("2");
    await settled();
    expect(sentWith(one)).toBe("a1");
    one.now += 300_000;
    void one.ask("3");
    await settled();
    expect(sentWith(one)).toBe("a1 b2");
    await one.release(1);
    expect(sentWith(one)).toBe("a1 b2 b3");
  });

  it("is not waited for by those whose time is over", async () => {
    const one = await accepted(["a"], 1);
    one.held = true;
    const abort = new AbortController();
    void one.ask("1");
    const second = one.ask("2", abort.signal);
    void one.ask("3");
    await settled();
    abort.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    await one.release();
    expect(bodies(one)).toBe("1 3");
  });
});

describe("an account that is throttled", () => {
  it("answers those who wait for it at once, and nothing is sent", async () => {
    const one = await accepted(["a"], 1);
    one.held = true;
    one.account("a").instead = answerWith(503, { retryAfter: "30" });
    const asked = [one.ask("1"), one.ask("2"), one.ask("3")];
    await settled();
    await one.release();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(bodies(one)).toBe("1");
    expect(one.service.room).toBe(Number.POSITIVE_INFINITY);
  });

  it("pauses alone, and the others have its share", async () => {
    const one = await accepted(["a", "b"], 2);
    one.account("a").instead = answerWith(429, { retryAfter: "30" });
    for (let i = 0; i < 6; i++) expect(await one.ask()).toEqual({ status: 200, account: "b" });
    expect(one.sent.filter(({ account }) => account === "a")).toHaveLength(1);
    expect(one.service.state().map(({ pausedUntil }) => pausedUntil)).toEqual([1_030_000, undefined]);
  });

  it("comes back with one request alone, and the others follow when that was served without complaint", async () => {
    const one = await accepted(["a"], 3);
    one.account("a").instead = answerWith(503, { retryAfter: "30" });
    await one.ask();
    one.sent.length = 0;
    one.now += 30_000;
    one.account("a").instead = undefined;
    one.held = true;
    for (let i = 1; i <= 4; i++) void one.ask(`${i}`);
    await settled();
    expect([bodies(one), one.service.state()[0]?.budget]).toEqual(["1", 1]);
    await one.release();
    // The answer has not been read yet: it may hold a complaint.
    expect(bodies(one)).toBe("1 2");
    one.service.served("a");
    await settled();
    expect([bodies(one), one.service.state()[0]?.budget]).toEqual(["1 2 3 4", 3]);
  });

  it("keeps nobody waiting when the first one after that hears nothing: one more goes after 1, 3 and 7 seconds", async () => {
    const one = await accepted(["a"], 10);
    one.service.pause("a", 30_000);
    one.sent.length = 0;
    one.now += 30_000;
    vi.advanceTimersByTime(30_000);
    one.held = true;
    for (let i = 1; i <= 9; i++) void one.ask(`${i}`);
    const sent: number[] = [];
    for (let second = 0; second < 8; second++) {
      await settled();
      while (sent.length < one.sent.length) sent.push(second);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(sent).toEqual([0, 1, 3, 7]);
    one.service.served("a");
    await settled();
    expect(one.sent).toHaveLength(9);
  });

  it.each<[string, (one: FakeSite) => void]>([
    ["was told here", (one) => one.service.pause("a", 1_000)],
    ["another gateway was told", (one) => one.service.hear({ kind: "paused", account: "a", forMs: 1_000 })],
  ])(
    "comes back with one request alone, however long others have hung since before the pause that %s",
    async (_, pause) => {
      const one = await accepted(["a"], 10);
      one.held = true;
      void one.ask("old");
      void one.ask("old");
      await settled();
      await vi.advanceTimersByTimeAsync(8_000);
      pause(one);
      one.now += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
      for (let i = 1; i <= 4; i++) void one.ask(`${i}`);
      await settled();
      expect(bodies(one)).toBe("old old 1");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(bodies(one)).toBe("old old 1 2");
    },
  );

  it("goes one by one also when it may come back at once: nobody follows before those under way are over", async () => {
    const one = await accepted(["a"], 3);
    one.held = true;
    one.account("a").instead = answerWith(503, { retryAfter: "0" });
    for (let i = 1; i <= 5; i++) void one.ask(`${i}`);
    await settled();
    await one.release();
    await one.release();
    expect(bodies(one)).toBe("1 2 3");
    await one.release();
    expect(bodies(one)).toBe("1 2 3 4");
  });

  it("is left alone for longer each time, where the backend does not say for how long, until it serves again", async () => {
    const one = await accepted(["a"], 3);
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      one.service.pause("a", undefined);
      // Sent at the same time, told the same.
      one.service.pause("a", undefined);
      pauses.push((one.service.state()[0]?.pausedUntil ?? 0) - one.now);
      one.now += 100_000;
    }
    one.service.served("a");
    one.service.pause("a", undefined);
    pauses.push((one.service.state()[0]?.pausedUntil ?? 0) - one.now);
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 5_000]);
  });

  it("whose pause is over serves those who wait for another one", async () => {
    const one = await accepted(["a", "b"], 1);
    one.service.pause("a", 10_000);
    one.held = true;
    void one.ask("1");
    void one.ask("2");
    await settled();
    expect(sentWith(one)).toBe("b1");
    one.now += 10_000;
    vi.advanceTimersByTime(10_000);
    await settled();
    expect(sentWith(one)).toBe("b1 a2");
  });
});
