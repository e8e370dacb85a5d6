import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import { VIEW_DETAILS, type ViewDetail } from "../../src/availability/free-busy-view.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { FAILURE_REASONS, failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant, MINUTE_MS, wholeDaysAround } from "../../src/availability/time-window.js";
import { BackendAsker } from "../../src/proxy/ask-backends.js";
import type { Caller } from "../../src/proxy/asking.js";
import type { AvailabilityBackend, BackendQuestion } from "../../src/proxy/availability-backend.js";
import type { BackendCallOutcome, LookupOutcome } from "../../src/proxy/lookup-observer.js";
import { type CachedAnswer, serves, type ViewCache } from "../../src/proxy/view-cache.js";
import { pinned, policyOf } from "../support/proxy.js";

const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const DAY = Date.UTC(2026, 6, 1);
const HOUR = 3_600_000;
const client: Caller = { name: "client", origin: undefined, maximumDetail: "details" };
const hours = (from: number, to: number) => ({ start: instant(DAY + from * HOUR), end: instant(DAY + to * HOUR) });
const flags = { isMeeting: false, isRecurring: false, isException: false, isReminderSet: false, isPrivate: false };

class MapCache implements ViewCache {
  readonly kept = new Map<string, CachedAnswer[]>();
  async find(questions: Parameters<ViewCache["find"]>[0], now: Parameters<ViewCache["find"]>[1]) {
    return questions.map((question) => this.kept.get(question.key)?.find((one) => serves(one, question, now)));
  }
  async store(entries: Parameters<ViewCache["store"]>[0]) {
    for (const { key, kept } of entries) this.kept.set(key, [kept, ...(this.kept.get(key) ?? [])]);
  }
  async forget(keys: Parameters<ViewCache["forget"]>[0]) {
    for (const key of keys === "all" ? [...this.kept.keys()] : keys) this.kept.delete(key);
    return "here" as const;
  }
}

/** What a backend knows of a mailbox: by its name nobody, slots only, times only, or one event whose subject is its address. */
function knownOf(mailbox: string, { window, detail }: BackendQuestion): MailboxAnswer {
  if (mailbox.startsWith("nobody")) return failed({ reason: "mailbox-not-found" });
  const events = [
    { ...hours(-3, 1), busyType: "OOF" as const },
    { ...hours(9, 10), busyType: "Busy" as const },
    { start: instant(DAY + 11.5 * HOUR), end: instant(DAY + 11.75 * HOUR), busyType: "Tentative" as const },
    { ...hours(30, 32), busyType: "Busy" as const },
  ].filter(({ start, end }) => start < window.end && end > window.start);
  if (mailbox.startsWith("slots")) {
    return viewed({ detail: "merged", merged: mergedFreeBusy({ detail: "times", events }, window, 15) });
  }
  if (detail === "times" || mailbox.startsWith("times")) return viewed({ detail: "times", events });
  return viewed({
    detail: "details",
    events: events.map((event) => ({ ...event, details: { subject: mailbox, ...flags } })),
  });
}

class FakeBackend implements AvailabilityBackend {
  readonly serviceAccount = "svc";
  readonly asked: BackendQuestion[] = [];
  readonly signals: AbortSignal[] = [];
  timeoutMs = 1000;
  respond = async (question: BackendQuestion): Promise<readonly MailboxAnswer[]> =>
    question.mailboxes.map((mailbox) => knownOf(mailbox, question));
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

function setUp(cache: ViewCache = new MapCache()) {
  const exchange = new FakeBackend("exchange");
  const workmail = new FakeBackend("workmail");
  const outcomes: LookupOutcome[] = [];
  const calls: BackendCallOutcome[] = [];
  const unexpected: string[] = [];
  const observer = {
    lookupAnswered: (outcome: LookupOutcome) => void outcomes.push(outcome),
    backendAsked: (call: BackendCallOutcome) => void calls.push(call),
    requestRefused: () => {},
    unexpected: (what: string) => void unexpected.push(what),
  };
  const clock = { now: DAY };
  const aliases = ["bob@corp.example", "bob@corp.awsapps.com", "robert@corp.example"].map(address);
  const { answerer } = policyOf({
    directories: [pinned({ addresses: aliases, backend: "workmail" })],
    addressSpaces: [
      { domain: "corp.example", backend: "exchange" },
      { domain: "wm.example", backend: "workmail" },
    ],
    backends: [exchange, workmail],
    cache,
    observer,
    now: () => clock.now,
  });
  const ask = async (mailboxes: readonly string[], change: Partial<AvailabilityQuery> = {}, caller = client) =>
    answerer.answer(
      {
        mailboxes: mailboxes.map((text) => ({ text, routingType: "SMTP", address: parseMailboxAddress(text) })),
        window: hours(0, 24),
        intervalMinutes: 30,
        view: { detail: "details", merged: false },
        ...change,
      },
      { caller, returned: false },
      "id",
    );
  return { exchange, workmail, outcomes, calls, unexpected, clock, ask };
}

const view = (detail: ViewDetail) => ({ view: { detail, merged: true } });
const told = (answer: MailboxAnswer | undefined) => {
  if (answer === undefined) return undefined;
  if (answer.kind === "failure") return answer.failure.reason;
  return answer.view.detail === "merged" ? "slots" : (answer.view.events[0]?.details?.subject ?? "times");
};
const never = () => new Promise<never>(() => {});

afterEach(() => void vi.useRealTimers());

describe("a list of mailboxes", () => {
  const anyMailbox = fc.constantFrom(
    "a@corp.example",
    "A@Corp.Example",
    "b@corp.example",
    "nobody@corp.example",
    "slots@corp.example",
    "bob@corp.example",
    "bob@corp.awsapps.com",
    "robert@corp.example",
    "c@wm.example",
    "nobody@wm.example",
    "d@elsewhere.example",
    "none",
  );
  const viaWorkMail = (text: string) => /^(bob|robert)@|@wm\./.test(text);
  const expected = (text: string, failing: Record<string, string>, origin: string | undefined) => {
    if (text === "none") return "invalid-address";
    if (text.endsWith("elsewhere.example")) return "no-address-space";
    const backend = viaWorkMail(text) ? "workmail" : "exchange";
    if (backend === origin) return "belongs-to-origin";
    const reason = failing[backend];
    if (reason !== undefined) return reason;
    if (text.startsWith("nobody")) return "mailbox-not-found";
    if (text.startsWith("slots")) return "slots";
    return /^(bob|robert)@/.test(text) ? "bob@corp.example" : text.toLowerCase();
  };
  const ways: Record<string, (question: BackendQuestion) => Promise<readonly MailboxAnswer[]>> = {
    "backend-unreachable": async ({ mailboxes }) => mailboxes.map(() => failed({ reason: "backend-unreachable" })),
    "backend-error": () => Promise.reject(new Error("bug")),
    "backend-wrong-count": async (question) => [
      ...question.mailboxes.map((mailbox) => knownOf(mailbox, question)),
      failed({ reason: "no-access" }),
    ],
  };
  const anyWay = fc.option(fc.constantFrom(...Object.keys(ways)), { nil: undefined, freq: 2 });

  it("is answered by position, each with its own mailbox's data, whatever is named twice and whoever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMailbox, { minLength: 1, maxLength: 40 }),
        anyWay,
        anyWay,
        fc.constantFrom(undefined, undefined, "exchange", "workmail"),
        async (list, exchangeFails, workmailFails, origin) => {
          const { ask, exchange, workmail, outcomes } = setUp();
          const failing: Record<string, string> = {};
          for (const [backend, way] of [[exchange, exchangeFails] as const, [workmail, workmailFails] as const]) {
            if (way === undefined) continue;
            failing[backend.name] = way;
            backend.respond = ways[way] as FakeBackend["respond"];
          }
          const answers = await ask(list, {}, { ...client, origin });
          expect(answers.map(told)).toEqual(list.map((text) => expected(text, failing, origin)));
          for (const backend of [exchange, workmail]) {
            const names = backend.asked.flatMap(({ mailboxes }) => mailboxes);
            expect(new Set(names).size).toBe(names.length);
            expect(backend.asked.length).toBeLessThanOrEqual(backend.name === origin ? 0 : 1);
          }
          expect(outcomes).toHaveLength(1);
          expect(outcomes[0]?.mailboxes.map(({ delivered, failure }) => failure?.reason ?? delivered)).toEqual(
            answers.map((answer) => (answer.kind === "failure" ? answer.failure.reason : answer.view.detail)),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it("asks about a mailbox once, under whichever of its addresses and however often it is named", async () => {
    const { ask, workmail, exchange } = setUp();
    const names = ["bob@corp.awsapps.com", "bob@corp.example", "BOB@corp.example ", "robert@corp.example"];
    expect((await ask([...names, ...names])).map(told)).toEqual(Array(8).fill("bob@corp.example"));
    expect(workmail.asked.map(({ mailboxes }) => mailboxes)).toEqual([["bob@corp.example"]]);
    expect(exchange.asked).toEqual([]);
  });

  it("keeps apart mailboxes of one address on two backends", async () => {
    const { exchange, workmail } = setUp();
    const observer = {
      lookupAnswered: () => {},
      backendAsked: () => {},
      requestRefused: () => {},
      unexpected: () => {},
    };
    const asker = new BackendAsker(
      new MapCache(),
      { viewTtlMs: 60_000, notFoundTtlMs: 10_000 },
      observer,
      () => DAY,
      () => instant(DAY),
    );
    exchange.respond = async () => [failed({ reason: "mailbox-not-found" })];
    const wanted = [exchange, workmail].map((backend) => ({ backend, address: address("a@corp.example") }));
    for (let round = 0; round < 2; round++) {
      const pending = await asker.answersFor(wanted, hours(0, 24), "details");
      const answers = await Promise.all(pending.map(({ answer }) => answer));
      expect(answers.map(told)).toEqual(["mailbox-not-found", "a@corp.example"]);
    }
  });

  it("does not end up with what another service account may see", async () => {
    const cache = new MapCache();
    const kept = setUp(cache);
    await kept.ask(["a@corp.example"]);
    const other = setUp(cache);
    Object.assign(other.exchange, { serviceAccount: "another" });
    await other.ask(["a@corp.example"]);
    expect(other.exchange.asked).toHaveLength(1);
  });
});

describe("two backends", () => {
  it("are asked at the same time", async () => {
    const { ask, exchange, workmail } = setUp();
    // Each answers only once the other has been asked: one after the other would never end.
    const bothAsked = () => vi.waitFor(() => expect([exchange.asked.length, workmail.asked.length]).toEqual([1, 1]));
    for (const backend of [exchange, workmail]) {
      const right = backend.respond;
      backend.respond = async (question) => {
        await bothAsked();
        return right(question);
      };
    }
    expect((await ask(["a@corp.example", "c@wm.example"])).map(told)).toEqual(["a@corp.example", "c@wm.example"]);
  });

  it("have a time each: the slower one's signal is aborted at its own timeout, the other's never", async () => {
    vi.useFakeTimers();
    const { ask, exchange, workmail } = setUp();
    workmail.timeoutMs = 2500;
    workmail.respond = never;
    const answers = ask(["a@corp.example", "c@wm.example"]);
    await vi.advanceTimersByTimeAsync(2499);
    expect(workmail.signals[0]?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(workmail.signals[0]?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    await answers;
    expect(exchange.signals[0]?.aborted).toBe(false);
  });

  it("neither of which replies cost the budget once, not twice", async () => {
    vi.useFakeTimers();
    const { ask, exchange, workmail } = setUp();
    exchange.respond = never;
    workmail.respond = never;
    let answered: readonly MailboxAnswer[] | undefined;
    void ask(["a@corp.example", "none", "c@wm.example", "a@corp.example"]).then((answers) => {
      answered = answers;
    });
    await vi.advanceTimersByTimeAsync(4999);
    expect(answered).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(answered).toEqual([
      failed({ reason: "budget-spent", backend: "exchange" }),
      failed({ reason: "invalid-address" }),
      failed({ reason: "budget-spent", backend: "workmail" }),
      failed({ reason: "budget-spent", backend: "exchange" }),
    ]);
  });
});

describe("a question under way", () => {
  const slow = (backend: FakeBackend) => {
    const right = backend.respond;
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    backend.respond = async (question) => {
      await gate;
      return right(question);
    };
    return () => go();
  };

  it("is joined by equal, narrower and lower ones, and by no wider or higher one", async () => {
    const { ask, exchange, outcomes } = setUp();
    const release = slow(exchange);
    const first = ask(["a@corp.example"], view("times"));
    await vi.waitFor(() => expect(exchange.asked).toHaveLength(1));
    const rest = [
      ask(["a@corp.example"], view("times")),
      ask(["a@corp.example"], { ...view("times"), window: hours(9, 12) }),
      ask(["a@corp.example"], view("merged")),
      ask(["a@corp.example"], view("details")),
      ask(["a@corp.example"], { ...view("times"), window: hours(0, 25) }),
      ask(["b@corp.example"], view("times")),
    ];
    await vi.waitFor(() => expect(exchange.asked).toHaveLength(4));
    release();
    expect((await Promise.all([first, ...rest])).flat().map(told)).toEqual([
      "times",
      "times",
      "times",
      "slots",
      "a@corp.example",
      "times",
      "times",
    ]);
    expect(outcomes.flatMap(({ mailboxes }) => mailboxes.map(({ cache }) => cache)).sort()).toEqual(
      ["miss", "joined", "joined", "joined", "miss", "miss", "miss"].sort(),
    );
  });

  it("that failed is asked again by the next", async () => {
    const { ask, exchange } = setUp();
    const right = exchange.respond;
    exchange.respond = () => Promise.reject(new Error("once"));
    expect((await Promise.all([ask(["a@corp.example"]), ask(["a@corp.example"])])).flat().map(told)).toEqual([
      "backend-error",
      "backend-error",
    ]);
    expect(exchange.asked).toHaveLength(1);
    exchange.respond = right;
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["a@corp.example"]);
  });

  it("that never ends is not waited for by those who ask after its time", async () => {
    vi.useFakeTimers();
    const { ask, exchange } = setUp();
    const right = exchange.respond;
    exchange.respond = never;
    const first = ask(["a@corp.example"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect((await first).map(told)).toEqual(["budget-spent"]);
    exchange.respond = right;
    const second = ask(["a@corp.example"]);
    await vi.advanceTimersByTimeAsync(5000);
    expect((await second).map(told)).toEqual(["a@corp.example"]);
  });

  it("is not ended for others by one who gave up on it", async () => {
    vi.useFakeTimers();
    const { ask, exchange, clock } = setUp();
    exchange.timeoutMs = 8000;
    const release = slow(exchange);
    const impatient = ask(["a@corp.example"]);
    await vi.advanceTimersByTimeAsync(4000);
    clock.now += 4000;
    const patient = ask(["a@corp.example"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await impatient).map(told)).toEqual(["budget-spent"]);
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect((await patient).map(told)).toEqual(["a@corp.example"]);
    expect(exchange.asked).toHaveLength(1);
  });

  describe("for more than half of its time", () => {
    /** Each question is answered when the test says so, with a subject that says which one it was. */
    const numbered = () => {
      const { exchange, clock, ...rest } = setUp();
      const release: (() => void)[] = [];
      exchange.respond = ({ window }) =>
        new Promise((resolve) => {
          const subject = `answer ${release.length + 1}`;
          const events = [{ ...window, busyType: "Busy" as const, details: { subject, ...flags } }];
          release.push(() => resolve([viewed({ detail: "details", events })]));
        });
      const asked = (count: number) => vi.waitFor(() => expect(exchange.asked).toHaveLength(count));
      return { ...rest, exchange, clock, release, asked };
    };

    it("is not joined by whoever would have too little of it: they and those after them share another one", async () => {
      const { ask, clock, release, asked, outcomes } = numbered();
      const first = ask(["a@corp.example"]);
      await asked(1);
      clock.now += 500;
      const inTime = ask(["a@corp.example"]);
      // It is under way to the cache, and has joined after that.
      await new Promise(setImmediate);
      clock.now += 1;
      const late = ask(["a@corp.example"]);
      await asked(2);
      const later = ask(["a@corp.example"]);
      release[0]?.();
      expect((await Promise.all([first, inTime])).flat().map(told)).toEqual(["answer 1", "answer 1"]);
      release[1]?.();
      expect((await Promise.all([late, later])).flat().map(told)).toEqual(["answer 2", "answer 2"]);
      await asked(2);
      const caches = outcomes.flatMap(({ mailboxes }) => mailboxes.map(({ cache }) => cache));
      expect(caches.sort()).toEqual(["joined", "joined", "miss", "miss"]);
    });

    it.each([
      ["first", [0, 1]],
      ["last", [1, 0]],
    ] as const)(
      "comes to its own askers, and what is kept is the other answer, though it arrives %s",
      async (_, order) => {
        const { ask, clock, release, asked } = numbered();
        const first = ask(["a@corp.example"]);
        await asked(1);
        clock.now += 501;
        const late = ask(["a@corp.example"]);
        await asked(2);
        const answers = [first, late];
        for (const at of order) {
          release[at]?.();
          expect((await answers[at])?.map(told)).toEqual([`answer ${at + 1}`]);
        }
        clock.now += 1;
        expect((await ask(["a@corp.example"])).map(told)).toEqual(["answer 2"]);
      },
    );

    it("is kept when the other one comes to nothing", async () => {
      const { ask, exchange, clock, release, asked } = numbered();
      const first = ask(["a@corp.example"]);
      await asked(1);
      clock.now += 501;
      exchange.respond = async () => [failed({ reason: "queue-timeout" })];
      expect((await ask(["a@corp.example"])).map(told)).toEqual(["queue-timeout"]);
      release[0]?.();
      await first;
      expect((await ask(["a@corp.example"])).map(told)).toEqual(["answer 1"]);
      await asked(2);
    });

    it("does not hide from memory that the mailbox may not be seen any more", async () => {
      const { ask, exchange, clock, release, asked } = numbered();
      const first = ask(["a@corp.example"]);
      await asked(1);
      clock.now += 501;
      exchange.respond = async () => [failed({ reason: "no-access" })];
      await ask(["a@corp.example"]);
      release[0]?.();
      await first;
      expect((await ask(["a@corp.example"])).map(told)).toEqual(["no-access"]);
    });

    it("counts beside the other one as asked about, on behalf of whoever it was begun for, until it is there", async () => {
      const { exchange, clock, release, asked } = numbered();
      const observer = { lookupAnswered() {}, backendAsked() {}, requestRefused() {}, unexpected() {} };
      const times = { viewTtlMs: 0, notFoundTtlMs: 0 };
      const now = () => clock.now;
      const asker = new BackendAsker(new MapCache(), times, observer, now, () => instant(now()));
      const wanted = { backend: exchange, address: address("a@corp.example") };
      const ask = async (origin: string) => {
        const [pending] = await asker.answersFor([wanted], hours(0, 24), "details", origin);
        return pending?.answer;
      };
      const askers = () => [...(asker.askersOf(wanted) ?? ["nobody"])];
      const first = ask("workmail");
      await asked(1);
      clock.now += 501;
      const late = ask("elsewhere");
      await asked(2);
      expect(askers()).toEqual(["workmail", "elsewhere"]);
      release[1]?.();
      await late;
      await vi.waitFor(() => expect(askers()).toEqual(["workmail"]));
      release[0]?.();
      await first;
      await vi.waitFor(() => expect(askers()).toEqual(["nobody"]));
    });
  });
});

describe("what is kept", () => {
  it("answers what it covers as if it were fetched afresh, and is asked for otherwise", async () => {
    const anyQuestion = fc.record({
      mailbox: fc.constantFrom("a@corp.example", "times@corp.example", "slots@corp.example", "nobody@corp.example"),
      from: fc.integer({ min: 0, max: 30 }),
      length: fc.integer({ min: 1, max: 20 }),
      interval: fc.constantFrom(5, 15, 30, 45, 60),
      detail: fc.constantFrom(...VIEW_DETAILS),
      limit: fc.constantFrom(...VIEW_DETAILS),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyQuestion, { minLength: 2, maxLength: 8 }), async (questions) => {
        const kept = setUp();
        for (const { mailbox, from, length, interval, detail, limit } of questions) {
          const window = hours(from, from + length);
          const change = { window, intervalMinutes: interval, ...view(detail) };
          const caller = { ...client, maximumDetail: limit };
          const [cached] = await kept.ask([mailbox], change, caller);
          const [fresh] = await setUp().ask([mailbox], change, caller);
          // Slots may have been learnt over another stretch of days; what counts is what they say of the window.
          const shown = (answer: MailboxAnswer | undefined) =>
            answer?.kind === "view"
              ? [
                  answer.view.detail,
                  answer.view.detail === "merged" ? [] : answer.view.events,
                  mergedFreeBusy(answer.view, window, interval).digits,
                ]
              : answer;
          expect(shown(cached)).toEqual(shown(fresh));
        }
        const asked = kept.exchange.asked.length;
        const last = questions.at(-1) as (typeof questions)[number];
        const { mailbox, from, length, interval, detail, limit } = last;
        await kept.ask(
          [mailbox],
          { window: hours(from, from + length), intervalMinutes: interval, ...view(detail) },
          { ...client, maximumDetail: limit },
        );
        expect(kept.exchange.asked).toHaveLength(asked);
      }),
      { numRuns: 200 },
    );
  });

  it("is whole days, so that neighbouring questions need no second call", async () => {
    const { ask, exchange } = setUp();
    await ask(["a@corp.example"], { window: hours(9, 10) });
    await ask(["a@corp.example"], { window: hours(0, 24) });
    expect(exchange.asked.map(({ window }) => window)).toEqual([wholeDaysAround(hours(9, 10))]);
    await ask(["a@corp.example"], { window: { start: instant(DAY), end: instant(DAY + 24 * HOUR + MINUTE_MS) } });
    expect(exchange.asked).toHaveLength(2);
  });

  it("answers part of a list, and only the rest is asked", async () => {
    const { ask, exchange } = setUp();
    await ask(["b@corp.example", "nobody@corp.example"]);
    const answers = await ask(["a@corp.example", "b@corp.example", "nobody@corp.example", "times@corp.example"]);
    expect(answers.map(told)).toEqual(["a@corp.example", "b@corp.example", "mailbox-not-found", "times"]);
    expect(exchange.asked[1]?.mailboxes).toEqual(["a@corp.example", "times@corp.example"]);
  });

  it("is what rights allowed, though more was asked for: it is not asked again for the same detail", async () => {
    const { ask, exchange } = setUp();
    await ask(["slots@corp.example", "times@corp.example"]);
    expect((await ask(["times@corp.example", "slots@corp.example"])).map(told)).toEqual(["times", "slots"]);
    expect(exchange.asked).toHaveLength(1);
  });

  it.each(FAILURE_REASONS.filter((reason) => reason !== "mailbox-not-found"))("is never %s", async (reason) => {
    const cache = new MapCache();
    const { ask, exchange } = setUp(cache);
    const right = exchange.respond;
    exchange.respond = async (question) =>
      question.mailboxes.map((mailbox) =>
        mailbox === "a@corp.example" ? failed({ reason }) : knownOf(mailbox, question),
      );
    expect((await ask(["a@corp.example", "b@corp.example"])).map(told)).toEqual([reason, "b@corp.example"]);
    exchange.respond = right;
    expect((await ask(["a@corp.example", "b@corp.example"])).map(told)).toEqual(["a@corp.example", "b@corp.example"]);
    expect(exchange.asked[1]?.mailboxes).toEqual(["a@corp.example"]);
  });

  it("stays known when the answer came after the budget was spent", async () => {
    vi.useFakeTimers();
    const { ask, exchange } = setUp();
    const right = exchange.respond;
    exchange.timeoutMs = 10_000;
    exchange.respond = (question) =>
      new Promise((resolve) => setTimeout(() => void right(question).then(resolve), 6000));
    const late = ask(["a@corp.example"]);
    await vi.advanceTimersByTimeAsync(6000);
    expect((await late).map(told)).toEqual(["budget-spent"]);
    expect((await ask(["a@corp.example"])).map(told)).toEqual(["a@corp.example"]);
    expect(exchange.asked).toHaveLength(1);
  });
});

describe("the age of an answer", () => {
  it("counts from when the system said so, kept and lowered or not; who was never asked has none", async () => {
    const { ask, clock } = setUp();
    const agesOf = (answers: readonly MailboxAnswer[]) => answers.map(({ learntAt }) => learntAt);
    const mailboxes = ["a@corp.example", "nobody@corp.example", "nonsense"];
    expect(agesOf(await ask(mailboxes))).toEqual([DAY, DAY, undefined]);
    clock.now += 5_000;
    expect(agesOf(await ask(mailboxes, view("merged")))).toEqual([DAY, DAY, undefined]);
    expect(agesOf(await ask(mailboxes, view("times"), { ...client, maximumDetail: "merged" }))).toEqual([
      DAY,
      DAY,
      undefined,
    ]);
    clock.now += 100_000;
    expect(agesOf(await ask(mailboxes))).toEqual([DAY + 105_000, DAY + 105_000, undefined]);
  });
});

describe("a cache that fails", () => {
  it.each([
    ["to be read", { find: () => Promise.reject(new Error("gone")) }, "the cache could not be read"],
    ["to be written", { store: () => Promise.reject(new Error("gone")) }, "the cache could not be written"],
    [
      "at once, without a promise",
      {
        find: () => {
          throw new Error("gone");
        },
      },
      "the cache could not be read",
    ],
  ])("%s is reported, and the lookup goes on", async (_, broken, what) => {
    const { ask, unexpected } = setUp(Object.assign(new MapCache(), broken));
    expect((await ask(["a@corp.example", "c@wm.example", "none"])).map(told)).toEqual([
      "a@corp.example",
      "c@wm.example",
      "invalid-address",
    ]);
    await vi.waitFor(() => expect(unexpected).toContain(what));
  });
});

describe("what is unknown", () => {
  it("is never shown as free: whatever a backend fails with stays a failure, in every view", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FAILURE_REASONS),
        fc.constantFrom(...VIEW_DETAILS),
        fc.constantFrom(...VIEW_DETAILS),
        async (reason, detail, limit) => {
          const { ask, exchange, outcomes } = setUp();
          const failure = { reason, backend: "exchange", code: "ErrorSomething", retryAfterMs: 7 };
          exchange.respond = async ({ mailboxes }) => mailboxes.map(() => failed(failure));
          const caller = { ...client, maximumDetail: limit };
          // Twice: as fetched, and as kept where it may be kept.
          for (let round = 0; round < 2; round++) {
            const answers = await ask(["a@corp.example", "b@corp.example"], view(detail), caller);
            expect(answers).toMatchObject([failed(failure), failed(failure)]);
          }
          for (const { mailboxes } of outcomes) {
            expect(mailboxes.map(({ failure, delivered }) => [failure?.reason, delivered])).toEqual([
              [reason, undefined],
              [reason, undefined],
            ]);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("leaves the other mailboxes of the same backend as they are", async () => {
    const { ask, exchange } = setUp();
    exchange.respond = async (question) =>
      question.mailboxes.map((mailbox, i) => (i === 1 ? failed({ reason: "no-access" }) : knownOf(mailbox, question)));
    expect((await ask(["a@corp.example", "b@corp.example", "times@corp.example"])).map(told)).toEqual([
      "a@corp.example",
      "no-access",
      "times",
    ]);
  });
});

describe("the observer", () => {
  it("is told one outcome per position, in order, and one per call to a backend", async () => {
    const { ask, outcomes, calls } = setUp();
    await ask(["none", "a@corp.example", "robert@corp.example", "nobody@corp.example", "A@corp.example"]);
    expect(outcomes[0]).toMatchObject({ id: "id", caller: "client", origin: undefined, windowMs: 24 * HOUR });
    expect(
      outcomes[0]?.mailboxes.map((one) => [one.mailbox, one.backend, one.cache, one.failure?.reason ?? one.delivered]),
    ).toEqual([
      ["none", undefined, "none", "invalid-address"],
      ["a@corp.example", "exchange", "miss", "details"],
      ["robert@corp.example", "workmail", "miss", "details"],
      ["nobody@corp.example", "exchange", "miss", "mailbox-not-found"],
      ["a@corp.example", "exchange", "miss", "details"],
    ]);
    expect(
      calls.map(({ backend, mailboxes, failures }) => [backend, mailboxes, failures.map(({ reason }) => reason)]),
    ).toEqual(
      expect.arrayContaining([
        ["exchange", 2, ["mailbox-not-found"]],
        ["workmail", 1, []],
      ]),
    );
    expect(calls).toHaveLength(2);
  });

  it("is told nothing out of anybody's calendar", async () => {
    const { ask, exchange, outcomes, calls } = setUp();
    exchange.respond = async () => [
      viewed({
        detail: "details",
        events: [{ ...hours(9, 10), busyType: "Busy", details: { subject: "canary", location: "canary", ...flags } }],
      }),
    ];
    await ask(["a@corp.example"]);
    expect(outcomes[0]?.mailboxes[0]?.delivered).toBe("details");
    expect(JSON.stringify([outcomes, calls])).not.toContain("canary");
  });

  it("is told that a mailbox belongs to the side that asked", async () => {
    const { ask, outcomes } = setUp();
    await ask(["c@wm.example"], {}, { ...client, name: "workmail", origin: "workmail" });
    expect(outcomes[0]).toMatchObject({
      caller: "workmail",
      origin: "workmail",
      mailboxes: [{ backend: "workmail", cache: "none", failure: { reason: "belongs-to-origin" } }],
    });
  });
});
