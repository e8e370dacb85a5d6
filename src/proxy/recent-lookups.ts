/** Port: look-ups of late, for people who want to know what just happened. How an address is told is decided behind it. */

import type { InstantMs } from "../availability/time-window.js";
import type { LookupOutcome } from "./lookup-observer.js";

export interface RecentLookup {
  readonly at: InstantMs;
  /** Its mailboxes are written as {@link RecentLookups.written} writes them. */
  readonly outcome: LookupOutcome;
}

export interface RecentLookups {
  /** Newest first. */
  all(): readonly RecentLookup[];
  /** How an address is told here: itself, or its hash. */
  written(address: string): string;
}
