/**
 * Decides when a histogram hears of durations: many at once. Telling it of one costs more
 * than a lookup that is answered from memory may spend on telemetry.
 */

import type { Histogram } from "prom-client";

const ROOM = 512;

export class UntoldDurations {
  readonly #seconds = new Float64Array(ROOM);
  #count = 0;
  readonly #histogram: Pick<Histogram, "observe">;

  constructor(histogram: Pick<Histogram, "observe">) {
    this.#histogram = histogram;
  }

  add(durationMs: number): void {
    this.#seconds[this.#count++] = durationMs / 1000;
    if (this.#count === ROOM) this.tell();
  }

  /** Before anybody reads the histogram. */
  tell(): void {
    for (let i = 0; i < this.#count; i++) this.#histogram.observe(this.#seconds[i] as number);
    this.#count = 0;
  }
}
