/**
 * Decides who goes next when only so many may: first come, first served, and whoever gives
 * up steps out of the line. Knows nothing of what is waited for.
 */

export class WaitingLine {
  #free: number;
  /** In the order of coming. */
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves with a place, to be given back with `leave`; rejects with the signal's reason and without one. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tryEnter()) return;
    await untilCalled(this.#waiting, signal);
  }

  /** Takes a place at once, if one is free. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Hands the place to whoever waits longest. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** Stands in the line until somebody calls it; steps out of it, and rejects with the signal's reason, when that aborts first. */
export function untilCalled(line: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const called = () => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = () => {
      line.delete(called);
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    line.add(called);
  });
}
