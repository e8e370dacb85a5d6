/**
 * Decides when this process is too strained for new work: its event loop is late on average,
 * or its heap is nearly full. On average, because one long pause (a collection, a directory
 * that was read) is no overload; of the heap only, because most memory outside of it is
 * bounded elsewhere and is not given back, so that a limit on it might refuse for ever. What
 * is given back, such as answers on their way out, may take as much as the heap leaves.
 *
 * Looks twice a second; whoever asks in between is told what was seen last.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

export type Strain = "event-loop-late" | "memory-short";

export interface StrainLimits {
  readonly maximumDelayMs: number;
  /** Of what the heap may hold, 0 to 1. */
  readonly maximumHeapShare: number;
}

export interface StrainMeasures {
  /** How late the event loop was since the measure before, in milliseconds on average. */
  readonly delayMs: number;
  readonly heapShare: number;
  /** What the heap may hold. */
  readonly heapBytes: number;
}

const EVERY_MS = 500;
const RESOLUTION_MS = 10;

export class ProcessStrain {
  readonly #limits: StrainLimits;
  readonly #measure: () => StrainMeasures;
  readonly #timer: NodeJS.Timeout;
  #seen: StrainMeasures;
  #now: Strain | undefined;

  constructor(limits: StrainLimits, measure: () => StrainMeasures = ownMeasures()) {
    this.#limits = limits;
    this.#measure = measure;
    this.#seen = measure();
    this.#timer = setInterval(() => this.look(), EVERY_MS).unref();
  }

  /** What new work would suffer from; undefined when nothing is wrong. */
  get now(): Strain | undefined {
    return this.#now;
  }

  get seen(): StrainMeasures {
    return this.#seen;
  }

  /** How much may be held outside of the heap: what is left of its share. */
  get roomBytes(): number {
    const { maximumHeapShare } = this.#limits;
    const { heapShare, heapBytes } = this.#seen;
    // 1 means: never refuse.
    return maximumHeapShare < 1 ? Math.max(0, maximumHeapShare - heapShare) * heapBytes : Number.POSITIVE_INFINITY;
  }

  look(): void {
    const { maximumDelayMs, maximumHeapShare } = this.#limits;
    this.#seen = this.#measure();
    if (this.#seen.delayMs > maximumDelayMs) this.#now = "event-loop-late";
    else this.#now = this.#seen.heapShare > maximumHeapShare ? "memory-short" : undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function ownMeasures(): () => StrainMeasures {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return () => {
    // Without a single sample the mean is no number: nothing was late then.
    const meanMs = Number.isFinite(delay.mean) ? delay.mean / 1e6 : 0;
    delay.reset();
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    return {
      delayMs: Math.max(0, meanMs - RESOLUTION_MS),
      heapShare: used_heap_size / heap_size_limit,
      heapBytes: heap_size_limit,
    };
  };
}
