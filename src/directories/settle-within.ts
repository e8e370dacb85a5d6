/**
 * Decides how long somebody waits for work that cannot be stopped itself: until a time is up or a
 * signal is aborted, whichever comes first. What the work comes to later is nobody's concern.
 */

import { DirectoryError } from "./directory-source.js";

/** Rejects with a {@link DirectoryError} "ETIMEDOUT" after `ms` milliseconds, "Aborted" with the signal. */
export function settleWithin<T>(work: Promise<T>, ms: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      finish();
      reject(new DirectoryError("ETIMEDOUT", `the directory did not answer within ${ms} ms`));
    }, ms);
    const abort = () => {
      finish();
      reject(aborted(signal));
    };
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    work.finally(finish).then(resolve, reject);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
  });
}

/** Throws when the signal is aborted already, so that nothing is begun in vain. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

function aborted(signal: AbortSignal | undefined): DirectoryError {
  return new DirectoryError("Aborted", "whoever asked the directory gave up", { cause: signal?.reason });
}
