/**
 * Decides when a question is already under way: the same key, a window that covers it and
 * at least its detail. Whoever asks then waits for that answer instead of asking again.
 *
 * A flight belongs to nobody: a waiter that gives up does not end it for the others. One
 * whose time is up is joined by nobody any more, in case it never arrives.
 */

import type { ViewDetail } from "../availability/free-busy-view.js";
import { reaches } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { covers, type TimeWindow } from "../availability/time-window.js";
import type { CacheQuestion } from "./view-cache.js";

interface Flight {
  readonly window: TimeWindow;
  readonly detail: ViewDetail;
  readonly answer: Promise<MailboxAnswer>;
  readonly signal: AbortSignal;
}

export class Flights {
  readonly #underWay = new Map<string, Flight[]>();

  find(question: CacheQuestion): Promise<MailboxAnswer> | undefined {
    return this.#underWay
      .get(question.key)
      ?.find(
        (flight) =>
          !flight.signal.aborted && reaches(flight.detail, question.detail) && covers(flight.window, question.window),
      )?.answer;
  }

  /** Registers an answer that is on its way; it leaves the register by itself when it has arrived. Must not reject. */
  begin(question: CacheQuestion, answer: Promise<MailboxAnswer>, signal: AbortSignal): void {
    const flight: Flight = { window: question.window, detail: question.detail, answer, signal };
    const others = this.#underWay.get(question.key)?.filter((other) => !other.signal.aborted) ?? [];
    this.#underWay.set(question.key, [...others, flight]);
    void answer.then(() => this.#end(question.key, flight));
  }

  #end(key: string, flight: Flight): void {
    const rest = this.#underWay.get(key)?.filter((other) => other !== flight) ?? [];
    if (rest.length === 0) this.#underWay.delete(key);
    else this.#underWay.set(key, rest);
  }
}
