/**
 * Port: whoever wants to know what a lookup waits for: each step to the cache, a directory,
 * a backend. Decides what is told of a step: its name, numbers and fixed words, never an
 * address or anything out of anybody's calendar.
 */

export type HopFacts = Readonly<Record<string, string | number | readonly string[]>>;

export interface Hop {
  readonly kind: "lookup" | "cache" | "directory" | "backend";
  /** "find", "look again"; where there are several of a kind, with the configured name in `party`. */
  readonly step: string;
  readonly party?: string;
}

export interface HopWatcher {
  /** Does the work and gives what it gives. `outcome` is asked for facts when it has come to an end, if anybody cares. */
  around<Result>(hop: Hop, work: () => Result, outcome: (result: Awaited<Result>) => HopFacts): Result;
}
