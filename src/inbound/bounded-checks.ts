/**
 * Decides how many slow checks are under way at once, and who is next: those who are known
 * to have passed one lately have a waiting line of their own and go first, so that no crowd
 * of strangers keeps them out.
 */

export interface CheckBounds {
  readonly atOnce: number;
  /** In each of the two lines. */
  readonly waiting: number;
}

/** Each takes a core for tens of milliseconds, on one of the threads that also read files and resolve names. */
export const CHECK_BOUNDS: CheckBounds = { atOnce: 3, waiting: 64 };

export class BoundedChecks {
  readonly #bounds: CheckBounds;
  readonly #known: (() => void)[] = [];
  readonly #strangers: (() => void)[] = [];
  #running = 0;

  constructor(bounds: CheckBounds) {
    this.#bounds = bounds;
  }

  /** The result, or undefined when too many wait already. Rejects as the check does. */
  async run<Result>(known: boolean, check: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#running >= this.#bounds.atOnce) {
      const line = known ? this.#known : this.#strangers;
      if (line.length >= this.#bounds.waiting) return undefined;
      // Whoever leaves hands its place on, so that nobody new takes it in between.
      await new Promise<void>((resolve) => line.push(resolve));
    } else this.#running++;
    try {
      return await check();
    } finally {
      const next = this.#known.shift() ?? this.#strangers.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
