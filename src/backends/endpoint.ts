/**
 * Decides when one endpoint of a backend is left alone: after five failures in a row, for
 * one second, and longer each time it fails again: five seconds at most, half a minute where
 * there are others. Then one request tries it. A failure is no connection, a broken one, a
 * 502 or 504 of whatever stands in front of it, or silence; whatever else it says, it is there.
 *
 * All accounts of a backend share what is known of its endpoints. The counting is cockatiel's. It goes by the wall clock;
 * when that is set back, counting begins anew.
 */

import {
  type CircuitBreakerPolicy,
  CircuitState as CockatielState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  IterableBackoff,
  isBrokenCircuitError,
} from "cockatiel";
import type { InstantMs } from "../availability/time-window.js";
import type { CircuitState, EndpointStanding } from "../proxy/endpoint-observer.js";
import { HandshakeFailure } from "./handshake.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { TokenError } from "./token-source.js";

/** Enough that a restart of one server, which breaks what is under way, is no reason. */
const FAILURES_IN_A_ROW = 5;
/** Whoever comes while one request tries the endpoint waits for its fate no longer than this. */
const TRIED_WITHIN_MS = 2_000;
const LEFT_ALONE_MS = [1_000, 2_000, 5_000];
/** Where requests have another endpoint to go to, nobody is kept waiting by this. */
const LEFT_ALONE_BESIDE_OTHERS_MS = [...LEFT_ALONE_MS, 10_000, 30_000];

/** A clock that is set back by so much was wrong; by less, it is only corrected. */
const STEP_MS = 1_000;

/** The endpoint said nothing for as long as it was given. */
export const SILENT = "NO_ANSWER";
const STATES: Readonly<Record<CockatielState, CircuitState>> = {
  [CockatielState.Closed]: "closed",
  [CockatielState.Open]: "open",
  [CockatielState.HalfOpen]: "half-open",
  [CockatielState.Isolated]: "open",
};

export class Endpoint {
  readonly url: URL;
  readonly #alone: boolean;
  readonly #now: () => InstantMs;
  readonly #tell: (standing: EndpointStanding) => void;
  #breaker: CircuitBreakerPolicy;
  /** How far the wall clock was ahead of one that only runs on, when the circuit changed. */
  #wallAhead = 0;
  #since: InstantMs | undefined;
  #problem: string | undefined;
  /** For the fate of the one request that tries it. */
  readonly #waiting = new Set<() => void>();

  /** `alone`: the backend has no other. */
  constructor(url: URL, alone: boolean, now: () => InstantMs, tell: (standing: EndpointStanding) => void) {
    this.url = url;
    this.#alone = alone;
    this.#now = now;
    this.#tell = tell;
    this.#breaker = this.#newBreaker();
  }

  get name(): string {
    return this.url.host;
  }

  get circuit(): CircuitState {
    return STATES[this.#breaker.state];
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
    if (this.circuit === "open" && this.#wallAhead - wallAhead() > STEP_MS) {
      this.#breaker = this.#newBreaker();
      this.#changed();
    }
    if (this.circuit === "half-open") await this.#tried(signal);
    signal.throwIfAborted();
    if (this.circuit === "half-open") return undefined;
    try {
      return await this.#breaker.execute(async () => {
        try {
          const answer = await send();
          this.#problem = isGatewayFailure(answer) ? `HTTP ${answer.status}` : undefined;
          return answer;
        } catch (error) {
          if (isEndpointFailure(error)) this.#problem = (error as TransportError).code;
          throw error;
        }
      });
    } catch (error) {
      if (isBrokenCircuitError(error)) return undefined;
      throw error;
    }
  }

  #newBreaker(): CircuitBreakerPolicy {
    const failures = handleWhen(isEndpointFailure).orWhenResult((answer) => isGatewayFailure(answer as HttpAnswer));
    const breaker = circuitBreaker(failures, {
      halfOpenAfter: new IterableBackoff(this.#alone ? LEFT_ALONE_MS : LEFT_ALONE_BESIDE_OTHERS_MS),
      breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
    });
    breaker.onStateChange(() => this.#changed());
    return breaker;
  }

  #changed(): void {
    this.#since = this.#now();
    this.#wallAhead = wallAhead();
    for (const go of [...this.#waiting]) go();
    this.#tell(this.standing);
  }

  #tried(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", go);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, TRIED_WITHIN_MS);
      signal.addEventListener("abort", go, { once: true });
      this.#waiting.add(go);
    });
  }
}

const wallAhead = () => Date.now() - performance.now();

export function isGatewayFailure({ status }: HttpAnswer): boolean {
  return status === 502 || status === 504;
}

/** Whether another endpoint might do better. An identity that is not accepted, or an answer that is too large, is so anywhere. */
export function isEndpointFailure(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    !(error instanceof TokenError || error instanceof HandshakeFailure) &&
    error.code !== "UND_ERR_RES_EXCEEDED_MAX_SIZE"
  );
}
