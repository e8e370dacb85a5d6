/**
 * Decides who shares a call to a source: everybody who asks the same while it is under way. It
 * belongs to nobody; only when the last who waits has given up, it is given up itself. And how
 * many calls there are at once: more wait for their turn, as many as one large question brings;
 * beyond that they are refused, because a longer queue would only make everybody late.
 *
 * Knows nothing of what is asked.
 */

import { setMaxListeners } from "node:events";
import { WaitingLine } from "../proxy/waiting-line.js";
import { DirectoryError } from "./directory-source.js";
import { refuseAborted, settleWithin } from "./settle-within.js";

/** Five questions about a hundred mailboxes each. */
const MOST_WAITING = 500;

interface Call<Answer> {
  readonly answer: Promise<Answer>;
  readonly abort: AbortController;
  waiting: number;
}

export class SharedCalls<Answer> {
  readonly #calls = new Map<string, Call<Answer>>();
  readonly #atOnce: number;
  readonly #line: WaitingLine;
  readonly #longestMs: number;

  /** `longestMs` is how long anybody waits for a call, in milliseconds. */
  constructor(atOnce: number, longestMs: number) {
    this.#atOnce = atOnce;
    this.#line = new WaitingLine(atOnce);
    this.#longestMs = longestMs;
  }

  /**
   * The answer of the call under way for this key, else of `begin`. Rejects with what the call rejects with, and with a
   * {@link DirectoryError}: "Busy" when too many others are under way, "Aborted" and "ETIMEDOUT" when the waiting ended.
   */
  async ask(key: string, signal: AbortSignal, begin: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    refuseAborted(signal);
    const call = this.#calls.get(key) ?? this.#begin(key, begin);
    call.waiting++;
    // One signal may stand behind the questions about a hundred mailboxes: that is no leak to be warned of.
    setMaxListeners(0, signal);
    try {
      return await settleWithin(call.answer, this.#longestMs, signal);
    } finally {
      call.waiting--;
      if (call.waiting === 0) this.#end(key, call);
    }
  }

  /** Gives up everything under way. */
  abortAll(): void {
    for (const [key, call] of this.#calls) this.#end(key, call);
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<Answer>): Call<Answer> {
    if (this.#calls.size >= this.#atOnce + MOST_WAITING) {
      throw new DirectoryError("Busy", `${MOST_WAITING} questions to the directory are waiting already`);
    }
    const abort = new AbortController();
    const call = { answer: this.#inTurn(begin, abort.signal), abort, waiting: 0 };
    this.#calls.set(key, call);
    return call;
  }

  async #inTurn(begin: (signal: AbortSignal) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    if (!this.#line.tryEnter()) await this.#line.enter(signal);
    try {
      refuseAborted(signal);
      // A source that does not heed its signal gives its place back all the same.
      return await settleWithin(begin(signal), this.#longestMs, signal);
    } finally {
      this.#line.leave();
    }
  }

  #end(key: string, call: Call<Answer>): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
    call.abort.abort();
  }
}
