/**
 * Decides how long work may keep everybody else waiting: a hundredth of a second at a time,
 * on a fast machine and on a slow one. Knows nothing of the work.
 */

import { setImmediate as letOthersRun } from "node:timers/promises";

const SLICE_MS = 10;

/**
 * Runs work that yields wherever it can be interrupted: what it returns. Rejects with what it throws, and with the
 * signal's reason when aborted.
 */
export async function inSlices<Result>(work: Iterator<unknown, Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const pauseAt = performance.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < pauseAt);
    await letOthersRun();
    signal?.throwIfAborted();
  }
}

/** The same work, without letting anybody else in. */
export function atOnce<Result>(work: Iterator<unknown, Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
