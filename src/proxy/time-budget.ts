/**
 * Decides when a lookup must give what it has. One timer for all of a lookup's waiting.
 *
 * Knows nothing of what is waited for.
 */

export class TimeBudget {
  readonly #spent: Promise<"spent">;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = new AbortController();

  constructor(remainingMs: number) {
    let spend: (word: "spent") => void = () => {};
    this.#spent = new Promise((resolve) => {
      spend = resolve;
    });
    this.#timer = setTimeout(
      () => {
        spend("spent");
        this.#abort.abort();
      },
      Math.max(0, remainingMs),
    );
  }

  /** Aborts when the budget is spent. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What is waited for, or what `otherwise` gives when the budget ends first. */
  async within<T>(awaited: T | Promise<T>, otherwise: () => T): Promise<T> {
    const first = await Promise.race([awaited, this.#spent]);
    return first === "spent" ? otherwise() : (first as T);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
