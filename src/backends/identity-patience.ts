/**
 * Decides how long a request waits for what proves who asks: so long that most of its time is
 * left for asking with another account, and less than half of the time one endpoint has, because
 * whoever is not asked yet must not be taken for silent.
 *
 * Knows neither where tokens and tickets come from nor how long it takes to get one: that may
 * go on, for those who come later.
 */

import { TokenError } from "./token-source.js";

/** `timeoutMs`: how long a request may take in all, at one of so many endpoints after the other. */
export function identityPatience(timeoutMs: number, endpoints: number): number {
  return timeoutMs / (2 * endpoints + 1);
}

export interface Patience {
  readonly patienceMs: number;
  /** For people: what did not come. */
  readonly detail: string;
}

/** What `obtain` gives or throws; a {@link TokenError} when it takes too long. It has to end when its signal aborts. */
export async function withPatience<T>(
  obtain: (signal: AbortSignal) => Promise<T>,
  { patienceMs, detail }: Patience,
  signal: AbortSignal,
): Promise<T> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new TokenError("TIMEOUT", { detail })), patienceMs);
  try {
    return await obtain(AbortSignal.any([signal, patience.signal]));
  } finally {
    clearTimeout(timer);
  }
}
