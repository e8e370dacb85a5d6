/** Questions of several askers in one request: whose answer is whose, when they go, and who gives up. No socket. */

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { type RequestRoom, SharedQuestions, type SharingOptions } from "../../src/backends/shared-questions.js";
import { BackendAsker } from "../../src/proxy/ask-backends.js";
import type { AvailabilityBackend, BackendQuestion } from "../../src/proxy/availability-backend.js";

const DAY = 86_400_000;
const day = (number: number) => ({ start: instant(number * DAY), end: instant((number + 1) * DAY) });
const flags = { isMeeting: false, isRecurring: false, isException: false, isReminderSet: false, isPrivate: false };

/** Answers that say who was asked about, for which day, at which detail. */
const answerTo = (mailbox: string, { window, detail }: BackendQuestion): MailboxAnswer =>
  mailbox.startsWith("nobody")
    ? failed({ reason: "mailbox-not-found", detail: `${mailbox} ${window.start / DAY} ${detail}` })
    : viewed({
        detail,
        events: [
          { ...window, busyType: "Busy", details: { subject: `${mailbox} ${window.start / DAY} ${detail}`, ...flags } },
        ],
      });
const told = (answer: MailboxAnswer | undefined) =>
  answer?.kind === "view" && answer.view.detail !== "merged"
    ? answer.view.events[0]?.details?.subject
    : answer?.kind === "failure"
      ? (answer.failure.detail ?? answer.failure.reason)
      : undefined;
const reasons = (answers: readonly MailboxAnswer[]) =>
  answers.map((answer) => (answer.kind === "failure" ? answer.failure.reason : "view"));

type Change = (answers: MailboxAnswer[], question: BackendQuestion) => MailboxAnswer[];

interface Held {
  readonly question: BackendQuestion;
  readonly go: (answers: readonly MailboxAnswer[]) => void;
}

/** So many requests at once; each is answered when the test says so. */
class Backend implements AvailabilityBackend, RequestRoom {
  readonly name = "exchange";
  readonly serviceAccount = "svc";
  readonly timeoutMs = 1000;
  readonly asked: BackendQuestion[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #held: Held[] = [];
  #listener = () => {};
  broken: Error | undefined;
  constructor(public places: number) {}
  get room() {
    return this.places - this.#held.length;
  }
  get held() {
    return this.#held.length;
  }
  onRoom(listener: () => void) {
    this.#listener = listener;
  }
  ask(question: BackendQuestion, signal: AbortSignal) {
    this.asked.push(question);
    this.signals.push(signal);
    return new Promise<readonly MailboxAnswer[]>((resolve, reject) => {
      if (this.broken !== undefined) return reject(this.broken);
      const held = { question, go: resolve };
      this.#held.push(held);
      signal.addEventListener("abort", () => void this.#end(held));
    });
  }
  async health() {
    return { usable: true, reason: "" };
  }
  /** One of those under way, by its place in the line. */
  async release(at = 0, change: Change = (same) => same) {
    const held = this.#held[at % Math.max(1, this.#held.length)];
    if (held !== undefined) await this.#end(held, change);
  }
  async #end(held: Held, change: Change = (same) => same) {
    const at = this.#held.indexOf(held);
    if (at < 0) return;
    this.#held.splice(at, 1);
    held.go(
      change(
        held.question.mailboxes.map((mailbox) => answerTo(mailbox, held.question)),
        held.question,
      ),
    );
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.#listener();
  }
}

const setUp = (places: number, change: Partial<SharingOptions> = {}) => {
  const backend = new Backend(places);
  const shared = new SharedQuestions(backend, backend, {
    maximumMailboxes: 5,
    maximumWaiting: 1000,
    gatherMs: 0,
    ...change,
  });
  const ask = (mailboxes: readonly string[], number = 0, more: Partial<BackendQuestion> = {}, signal?: AbortSignal) =>
    shared.ask(
      { mailboxes: mailboxes as MailboxAddress[], window: day(number), detail: "details", ...more },
      signal ?? new AbortController().signal,
    );
  return { backend, shared, ask };
};

afterEach(() => void vi.useRealTimers());

describe("answers to questions that went together", () => {
  it("reach their own askers, position by position, whoever gives up and however requests end", async () => {
    const anyMailbox = fc.constantFrom("a", "b", "c", "d", "e", "f", "nobody");
    const anyQuestion = fc.record({
      mailboxes: fc.uniqueArray(anyMailbox, { minLength: 1, maxLength: 7 }),
      number: fc.constantFrom(0, 1),
      detail: fc.constantFrom("times" as const, "details" as const),
      askedBy: fc.constantFrom("one", "two", undefined),
      givesUp: fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyQuestion, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat({ max: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (questions, order, places, miscounts) => {
          const { backend, ask, shared } = setUp(places, { maximumWaiting: 30 });
          const aborts = questions.map(() => new AbortController());
          const all = questions.map(({ mailboxes, number, detail, askedBy }, i) =>
            ask(mailboxes, number, { detail, askedBy }, aborts[i]?.signal),
          );
          for (let step = 0; backend.held + shared.counts.waiting > 0; step++) {
            questions.forEach(({ givesUp }, i) => void (givesUp === step && aborts[i]?.abort()));
            // Now and then one answer too many: then positions mean nothing.
            const wrong = miscounts && step % 3 === 2;
            await backend.release(order[step] ?? 0, (same) => (wrong ? [...same, ...same.slice(0, 1)] : same));
            await new Promise((resolve) => setImmediate(resolve));
          }
          const answers = await Promise.all(all);
          questions.forEach(({ mailboxes, number, detail, givesUp }, i) => {
            expect(answers[i]).toHaveLength(mailboxes.length);
            mailboxes.forEach((mailbox, position) => {
              const answer = told(answers[i]?.[position])?.replace(/^(not sent|no answer) in \d+ ms$/, "out of time");
              const own = `${mailbox} ${number} ${detail}`;
              const otherwise = ["queue-full", "backend-wrong-count"];
              if (givesUp !== undefined) otherwise.push("out of time");
              expect([own, ...otherwise]).toContain(answer);
            });
          });
          for (const { mailboxes } of backend.asked) {
            expect(mailboxes.length).toBeLessThanOrEqual(5);
            expect(new Set(mailboxes).size).toBe(mailboxes.length);
          }
          expect(shared.counts.waiting).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are asked for once more, apart, when one mailbox spoils the whole request", async () => {
    const { backend, ask } = setUp(1);
    const spoil: Change = (answers, { mailboxes }) =>
      mailboxes.some((mailbox) => mailbox === "poison")
        ? answers.map(() => failed({ reason: "backend-fault" }))
        : answers;
    const all = [ask(["z"]), ask(["a", "b"]), ask(["poison", "c"]), ask(["d"])];
    while (backend.held > 0) {
      await backend.release(0, spoil);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await Promise.all(all)).map((answers) => answers.map(told))).toEqual([
      ["z 0 details"],
      ["a 0 details", "b 0 details"],
      ["backend-fault", "backend-fault"],
      ["d 0 details"],
    ]);
    expect(backend.asked.map(({ mailboxes }) => mailboxes.join(" "))).toEqual([
      "z",
      "a b poison c d",
      "a b",
      "poison c",
      "d",
    ]);
  });

  it("that break something break it for those who were in that request, and nobody else", async () => {
    const { backend, ask } = setUp(1);
    const first = ask(["a"]);
    const others = Promise.allSettled([ask(["b"]), ask(["c"])]);
    backend.broken = new Error("bug");
    await backend.release();
    expect(told((await first)[0])).toBe("a 0 details");
    expect((await others).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    backend.broken = undefined;
    const next = ask(["b"]);
    await backend.release();
    expect(told((await next)[0])).toBe("b 0 details");
  });
});

describe("a mailbox that waits to be asked about", () => {
  it("counts as asked about on behalf of its own asker, in whosever company it goes, until its answer is there", async () => {
    const { backend, shared } = setUp(1);
    const observer = {
      lookupAnswered: () => {},
      backendAsked: () => {},
      requestRefused: () => {},
      unexpected: () => {},
    };
    const never = {
      find: (all: readonly unknown[]) => all.map(() => undefined),
      store: async () => {},
      forget: async () => "here" as const,
    };
    const times = { viewTtlMs: 0, notFoundTtlMs: 0 };
    const asker = new BackendAsker(
      never,
      times,
      observer,
      () => 0,
      () => instant(0),
    );
    const wanted = (text: string) => ({ backend: shared, address: text as MailboxAddress });
    const pending = ["x", "a", "b"].map((text, i) =>
      asker.answersFor([wanted(text)], day(0), "details", ["workmail", "exchange", "elsewhere"][i], "caller"),
    );
    const askers = () => ["x", "a", "b"].map((text) => [...(asker.askersOf(wanted(text)) ?? ["nobody"])].join());
    await vi.waitFor(() => expect(shared.counts.waiting).toBe(2));
    expect(askers()).toEqual(["workmail", "exchange", "elsewhere"]);
    await backend.release();
    await vi.waitFor(() => expect(backend.asked[1]?.mailboxes).toEqual(["a", "b"]));
    expect(askers()).toEqual(["nobody", "exchange", "elsewhere"]);
    await backend.release();
    await vi.waitFor(() => expect(askers()).toEqual(["nobody", "nobody", "nobody"]));
    const answers = await Promise.all((await Promise.all(pending)).flat().map(({ answer }) => answer));
    expect(answers.map(told)).toEqual(["x 0 details", "a 0 details", "b 0 details"]);
  });
});

describe("questions", () => {
  it("go at once while nothing is under way, however long others would be gathered", () => {
    const { backend, ask } = setUp(3, { gatherMs: 1000 });
    void ask(["a", "b", "c", "d", "e", "f"]);
    expect(backend.asked.map(({ mailboxes }) => mailboxes.join(""))).toEqual(["abcde", "f"]);
  });

  it("wait for others like them while something is under way, so long and no longer", async () => {
    vi.useFakeTimers();
    const { backend, ask } = setUp(3, { gatherMs: 5 });
    void ask(["a"]);
    void ask(["b"]);
    await vi.advanceTimersByTimeAsync(4);
    void ask(["c"]);
    expect(backend.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(backend.asked.map(({ mailboxes }) => mailboxes.join(""))).toEqual(["a", "bc"]);
  });

  it("do not wait for more than fills a request, nor longer than for the last one under way", async () => {
    const { backend, ask } = setUp(3, { gatherMs: 1000 });
    void ask(["a"]);
    void ask(["b", "c"]);
    void ask(["d", "e", "f"]);
    expect(backend.asked.map(({ mailboxes }) => mailboxes.join(""))).toEqual(["a", "bcdef"]);
    void ask(["g"]);
    await backend.release();
    expect(backend.asked).toHaveLength(2);
    await backend.release();
    await vi.waitFor(() => expect(backend.asked[2]?.mailboxes).toEqual(["g"]));
  });

  it("about other days or at another detail never share a request", async () => {
    const { backend, ask } = setUp(1);
    void ask(["a"]);
    void ask(["b"], 1);
    void ask(["b"], 0, { detail: "times" });
    void ask(["b"]);
    while (backend.held > 0) {
      await backend.release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(
      backend.asked.map(({ mailboxes, window, detail }) => `${mailboxes} ${window.start / DAY} ${detail}`),
    ).toEqual(["a 0 details", "b 1 details", "b 0 times", "b 0 details"]);
  });

  it("of one caller with a thousand mailboxes do not starve another's one", async () => {
    const { backend, ask } = setUp(1, { maximumMailboxes: 100 });
    const many = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    void ask(many, 0, { askedBy: "busy" });
    const other = ask(["x"], 0, { askedBy: "calm" });
    await backend.release();
    await vi.waitFor(() => expect(backend.asked).toHaveLength(2));
    expect(backend.asked[1]?.mailboxes).toContain("x");
    await backend.release();
    expect(told((await other)[0])).toBe("x 0 details");
  });

  it("beyond what may wait are refused with a reason, those of the greediest first", async () => {
    const { backend, ask } = setUp(1, { maximumWaiting: 4 });
    const first = ask(["a"], 0, { askedBy: "busy" });
    const many = ask(["b", "c", "d", "e", "f"], 0, { askedBy: "busy" });
    const other = ask(["x"], 0, { askedBy: "calm" });
    while (backend.held > 0) {
      await backend.release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(reasons(await first)).toEqual(["view"]);
    expect(reasons(await many)).toEqual(["view", "view", "view", "queue-full", "queue-full"]);
    expect(reasons(await other)).toEqual(["view"]);
  });

  it("whose time ends in the queue say so, and those under way that the backend was too slow", async () => {
    const { backend, ask, shared } = setUp(1);
    const abort = new AbortController();
    const both = ask(["a", "b", "c", "d", "e", "f"], 0, {}, abort.signal);
    abort.abort();
    expect(reasons(await both)).toEqual([...Array(5).fill("backend-timeout"), "queue-timeout"]);
    expect(backend.asked).toHaveLength(1);
    expect(shared.counts).toEqual({ waiting: 0, requests: 1, mailboxes: 5 });
  });

  it("end a request when the last one who waits for it gives up, and not before", async () => {
    const { backend, ask } = setUp(1);
    void ask(["z"]);
    const [one, two] = [new AbortController(), new AbortController()];
    const first = ask(["a"], 0, {}, one.signal);
    const second = ask(["a", "b"], 0, {}, two.signal);
    await backend.release();
    await vi.waitFor(() => expect(backend.asked[1]?.mailboxes).toEqual(["a", "b"]));
    one.abort();
    expect(reasons(await first)).toEqual(["backend-timeout"]);
    expect(backend.signals[1]?.aborted).toBe(false);
    two.abort();
    expect(reasons(await second)).toEqual(["backend-timeout", "backend-timeout"]);
    expect(backend.signals[1]?.aborted).toBe(true);
  });

  it("that come with their time over already are not sent", async () => {
    const { backend, ask } = setUp(1);
    expect(reasons(await ask(["a"], 0, {}, AbortSignal.abort()))).toEqual(["queue-timeout"]);
    expect(backend.asked).toEqual([]);
  });
});
