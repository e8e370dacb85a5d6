import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import type { MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { EwsBackend, EXCHANGE } from "../../src/backends/ews-backend.js";
import { SharedQuestions } from "../../src/backends/shared-questions.js";
import type { AvailabilityBackend } from "../../src/proxy/availability-backend.js";
import { FakeSite, settled } from "../support/fake-accounts.js";

const DAY = 86_400_000;
const told = (answers: readonly MailboxAnswer[]) =>
  answers.map((one) => (one.kind === "failure" ? `${one.failure.reason}: ${one.failure.detail}` : "view"));

// Time passes only where a test says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** One account, one request at once, no answers. */
async function setUp() {
  const site = new FakeSite(["a"], () => ({ maximumAtOnce: 1 }));
  await site.ask("first");
  site.held = true;
  const backend = new EwsBackend({ name: "exchange", timeoutMs: 15_000, dialect: EXCHANGE }, site.service);
  return { site, backend };
}

const asking = (backend: AvailabilityBackend, mailbox: string, signal: AbortSignal) =>
  backend.ask(
    {
      mailboxes: [mailbox as MailboxAddress],
      window: { start: instant(DAY), end: instant(2 * DAY) },
      detail: "times",
    },
    signal,
  );

describe("a question whose time is over", () => {
  it("was not sent while it waited for an account's place, and no answer to it is missed", async () => {
    const { site, backend } = await setUp();
    const abort = new AbortController();
    void site.ask("somebody else's");
    const waiting = asking(backend, "a@corp.example", abort.signal);
    await vi.advanceTimersByTimeAsync(15_000);
    abort.abort();
    expect(told(await waiting)).toEqual(["queue-timeout: not sent in 15000 ms"]);
    // And says nothing of the system.
    expect((await backend.health()).reason).toContain("not asked");
  });

  it("says how long its answer was waited for, not how long its turn", async () => {
    const { site, backend } = await setUp();
    const abort = new AbortController();
    void site.ask("somebody else's");
    const waiting = asking(backend, "a@corp.example", abort.signal);
    await vi.advanceTimersByTimeAsync(14_400);
    await site.release();
    await vi.advanceTimersByTimeAsync(600);
    abort.abort();
    expect(told(await waiting)).toEqual(["backend-timeout: no answer in 600 ms"]);
  });

  it("says the same where it shares requests with others", async () => {
    const { site, backend } = await setUp();
    const shared = new SharedQuestions(backend, site.service, {
      maximumMailboxes: 1,
      maximumWaiting: 100,
      gatherMs: 0,
    });
    const abort = new AbortController();
    const all = ["a", "b", "c"].map((name) => asking(shared, `${name}@corp.example`, abort.signal));
    await settled();
    await vi.advanceTimersByTimeAsync(14_400);
    await site.release();
    await vi.advanceTimersByTimeAsync(600);
    abort.abort();
    const [, sentLate, neverSent] = (await Promise.all(all)).map(told);
    expect(sentLate).toEqual(["backend-timeout: no answer in 600 ms"]);
    expect(neverSent).toEqual(["queue-timeout: not sent in 15000 ms"]);
  });
});
