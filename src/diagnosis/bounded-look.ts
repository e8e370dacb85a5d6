/**
 * Gives one look a time of its own, inside the time of whoever wants it. With a timer that is
 * held: Node 20 may forget an AbortSignal.timeout() that only an AbortSignal.any() still knows.
 */

export async function bounded<Seen>(
  wanted: AbortSignal,
  ms: number,
  look: (signal: AbortSignal) => Promise<Seen>,
): Promise<Seen> {
  const own = new AbortController();
  const end = () => own.abort(wanted.reason);
  const timer = setTimeout(() => own.abort(new DOMException(`nothing within ${ms} ms`, "TimeoutError")), ms);
  wanted.addEventListener("abort", end, { once: true });
  if (wanted.aborted) end();
  try {
    return await look(own.signal);
  } finally {
    clearTimeout(timer);
    wanted.removeEventListener("abort", end);
  }
}
