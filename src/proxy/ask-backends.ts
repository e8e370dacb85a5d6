/**
 * Decides how backends are asked for what the cache does not hold: one question per
 * backend, all backends at once, questions under way shared, answers kept.
 *
 * A backend has its own time, shorter than any request's budget. When it is up the
 * backend is told (its signal aborts) and gives what it has; a backend that does not even
 * react to that is left behind by the waiting request, whose budget ends all waiting.
 *
 * A view past its time may still serve, when the times allow: at once while a newer one is
 * being fetched, or in place of an answer that failed for reasons that pass. Either is marked
 * as stale. What was forgotten meanwhile is never used: it is looked for again after the
 * failure, not put by before.
 *
 * Knows ports only.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { failed, learnt, type MailboxAnswer } from "../availability/mailbox-answer.js";
import { type InstantMs, instant, type TimeWindow, wholeDaysAround } from "../availability/time-window.js";
import type { AvailabilityBackend, BackendQuestion } from "./availability-backend.js";
import { Flights } from "./flights.js";
import type { CacheOutcome, LookupObserver } from "./lookup-observer.js";
import { type AnsweredInstead, answeredInstead, staleView } from "./stale-answers.js";
import type { AskedDetail, CachedAnswer, CacheQuestion, Found, Reached, ViewCache } from "./view-cache.js";

/** How long answers are kept, in milliseconds. */
export interface CacheTimes {
  readonly viewTtlMs: number;
  readonly notFoundTtlMs: number;
  /** How long after `viewTtlMs` a view is still given while a newer one is fetched. Absent: never. */
  readonly staleWhileRevalidateMs?: number;
  /** How long after `viewTtlMs` a view is still given when its backend fails. Absent: never. */
  readonly staleIfErrorMs?: number;
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

export type Known = readonly (AnsweredInstead | undefined)[];

export class BackendAsker {
  readonly #cache: ViewCache;
  readonly #times: CacheTimes;
  readonly #observer: LookupObserver;
  readonly #now: () => number;
  readonly #clock: () => InstantMs;
  readonly #flights: Flights;

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
    this.#flights = new Flights(now);
    this.#clock = clock;
  }

  /**
   * One entry per wanted mailbox, in order. `wanted` holds no backend–mailbox pair twice; `origin` is the system that asks,
   * when it is one, `askedBy` the caller. `anew`: what is kept is not even looked for; what is under way is still joined.
   * A promise only where the cache gives one.
   */
  answersFor(
    wanted: readonly Wanted[],
    window: TimeWindow,
    detail: AskedDetail,
    origin?: string,
    askedBy?: string,
    anew = false,
  ): readonly Pending[] | Promise<readonly Pending[]> {
    const questions: CacheQuestion[] = wanted.map((one) => ({ key: keyOf(one), window, detail }));
    const found = anew ? wanted.map(() => undefined) : this.#find(questions);
    if (found instanceof Promise) return found.then((kept) => this.#pending(wanted, questions, kept, origin, askedBy));
    return this.#pending(wanted, questions, found, origin, askedBy);
  }

  /** The systems on whose behalf this very mailbox is being asked about right now; undefined when it is not. */
  askersOf(wanted: Wanted): ReadonlySet<string> | undefined {
    return this.#flights.originsOf(keyOf(wanted));
  }

  /**
   * Drops what is known about these mailboxes, or about all, and tells how far that went; what is under way is joined by
   * nobody any more. "here": the others who share the cache find out for themselves. Never rejects.
   */
  async forget(wanted: readonly Wanted[] | "all", reach: Reached = "everywhere"): Promise<Reached> {
    const keys = wanted === "all" ? wanted : wanted.map(keyOf);
    this.outdate(keys);
    try {
      return await this.#cache.forget(keys, reach);
    } catch (error) {
      this.#observer.unexpected("the cache could not be cleared", error);
      return "here";
    }
  }

  /** What is under way about these keys of the cache, or about all, is joined by nobody any more, and not kept. */
  outdate(keys: readonly string[] | "all"): void {
    if (keys === "all") this.#flights.outdateAll();
    else for (const key of keys) this.#flights.outdate(key);
  }

  /**
   * For each, in order, what is known after its backend has failed: a view, stale and marked so, unless somebody else
   * has fetched one. A promise only where the cache gives one.
   */
  insteadOfFailures(wanted: readonly Wanted[], window: TimeWindow, detail: AskedDetail): Known | Promise<Known> {
    const { staleIfErrorMs = 0 } = this.#times;
    if (staleIfErrorMs <= 0) return wanted.map(() => undefined);
    const known = (found: Found) => {
      const now = this.#clock();
      return found.map((kept) => kept && answeredInstead(kept, now, staleIfErrorMs));
    };
    const found = this.#find(wanted.map((one) => ({ key: keyOf(one), window, detail })));
    return found instanceof Promise ? found.then(known) : known(found);
  }

  #pending(
    wanted: readonly Wanted[],
    questions: readonly CacheQuestion[],
    kept: Found,
    origin: string | undefined,
    askedBy: string | undefined,
  ): readonly Pending[] {
    const pending = new Array<Pending>(wanted.length);
    const now = this.#clock();
    const missing = new Map<AvailabilityBackend, number[]>();
    for (let i = 0; i < wanted.length; i++) {
      const known = kept[i];
      if (known !== undefined && known.freshUntil > now) {
        pending[i] = { cache: "hit", answer: known.answer };
        continue;
      }
      const stale = known && this.#whileRevalidated(known, now);
      const underWay = this.#flights.join(questions[i] as CacheQuestion, origin, stale === undefined);
      if (stale !== undefined) pending[i] = stale;
      if (underWay !== undefined) pending[i] ??= { cache: "joined", answer: underWay };
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
      this.#flights.begin({ key, window, detail }, answer, abort.signal, backend.timeoutMs, origin);
      // Where something stale is given, the newer one is for whoever asks next.
      pending[i] ??= { cache: "miss", answer };
    });
  }

  #whileRevalidated(kept: CachedAnswer, now: InstantMs): Pending | undefined {
    const { staleWhileRevalidateMs = 0 } = this.#times;
    const stale = staleView(kept, now, staleWhileRevalidateMs);
    return stale && { cache: "stale", answer: stale };
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
    const gone: string[] = [];
    const entries = answers.flatMap((answer, i) => {
      const key = keyOf({ backend, address: question.mailboxes[i] as MailboxAddress });
      const lifetime = this.#lifetimeOf(answer);
      const isKept = lifetime !== undefined && lifetime.end > 0;
      const ends = !isKept && endsWhatWasKnown(answer);
      if (ends) gone.push(key);
      if (!isKept && !ends) return [];
      // Forgotten while it was on its way: the mailbox has moved, so this is no longer true of it.
      if (!this.#flights.learnt(key, signal) || !isKept) return [];
      const { window, detail } = question;
      const freshUntil = instant(learntAt + Math.round(lifetime.fresh));
      return [
        {
          key,
          kept: {
            answer,
            window,
            detail,
            learntAt,
            freshUntil,
            expiresAt: instant(learntAt + Math.round(lifetime.end)),
          },
        },
      ];
    });
    try {
      if (entries.length > 0) await this.#cache.store(entries);
      // What may not be seen any more, or is not there, is not shown from memory either.
      if (gone.length > 0) await this.#cache.forget(gone, "everywhere");
    } catch (error) {
      this.#observer.unexpected("the cache could not be written", error);
    }
  }

  /** In milliseconds from now: how long an answer is fresh, and how long it is kept. Undefined: not at all. */
  #lifetimeOf(answer: MailboxAnswer): { readonly fresh: number; readonly end: number } | undefined {
    const { viewTtlMs, notFoundTtlMs, staleWhileRevalidateMs = 0, staleIfErrorMs = 0 } = this.#times;
    if (answer.kind === "view") {
      return { fresh: viewTtlMs, end: viewTtlMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs) };
    }
    return answer.failure.reason === "mailbox-not-found" ? { fresh: notFoundTtlMs, end: notFoundTtlMs } : undefined;
  }
}

function endsWhatWasKnown(answer: MailboxAnswer): boolean {
  if (answer.kind !== "failure") return false;
  return answer.failure.reason === "no-access" || answer.failure.reason === "mailbox-not-found";
}

/** NUL cannot occur in an address or in a configured name, so no two triples share a key. */
function keyOf({ backend, address }: Wanted): string {
  return `${backend.name}\0${backend.serviceAccount}\0${address}`;
}
