import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { MemoryViewCache } from "../../src/caches/memory-view-cache.js";
import type { Asking, Caller } from "../../src/proxy/asking.js";
import type { AvailabilityBackend, BackendQuestion } from "../../src/proxy/availability-backend.js";
import type { LookupOutcome } from "../../src/proxy/lookup-observer.js";
import type { ViewCache } from "../../src/proxy/view-cache.js";
import { pinned, policyOf } from "../support/proxy.js";

const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const DAY = Date.UTC(2026, 6, 1);
const HOUR = 3_600_000;
const client: Caller = { name: "client", origin: undefined, maximumDetail: "details" };

/** Every mailbox has one event whose subject is its address: a mix-up cannot go unseen. */
function viewOf(mailbox: string, question: BackendQuestion): MailboxAnswer {
  if (mailbox.startsWith("nobody")) return failed({ reason: "mailbox-not-found" });
  const details = {
    subject: mailbox,
    isMeeting: false,
    isRecurring: false,
    isException: false,
    isReminderSet: false,
    isPrivate: false,
  };
  const event = { start: instant(DAY + 9 * HOUR), end: instant(DAY + 10 * HOUR), busyType: "Busy" as const };
  return viewed({ detail: question.detail, events: [question.detail === "details" ? { ...event, details } : event] });
}

class FakeBackend implements AvailabilityBackend {
  readonly serviceAccount = "svc";
  readonly asked: BackendQuestion[] = [];
  readonly signals: AbortSignal[] = [];
  timeoutMs = 1000;
  respond: (question: BackendQuestion) => Promise<readonly MailboxAnswer[]> = async (question) =>
    question.mailboxes.map((mailbox) => viewOf(mailbox, question));
  constructor(readonly name: string) {}
  ask(question: BackendQuestion, signal: AbortSignal) {
    this.asked.push(question);
    this.signals.push(signal);
    return this.respond(question);
  }
  async health() {
    return { usable: true, reason: "" };
  }
}

function setUp(cache: ViewCache = new MemoryViewCache(1_000_000)) {
  const exchange = new FakeBackend("exchange");
  const workmail = new FakeBackend("workmail");
  const outcomes: LookupOutcome[] = [];
  const unexpected: string[] = [];
  const observer = {
    lookupAnswered: (outcome: LookupOutcome) => void outcomes.push(outcome),
    backendAsked: () => {},
    requestRefused: () => {},
    unexpected: (what: string) => void unexpected.push(what),
  };
  const clock = { now: DAY };
  const { answerer } = policyOf({
    directories: [
      pinned({ addresses: [address("bob@corp.example"), address("bob@corp.awsapps.com")], backend: "workmail" }),
    ],
    addressSpaces: [
      { domain: "corp.example", backend: "exchange" },
      { domain: "corp.awsapps.com", backend: "workmail", rewriteDomain: "corp.example" },
      { domain: "wm.example", backend: "workmail" },
    ],
    backends: [exchange, workmail],
    cache,
    observer,
    now: () => clock.now,
  });
  const ask = async (
    mailboxes: string[],
    change: Partial<AvailabilityQuery> = {},
    caller = client,
    times: Pick<Asking, "since" | "withinMs"> = {},
  ) =>
    answerer.answer(
      {
        mailboxes: mailboxes.map((text) => ({
          text,
          routingType: "SMTP" as const,
          address: parseMailboxAddress(text),
        })),
        window: { start: instant(DAY), end: instant(DAY + 24 * HOUR) },
        intervalMinutes: 30,
        view: { detail: "details", merged: false },
        ...change,
      },
      { caller, returned: false, ...times },
      "id",
    );
  return { exchange, workmail, outcomes, unexpected, clock, ask };
}

const told = (answer: MailboxAnswer | undefined) =>
  answer?.kind === "failure"
    ? answer.failure.reason
    : answer?.view.detail === "merged"
      ? answer.view.merged.digits
      : answer?.view.events[0]?.details?.subject;

afterEach(() => void vi.useRealTimers());

describe("answering a query", () => {
  it("gives every position its own mailbox's answer, in order, whatever is asked twice or fails", async () => {
    const mailboxes = fc.constantFrom(
      "a@corp.example",
      "b@corp.example",
      "nobody@corp.example",
      "bob@corp.example",
      "bob@corp.awsapps.com",
      "c@corp.awsapps.com",
      "d@wm.example",
      "x@elsewhere.example",
      "not an address",
      "A@CORP.example",
    );
    const expected = (text: string, workmailFails: boolean) => {
      if (text === "not an address") return "invalid-address";
      if (text.endsWith("elsewhere.example")) return "no-address-space";
      const viaWorkMail = text.startsWith("bob@") || text.endsWith("awsapps.com") || text.endsWith("wm.example");
      if (viaWorkMail && workmailFails) return "backend-unreachable";
      if (text.startsWith("nobody")) return "mailbox-not-found";
      return text.toLowerCase().replace("awsapps.com", "example");
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(mailboxes, { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        async (list, workmailFails) => {
          const { ask, workmail, exchange } = setUp();
          if (workmailFails)
            workmail.respond = async (q) => q.mailboxes.map(() => failed({ reason: "backend-unreachable" }));
          const answers = await ask(list);
          expect(answers.map(told)).toEqual(list.map((text) => expected(text, workmailFails)));
          for (const backend of [workmail, exchange]) {
            expect(backend.asked.length).toBeLessThanOrEqual(1);
            const { mailboxes: names = [] } = backend.asked[0] ?? {};
            expect(new Set(names).size).toBe(names.length);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never asks the side that asks, under any of a mailbox's addresses", async () => {
    const { ask, workmail, exchange } = setUp();
    const answers = await ask(
      ["bob@corp.example", "bob@corp.awsapps.com", "c@wm.example", "a@corp.example"],
      {},
      { ...client, origin: "workmail" },
    );
    expect(answers.map(told)).toEqual([
      "belongs-to-origin",
      "belongs-to-origin",
      "belongs-to-origin",
      "a@corp.example",
    ]);
    expect(workmail.asked).toEqual([]);
    expect(exchange.asked).toHaveLength(1);
  });

  it("asks nobody about a domain that no rule names", async () => {
    const { ask, workmail, exchange } = setUp();
    expect((await ask(["eve@attacker.example"])).map(told)).toEqual(["no-address-space"]);
    expect([...workmail.asked, ...exchange.asked]).toEqual([]);
  });

  it("gives what is known when the budget ends, and a reason for the rest, though a backend ignores its signal", async () => {
    vi.useFakeTimers();
    const { ask, workmail } = setUp();
    workmail.respond = () => new Promise(() => {});
    const answers = ask(["a@corp.example", "bob@corp.example"]);
    await vi.advanceTimersByTimeAsync(4999);
    expect(workmail.signals[0]?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect((await answers).map(told)).toEqual(["a@corp.example", "budget-spent"]);
  });

  it("ends sooner for a caller that gives up sooner, and no later for one that would wait longer", async () => {
    vi.useFakeTimers();
    for (const [withinMs, endsMs] of [
      [2000, 2000],
      [60_000, 5000],
    ] as const) {
      const { ask, workmail } = setUp();
      workmail.respond = () => new Promise(() => {});
      let ended = false;
      const answers = ask(["bob@corp.example"], {}, client, { withinMs });
      void answers.then(() => {
        ended = true;
      });
      await vi.advanceTimersByTimeAsync(endsMs - 1);
      expect(ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await answers).map(told)).toEqual(["budget-spent"]);
    }
  });

  it("counts its budget from when the question arrived, and what the caller gives it from now on", async () => {
    vi.useFakeTimers();
    for (const [goneMs, withinMs, endsMs] of [
      [3000, undefined, 2000],
      [3000, 3000, 2000],
      [3000, 1000, 1000],
    ] as const) {
      const { ask, workmail, clock } = setUp();
      workmail.respond = () => new Promise(() => {});
      let ended = false;
      const answers = ask(["bob@corp.example"], {}, client, {
        since: clock.now - goneMs,
        ...(withinMs && { withinMs }),
      });
      void answers.then(() => {
        ended = true;
      });
      await vi.advanceTimersByTimeAsync(endsMs - 1);
      expect(ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await answers).map(told)).toEqual(["budget-spent"]);
    }
  });

  it("gives what is kept, and a reason for the rest, when the budget was spent before it could begin", async () => {
    vi.useFakeTimers();
    const { ask, workmail, clock } = setUp();
    const spent = { since: clock.now - 5001 };
    const known = ["bob@corp.example", "a@corp.example"];
    await ask(known);
    expect((await ask(known, {}, client, spent)).map(told)).toEqual(known);
    workmail.respond = () => new Promise(() => {});
    let answers: readonly MailboxAnswer[] = [];
    void ask([...known, "c@wm.example"], {}, client, spent).then((all) => {
      answers = all;
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(answers.map(told)).toEqual([...known, "budget-spent"]);
  });

  it("tells a backend when its own time is up, and takes what it has by then", async () => {
    vi.useFakeTimers();
    const { ask, workmail } = setUp();
    workmail.respond = (question) =>
      new Promise((resolve) => {
        workmail.signals[0]?.addEventListener("abort", () =>
          resolve(
            question.mailboxes.map((mailbox, i) =>
              i === 0 ? viewOf(mailbox, question) : failed({ reason: "backend-timeout" }),
            ),
          ),
        );
      });
    const answers = ask(["c@wm.example", "d@wm.example"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await answers).map(told)).toEqual(["c@wm.example", "backend-timeout"]);
  });

  it.each([
    ["throws", async () => Promise.reject(new Error("bug")), "backend-error"],
    ["answers for another number of mailboxes", async () => [], "backend-wrong-count"],
  ])("loses to a backend that %s only that backend's mailboxes", async (_, respond, reason) => {
    const { ask, workmail } = setUp();
    workmail.respond = respond;
    expect((await ask(["bob@corp.example", "a@corp.example", "c@wm.example"])).map(told)).toEqual([
      reason,
      "a@corp.example",
      reason,
    ]);
  });

  it("shares a question that is under way", async () => {
    const { ask, exchange } = setUp();
    const [first, second] = await Promise.all([
      ask(["a@corp.example"]),
      ask(["a@corp.example"], { intervalMinutes: 15 }),
    ]);
    expect(exchange.asked).toHaveLength(1);
    expect([told(first[0]), told(second[0])]).toEqual(["a@corp.example", "a@corp.example"]);
  });

  it("tells the observer one outcome per position, with rule, backend and cache", async () => {
    const { ask, outcomes } = setUp();
    await ask(["a@corp.example", "x@elsewhere.example"]);
    await ask(["a@corp.example"]);
    expect(
      outcomes.flatMap(({ mailboxes }) => mailboxes.map(({ rule, backend, cache }) => [rule, backend, cache])),
    ).toEqual([
      ["address space corp.example", "exchange", "miss"],
      ["no address space", undefined, "none"],
      ["address space corp.example", "exchange", "hit"],
    ]);
  });
});

describe("answers kept", () => {
  const narrower = { window: { start: instant(DAY + 8 * HOUR), end: instant(DAY + 12 * HOUR) } };

  it.each([
    ["another interval", { intervalMinutes: 15 }],
    ["a narrower window", narrower],
    ["a lower view", { view: { detail: "times" as const, merged: true } }],
    ["slots only", { view: { detail: "merged" as const, merged: true } }],
  ])("serve %s without a call, as if fetched afresh", async (_, change) => {
    const kept = setUp();
    await kept.ask(["a@corp.example"]);
    const cached = await kept.ask(["a@corp.example"], change);
    expect(kept.exchange.asked).toHaveLength(1);
    expect(cached).toEqual(await setUp().ask(["a@corp.example"], change));
  });

  it("do not serve more detail than was asked for", async () => {
    const { ask, exchange } = setUp();
    await ask(["a@corp.example"], { view: { detail: "times", merged: false } });
    expect(exchange.asked[0]?.detail).toBe("times");
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["a@corp.example"]);
    expect(exchange.asked).toHaveLength(2);
  });

  it("never show a caller with a lower limit what another caller's question brought in", async () => {
    const { ask } = setUp();
    await ask(["a@corp.example"]);
    const low = await ask(["a@corp.example"], {}, { ...client, maximumDetail: "times" });
    const lowest = await ask(["a@corp.example"], {}, { ...client, maximumDetail: "merged" });
    expect(JSON.stringify([low, lowest])).not.toContain("a@corp.example");
    expect(lowest.map(told)).toEqual([`${"0".repeat(18)}22${"0".repeat(28)}`]);
  });

  it("expire, 'no such mailbox' sooner than views", async () => {
    const { ask, exchange, clock } = setUp();
    await ask(["a@corp.example", "nobody@corp.example"]);
    clock.now += 10_000;
    await ask(["a@corp.example", "nobody@corp.example"]);
    expect(exchange.asked.map(({ mailboxes }) => mailboxes)).toEqual([
      ["a@corp.example", "nobody@corp.example"],
      ["nobody@corp.example"],
    ]);
    clock.now += 50_000;
    await ask(["a@corp.example"]);
    expect(exchange.asked).toHaveLength(3);
  });

  it("never hold a failure", async () => {
    const { ask, exchange } = setUp();
    const right = exchange.respond;
    exchange.respond = async (question) => question.mailboxes.map(() => failed({ reason: "backend-busy" }));
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["backend-busy"]);
    exchange.respond = right;
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["a@corp.example"]);
  });

  it("that cannot be read or written are done without, and reported", async () => {
    const broken: ViewCache = {
      find: () => Promise.reject(new Error("gone")),
      store: () => Promise.reject(new Error("gone")),
      forget: () => Promise.reject(new Error("gone")),
    };
    const { ask, unexpected } = setUp(broken);
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["a@corp.example"]);
    await vi.waitFor(() =>
      expect(unexpected).toEqual(["the cache could not be read", "the cache could not be written"]),
    );
  });
});
