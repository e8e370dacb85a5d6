/**
 * Decides how backends are asked for what the cache does not hold: one question per
 * backend, all backends at once, questions under way shared, answers kept.
 *
 * A backend has its own time, shorter than any request's budget. When it is up the
 * backend is told (its signal aborts) and gives what it has; a backend that does not even
 * react to that is left behind by the waiting request, whose budget ends all waiting.
 *
 * Knows ports only.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { failed, learnt, type MailboxAnswer } from "../availability/mailbox-answer.js";
import { type InstantMs, instant, type TimeWindow, wholeDaysAround } from "../availability/time-window.js";
import type { AvailabilityBackend, BackendQuestion } from "./availability-backend.js";
import { Flights } from "./flights.js";
import type { CacheOutcome, LookupObserver } from "./lookup-observer.js";
import type { AskedDetail, CacheQuestion, Found, ViewCache } from "./view-cache.js";

/** How long answers are kept, in milliseconds. */
export interface CacheTimes {
  readonly viewTtlMs: number;
  readonly notFoundTtlMs: number;
}

export interface Wanted {
  readonly backend: AvailabilityBackend;
  readonly address: MailboxAddress;
}

export interface Pending {
  readonly cache: CacheOutcome;
  /** Resolves with the answer over a window that covers the question. Never rejects. */
  readonly answer: MailboxAnswer | Promise<MailboxAnswer>;
}

export class BackendAsker {
  readonly #cache: ViewCache;
  readonly #times: CacheTimes;
  readonly #observer: LookupObserver;
  readonly #now: () => number;
  readonly #clock: () => InstantMs;
  readonly #flights = new Flights();

  /** `now` measures durations, `clock` tells instants; both in milliseconds. */
  constructor(
    cache: ViewCache,
    times: CacheTimes,
    observer: LookupObserver,
    now: () => number,
    clock: () => InstantMs,
  ) {
    this.#cache = cache;
    this.#times = times;
    this.#observer = observer;
    this.#now = now;
    this.#clock = clock;
  }

  /**
   * One entry per wanted mailbox, in order. `wanted` holds no backend–mailbox pair twice; `origin` is the system that asks,
   * when it is one, `askedBy` the caller. A promise only where the cache gives one.
   */
  answersFor(
    wanted: readonly Wanted[],
    window: TimeWindow,
    detail: AskedDetail,
    origin?: string,
    askedBy?: string,
  ): readonly Pending[] | Promise<readonly Pending[]> {
    const questions: CacheQuestion[] = wanted.map((one) => ({ key: keyOf(one), window, detail }));
    const found = this.#find(questions);
    if (found instanceof Promise) return found.then((kept) => this.#pending(wanted, questions, kept, origin, askedBy));
    return this.#pending(wanted, questions, found, origin, askedBy);
  }

  /** The systems on whose behalf this very mailbox is being asked about right now; undefined when it is not. */
  askersOf(wanted: Wanted): ReadonlySet<string> | undefined {
    return this.#flights.originsOf(keyOf(wanted));
  }

  /** Drops what is known about these mailboxes, or about all; what is under way is joined by nobody any more. */
  forget(wanted: readonly Wanted[] | "all"): void {
    const keys = wanted === "all" ? wanted : wanted.map(keyOf);
    if (keys === "all") this.#flights.outdateAll();
    else for (const key of keys) this.#flights.outdate(key);
    this.#cache.forget(keys).catch((error) => this.#observer.unexpected("the cache could not be cleared", error));
  }

  #pending(
    wanted: readonly Wanted[],
    questions: readonly CacheQuestion[],
    kept: Found,
    origin: string | undefined,
    askedBy: string | undefined,
  ): readonly Pending[] {
    const pending = new Array<Pending>(wanted.length);
    const missing = new Map<AvailabilityBackend, number[]>();
    for (let i = 0; i < wanted.length; i++) {
      const hit = kept[i];
      const underWay = hit === undefined ? this.#flights.join(questions[i] as CacheQuestion, origin) : undefined;
      if (hit !== undefined) pending[i] = { cache: "hit", answer: learnt(hit.answer, hit.learntAt) };
      else if (underWay !== undefined) pending[i] = { cache: "joined", answer: underWay };
      else {
        const { backend } = wanted[i] as Wanted;
        const indexes = missing.get(backend);
        if (indexes === undefined) missing.set(backend, [i]);
        else indexes.push(i);
      }
    }
    for (const [backend, indexes] of missing) {
      this.#begin(backend, indexes, wanted, questions, pending, origin, askedBy);
    }
    return pending;
  }

  /** One question to one backend about all its mailboxes that are missing. */
  #begin(
    backend: AvailabilityBackend,
    indexes: readonly number[],
    wanted: readonly Wanted[],
    questions: readonly CacheQuestion[],
    pending: Pending[],
    origin: string | undefined,
    askedBy: string | undefined,
  ): void {
    const mailboxes = indexes.map((i) => (wanted[i] as Wanted).address);
    const { window: asked, detail } = questions[0] as CacheQuestion;
    const window = wholeDaysAround(asked);
    const abort = new AbortController();
    // Registered as under way before the backend hears of it: what it sends back must be recognised.
    const answers = Promise.resolve().then(() => this.#ask(backend, { mailboxes, window, detail, askedBy }, abort));
    indexes.forEach((i, position) => {
      const answer = answers.then((all) => all[position] as MailboxAnswer);
      const { key } = questions[i] as CacheQuestion;
      this.#flights.begin({ key, window, detail }, answer, abort.signal, origin);
      pending[i] = { cache: "miss", answer };
    });
  }

  #find(questions: readonly CacheQuestion[]): Found | Promise<Found> {
    const unreadable = (error: unknown): Found => {
      this.#observer.unexpected("the cache could not be read", error);
      return questions.map(() => undefined);
    };
    try {
      const found = this.#cache.find(questions, this.#clock());
      return found instanceof Promise ? found.catch(unreadable) : found;
    } catch (error) {
      return unreadable(error);
    }
  }

  async #ask(
    backend: AvailabilityBackend,
    question: BackendQuestion,
    abort: AbortController,
  ): Promise<readonly MailboxAnswer[]> {
    const started = this.#now();
    const timer = setTimeout(() => abort.abort(), backend.timeoutMs);
    let answers: readonly MailboxAnswer[];
    try {
      answers = await backend.ask(question, abort.signal);
      if (answers.length !== question.mailboxes.length || Array.from(answers).includes(undefined as never)) {
        answers = question.mailboxes.map(() => failed({ reason: "backend-wrong-count", backend: backend.name }));
      }
    } catch (error) {
      this.#observer.unexpected(`backend ${backend.name} threw`, error);
      answers = question.mailboxes.map(() => failed({ reason: "backend-error", backend: backend.name }));
    } finally {
      clearTimeout(timer);
    }
    this.#observer.backendAsked({
      backend: backend.name,
      mailboxes: question.mailboxes.length,
      durationMs: this.#now() - started,
      failures: answers.flatMap((answer) => (answer.kind === "failure" ? [answer.failure] : [])),
    });
    const learntAt = this.#clock();
    const dated = answers.map((answer) => learnt(answer, learntAt));
    void this.#keep(backend, question, dated, learntAt, abort.signal);
    return dated;
  }

  async #keep(
    backend: AvailabilityBackend,
    question: BackendQuestion,
    answers: readonly MailboxAnswer[],
    learntAt: InstantMs,
    signal: AbortSignal,
  ): Promise<void> {
    const entries = answers.flatMap((answer, i) => {
      const ttl = this.#ttlOf(answer);
      if (ttl === undefined || ttl <= 0) return [];
      const key = keyOf({ backend, address: question.mailboxes[i] as MailboxAddress });
      // Forgotten while it was on its way: the mailbox has moved, so this is no longer true of it.
      if (!this.#flights.isCurrent(key, signal)) return [];
      const { window, detail } = question;
      return [{ key, kept: { answer, window, detail, learntAt, expiresAt: instant(learntAt + ttl) } }];
    });
    try {
      if (entries.length > 0) await this.#cache.store(entries);
    } catch (error) {
      this.#observer.unexpected("the cache could not be written", error);
    }
  }

  #ttlOf(answer: MailboxAnswer): number | undefined {
    if (answer.kind === "view") return this.#times.viewTtlMs;
    return answer.failure.reason === "mailbox-not-found" ? this.#times.notFoundTtlMs : undefined;
  }
}

/** NUL cannot occur in an address or in a configured name, so no two triples share a key. */
function keyOf({ backend, address }: Wanted): string {
  return `${backend.name}\0${backend.serviceAccount}\0${address}`;
}
