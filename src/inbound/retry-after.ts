/** Decides what Retry-After says (RFC 9110 §10.2.3): whole seconds, at least one, and a few where nobody knows better. */

const SOON_MS = 5_000;

export function retryAfter(ms = SOON_MS): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}
