/**
 * Decides when one endpoint of a backend is left alone: after five failures in a row, for
 * one second, and longer each time it fails again: five seconds at most, half a minute where
 * there are others. Then one request tries it, and others beside it when that one hears nothing
 * ({@link CarefulSteps}). The first answer lets everybody follow.
 *
 * A failure is no connection, a broken one, a 502 or 504 of whatever stands in front of it, or
 * silence while it answers nobody. Whatever else it says, it is there.
 *
 * All accounts of a backend share what is known of its endpoints.
 */

import type { InstantMs } from "../availability/time-window.js";
import type { CircuitState, EndpointStanding } from "../proxy/endpoint-observer.js";
import { CarefulSteps } from "./careful-steps.js";
import { HandshakeFailure } from "./handshake.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { TokenError } from "./token-source.js";

/** Enough that a restart of one server, which breaks what is under way, is no reason. */
const FAILURES_IN_A_ROW = 5;
/** Whoever comes while others try the endpoint waits for their fate, or a place beside them, no longer than this. */
const TRIED_WITHIN_MS = 2_000;
const LEFT_ALONE_MS = [1_000, 2_000, 5_000];
/** Where requests have another endpoint to go to, nobody is kept waiting by this. */
const LEFT_ALONE_BESIDE_OTHERS_MS = [...LEFT_ALONE_MS, 10_000, 30_000];

/** The endpoint said nothing for as long as it was given. */
export const SILENT = "NO_ANSWER";

export class Endpoint {
  readonly url: URL;
  readonly #leftAloneMs: readonly number[];
  readonly #now: () => InstantMs;
  readonly #tell: (standing: EndpointStanding) => void;
  #answers = 0;
  /** In a row. */
  #failures = 0;
  /** Those who try it; undefined: it has not failed too often. */
  #trial: CarefulSteps | undefined;
  #leftAloneUntil = 0;
  /** Since its last answer. */
  #timesLeftAlone = 0;
  #told: CircuitState = "closed";
  #since: InstantMs | undefined;
  #problem: string | undefined;
  /** For news of those who try it, in the order of coming. */
  readonly #waiting = new Set<() => void>();

  /** `alone`: the backend has no other. */
  constructor(url: URL, alone: boolean, now: () => InstantMs, tell: (standing: EndpointStanding) => void) {
    this.url = url;
    this.#leftAloneMs = alone ? LEFT_ALONE_MS : LEFT_ALONE_BESIDE_OTHERS_MS;
    this.#now = now;
    this.#tell = tell;
  }

  get name(): string {
    return this.url.host;
  }

  get circuit(): CircuitState {
    if (this.#trial === undefined) return "closed";
    return this.#trial.underWay === 0 ? "open" : "half-open";
  }

  get standing(): EndpointStanding {
    return {
      name: this.name,
      circuit: this.circuit,
      ...(this.#since !== undefined && { since: this.#since }),
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** What `send` gives or throws; undefined: the endpoint is left alone, and nothing was sent. */
  async ask(send: () => Promise<HttpAnswer>, signal: AbortSignal): Promise<HttpAnswer | undefined> {
    const waitUntil = performance.now() + TRIED_WITHIN_MS;
    for (let trial = this.#trial; trial !== undefined; trial = this.#trial) {
      const now = performance.now();
      if (now < this.#leftAloneUntil) return undefined;
      if (trial.underWay < trial.most) return this.#try(trial, send);
      if (now >= waitUntil) return undefined;
      await this.#news(waitUntil - now, signal);
      signal.throwIfAborted();
    }
    return this.#send(send);
  }

  async #try(trial: CarefulSteps, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const over = trial.begin();
    this.#changed();
    try {
      return await this.#send(send);
    } finally {
      over();
      this.#changed();
    }
  }

  async #send(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const [trial, answers] = [this.#trial, this.#answers];
    try {
      const answer = await send();
      if (isGatewayFailure(answer)) this.#failed(`HTTP ${answer.status}`, trial);
      else this.#answered();
      return answer;
    } catch (error) {
      if (isAnswer(error)) this.#answered();
      else if (isEndpointFailure(error)) {
        const answersOthers = error.code === SILENT && this.#answers > answers;
        if (!answersOthers) this.#failed(error.code, trial);
      }
      throw error;
    }
  }

  #answered(): void {
    this.#answers++;
    this.#failures = 0;
    this.#timesLeftAlone = 0;
    this.#problem = undefined;
    this.#trial = undefined;
    this.#changed();
  }

  /** `trial`: what the request was part of. What was sent before it was left alone says nothing of now. */
  #failed(problem: string, trial: CarefulSteps | undefined): void {
    this.#problem = problem;
    if (trial !== this.#trial) return;
    if (trial === undefined && ++this.#failures < FAILURES_IN_A_ROW) return;
    const times = Math.min(this.#timesLeftAlone++, this.#leftAloneMs.length - 1);
    this.#leftAloneUntil = performance.now() + (this.#leftAloneMs[times] as number);
    this.#trial = new CarefulSteps(() => this.#changed());
    this.#changed();
  }

  #changed(): void {
    for (const go of [...this.#waiting]) go();
    if (this.circuit === this.#told) return;
    this.#told = this.circuit;
    this.#since = this.#now();
    this.#tell(this.standing);
  }

  /** Resolves when something has changed, after `ms`, or when the signal aborts. */
  #news(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", go);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      signal.addEventListener("abort", go, { once: true });
      this.#waiting.add(go);
    });
  }
}

export function isGatewayFailure({ status }: HttpAnswer): boolean {
  return status === 502 || status === 504;
}

/** Whether another endpoint might do better. */
export function isEndpointFailure(error: unknown): error is TransportError {
  return error instanceof TransportError && !(error instanceof TokenError || isAnswer(error));
}

/** An identity that is not accepted, or an answer that is too large, is so anywhere. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof HandshakeFailure ||
    (error instanceof TransportError && error.code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
  );
}
