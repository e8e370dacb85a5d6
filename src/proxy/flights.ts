/**
 * Decides when a question is already under way: the same key, a window that covers it and
 * at least its detail. Whoever asks then waits for that answer instead of asking again.
 *
 * A flight belongs to nobody: a waiter that gives up does not end it for the others. Once
 * half its time is up nobody who waits joins it any more: there may be too little left of it,
 * and whoever comes now has time of their own. Nor is one joined about a mailbox that has
 * moved meanwhile, or whose question a later one has answered; its answer is not kept either.
 * Until it has arrived it still counts where loops are looked for.
 */

import type { ViewDetail } from "../availability/free-busy-view.js";
import { reaches } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { covers, type TimeWindow } from "../availability/time-window.js";
import type { CacheQuestion } from "./view-cache.js";

interface Flight {
  readonly window: TimeWindow;
  readonly detail: ViewDetail;
  /** Undefined once it has arrived. */
  answer: Promise<MailboxAnswer> | undefined;
  readonly signal: AbortSignal;
  /** The systems on whose behalf the question is put. */
  readonly origins: Set<string>;
  readonly joinableUntil: number;
  /** The mailbox has moved, or there is a newer answer: this one is only for those who wait for it already. */
  outdated: boolean;
}

export class Flights {
  /** Under each key in the order they began in. */
  readonly #underWay = new Map<string, Flight[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Joins what is under way, if it serves; `origin` is the system that asks, when it is one. Unless somebody `waits` for
   * the answer, there is always time enough for it.
   */
  join(question: CacheQuestion, origin: string | undefined, waits: boolean): Promise<MailboxAnswer> | undefined {
    const now = this.#now();
    const found = this.#underWay
      .get(question.key)
      ?.find(
        (flight) =>
          !flight.signal.aborted &&
          !flight.outdated &&
          (!waits || now <= flight.joinableUntil) &&
          reaches(flight.detail, question.detail) &&
          covers(flight.window, question.window),
      );
    if (origin !== undefined) found?.origins.add(origin);
    return found?.answer;
  }

  /** Registers an answer that is on its way; it leaves the register by itself when it has arrived. Must not reject. */
  begin(
    { key, window, detail }: CacheQuestion,
    answer: Promise<MailboxAnswer>,
    signal: AbortSignal,
    timeoutMs: number,
    origin: string | undefined,
  ): void {
    const origins = new Set(origin === undefined ? [] : [origin]);
    const joinableUntil = this.#now() + timeoutMs / 2;
    const flight: Flight = { window, detail, answer, signal, origins, joinableUntil, outdated: false };
    const others = this.#underWay.get(key)?.filter((other) => !other.signal.aborted) ?? [];
    this.#underWay.set(key, [...others, flight]);
    void answer.then(() => this.#end(key, flight));
  }

  /**
   * The flight with this signal has learnt something: whether that is still true of the mailbox. If so, it is newer than
   * whatever earlier ones will say to the same question.
   */
  learnt(key: string, signal: AbortSignal): boolean {
    const underWay = this.#underWay.get(key) ?? [];
    const at = underWay.findIndex((flight) => flight.signal === signal);
    const flight = underWay[at];
    if (flight === undefined || flight.outdated) return false;
    for (const earlier of underWay.slice(0, at)) {
      if (reaches(flight.detail, earlier.detail) && covers(flight.window, earlier.window)) earlier.outdated = true;
    }
    return true;
  }

  /** The systems on whose behalf anything is under way under this key; undefined when nothing is. */
  originsOf(key: string): ReadonlySet<string> | undefined {
    const underWay = this.#underWay.get(key)?.filter(({ signal }) => !signal.aborted) ?? [];
    return underWay.length === 0 ? undefined : new Set(underWay.flatMap(({ origins }) => [...origins]));
  }

  /** The mailbox under this key has moved. */
  outdate(key: string): void {
    for (const flight of this.#underWay.get(key) ?? []) flight.outdated = true;
  }

  outdateAll(): void {
    for (const key of this.#underWay.keys()) this.outdate(key);
  }

  #end(key: string, flight: Flight): void {
    // The tables that a Map has outgrown lead from one to the next and keep what they held: until the next full collection
    // all answers of this gateway would outlive their requests, with the messages they were read from.
    flight.answer = undefined;
    const rest = this.#underWay.get(key)?.filter((other) => other !== flight) ?? [];
    if (rest.length === 0) this.#underWay.delete(key);
    else this.#underWay.set(key, rest);
  }
}
