/** Decides which steps of a lookup have a histogram: the cache's finds, and what directories are asked afresh. */

import { Histogram, type Registry } from "prom-client";
import type { Hop, HopWatcher } from "../proxy/hop-watcher.js";
import type { UntoldDurations } from "./untold-durations.js";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export class HopMetrics implements HopWatcher {
  readonly #finds: UntoldDurations;
  readonly #directories: Histogram<"directory" | "step">;
  readonly #now: () => number;

  constructor(registry: Registry, finds: UntoldDurations, now: () => number) {
    this.#finds = finds;
    this.#now = now;
    this.#directories = new Histogram({
      name: "freebusy_directory_seconds",
      help: "Time a directory's source took for a fresh look or a group's members",
      labelNames: ["directory", "step"],
      buckets: SECONDS,
      registers: [registry],
    });
  }

  around<Result>(hop: Hop, work: () => Result): Result {
    const started = this.#now();
    const result = work();
    if (result instanceof Promise) {
      const ended = () => this.#took(hop, this.#now() - started);
      result.then(ended, ended);
    } else this.#took(hop, this.#now() - started);
    return result;
  }

  #took({ kind, step, party = "" }: Hop, durationMs: number): void {
    if (kind === "cache") this.#finds.add(durationMs);
    else this.#directories.observe({ directory: party, step }, durationMs / 1000);
  }
}
