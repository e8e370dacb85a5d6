/** Port: whoever follows a request through the gateway. Knows no format; what it is told holds no address. */

import type { HopFacts } from "./hop-watcher.js";

export interface RequestSpan {
  /** What is done in `work`, and later because of it, belongs to this request. */
  run(work: () => void): void;
  end(facts: HopFacts, failed: boolean): void;
}

export interface RequestTracer {
  /** `startedAt` in milliseconds since 1970; `traceparent` as a caller sent it who is believed. */
  begin(name: string, startedAt: number, traceparent: string | undefined): RequestSpan;
}
