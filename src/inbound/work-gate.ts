/**
 * Decides whether one more request is taken: not beyond the configured number under way, not
 * while the process is strained. Whoever is refused hears so before anything is read or
 * checked, which costs less than being late for everybody.
 *
 * Three things are counted. A request is under way until its answer has gone out or its
 * connection has; a look-up until it is settled, even when nobody waits for it any more:
 * callers that give up and ask again must not add up. And the bytes of large answers, from
 * when they are written until they have gone out: callers that do not read must not add up
 * either, least of all those who had been let in before the first answer was written.
 *
 * Knows no HTTP, and not what is asked.
 */

import type { Strain } from "./process-strain.js";

export type OverloadReason = "too-many-requests" | "too-many-connections" | Strain;

export interface WorkGateParts {
  readonly maximumRequests: number;
  /** What the process suffers from at the moment. */
  readonly strain: () => Strain | undefined;
  /** How many bytes of answers that have not gone out it can bear at the moment. */
  readonly roomBytes: () => number;
  /** Told when a request's answer has gone out: how long it took, in milliseconds. */
  readonly took: (durationMs: number) => void;
  readonly now: () => number;
}

export interface GateConnection {
  /** A request that is taken: the function is to be called once, when its answer has gone out. */
  enter(): () => void;
  /** An answer of so many bytes is written: the function is to be called once, when it has gone out. */
  answer(bytes: number): () => void;
  /** It is closed, and with it end all requests on it, and their answers. */
  gone(): void;
}

export class WorkGate {
  readonly #parts: WorkGateParts;
  #requests = 0;
  #lookups = 0;
  #unsentBytes = 0;

  constructor(parts: WorkGateParts) {
    this.#parts = parts;
  }

  get requests(): number {
    return this.#requests;
  }

  get lookups(): number {
    return this.#lookups;
  }

  /** Why a request that comes now is refused; undefined: it would be taken. */
  get refusal(): OverloadReason | undefined {
    const { maximumRequests, strain } = this.#parts;
    if (this.#requests >= maximumRequests || this.#lookups >= maximumRequests) return "too-many-requests";
    return strain() ?? (this.full ? "memory-short" : undefined);
  }

  /** So much has not gone out that no further large answer is to be held, though its request was taken. */
  get full(): boolean {
    return this.#unsentBytes > this.#parts.roomBytes();
  }

  /** A connection over which requests come. */
  connected(): GateConnection {
    let inside = 0;
    let unsentBytes = 0;
    let open = true;
    return {
      enter: () => {
        const { now, took } = this.#parts;
        const entered = now();
        inside++;
        this.#requests++;
        return () => {
          // Its connection has gone before it: it was counted out then.
          if (inside === 0) return;
          inside--;
          this.#requests--;
          took(now() - entered);
        };
      },
      answer: (bytes) => {
        // Nobody is there to take it.
        if (!open) return () => undefined;
        unsentBytes += bytes;
        this.#unsentBytes += bytes;
        return () => {
          if (!open) return;
          unsentBytes -= bytes;
          this.#unsentBytes -= bytes;
        };
      },
      gone: () => {
        this.#requests -= inside;
        inside = 0;
        this.#unsentBytes -= unsentBytes;
        unsentBytes = 0;
        open = false;
      },
    };
  }

  /** Counts what does not settle at once. */
  counting<Answer>(answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
    if (!(answer instanceof Promise)) return answer;
    this.#lookups++;
    const settled = () => {
      this.#lookups--;
    };
    answer.then(settled, settled);
    return answer;
  }
}
