import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { type ProbePlan, type ProbeStanding, SyntheticProbes } from "../../src/proxy/synthetic-probes.js";

beforeEach(() => vi.useFakeTimers({ now: Date.parse("2026-07-01T10:00Z") }));
afterEach(() => vi.useRealTimers());

const VIEW = viewed({ detail: "times", events: [] });
const plan = (change: Partial<ProbePlan> = {}): ProbePlan => ({
  name: "to-workmail",
  mailbox: parseMailboxAddress("bob@corp.example") as ProbePlan["mailbox"],
  origin: "exchange",
  everyMs: 60_000,
  expects: "times",
  ...change,
});

function setUp(plans: readonly ProbePlan[], answer: () => MailboxAnswer | Promise<MailboxAnswer>) {
  const asked: { at: number; caller: string; origin: string | undefined; anew: boolean | undefined }[] = [];
  const changes: ProbeStanding[] = [];
  const unexpected: string[] = [];
  const start = Date.now();
  const probes = new SyntheticProbes({
    plans,
    answer: async (_, { caller, anew }) => {
      asked.push({ at: Date.now() - start, caller: caller.name, origin: caller.origin, anew });
      return [await answer()];
    },
    changed: (standing) => changes.push(standing),
    unexpected: (what) => unexpected.push(what),
    clock: () => instant(Date.now()),
    now: () => Date.now(),
  });
  return {
    probes,
    asked,
    changes,
    unexpected,
    result: () => probes.standings().map(({ result, reason }) => reason ?? result),
  };
}

describe("synthetic probes", () => {
  it("ask as the system they are given, past the cache, one after another at the start and each at its own pace", async () => {
    const { probes, asked } = setUp([plan(), plan({ name: "b", origin: undefined, everyMs: 30_000 })], () => VIEW);
    expect(asked).toEqual([]);
    probes.start();
    await vi.advanceTimersByTimeAsync(61_500);
    expect(asked.map(({ at, caller, origin, anew }) => [at, caller, origin, anew])).toEqual([
      [0, "probe:to-workmail", "exchange", true],
      [1_000, "probe:b", undefined, true],
      [31_000, "probe:b", undefined, true],
      [60_000, "probe:to-workmail", "exchange", true],
      [61_000, "probe:b", undefined, true],
    ]);
  });

  it("tell of a change and not of what stays, and remember when they last succeeded", async () => {
    let answer: MailboxAnswer = VIEW;
    const { probes, changes, result } = setUp([plan()], () => answer);
    expect(result()).toEqual(["not asked yet"]);
    probes.start();
    await vi.advanceTimersByTimeAsync(60_000);
    answer = failed({ reason: "backend-timeout" });
    await vi.advanceTimersByTimeAsync(120_000);
    answer = failed({ reason: "backend-busy" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(changes.map((standing) => standing.reason ?? standing.result)).toEqual([
      "success",
      "backend-timeout",
      "backend-busy",
    ]);
    expect(probes.standings()[0]?.succeededAt).toBe(Date.parse("2026-07-01T10:01Z"));
  });

  it("do not take for an answer less than is expected, nothing but unknown time, or a question that threw", async () => {
    const nothing = viewed({ detail: "merged", merged: { start: instant(0), intervalMinutes: 30, digits: "" } });
    const answers: MailboxAnswer[] = [nothing, VIEW];
    const { probes, result, unexpected } = setUp([plan({ expects: "details" })], () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error("a bug");
      return answer;
    });
    probes.start();
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await vi.advanceTimersByTimeAsync(i === 0 ? 10 : 60_000);
      seen.push(...result());
    }
    expect(seen).toEqual(["no-data", "less-than-expected", "unexpected"]);
    expect(unexpected).toEqual(["a probe could not ask"]);
  });

  it("never ask twice at once, however slow the answer, and tell nothing after they are stopped", async () => {
    let finish: (answer: MailboxAnswer) => void = () => {};
    const { probes, asked, changes } = setUp([plan()], () => new Promise((resolve) => (finish = resolve)));
    probes.start();
    await vi.advanceTimersByTimeAsync(150_000);
    expect(asked).toHaveLength(1);
    finish(VIEW);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    probes.stop();
    finish(failed({ reason: "backend-timeout" }));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(2);
    expect(changes.map(({ result }) => result)).toEqual(["success"]);
  });
});
