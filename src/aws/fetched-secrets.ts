/**
 * Decides when secrets that come from a service are had again: whenever they are fetched by
 * name, and, once they are there, beside the work that finds them old. Work never waits for
 * that, and what was known stays when it fails. No timer, because a function is frozen
 * between events.
 *
 * Knows no service, and not what the secrets are for.
 */

export interface FetchedSecretsParts {
  readonly fetch: () => Promise<Readonly<Record<string, string>>>;
  /** Where they are put, by name. */
  readonly into: Record<string, string | undefined>;
  readonly renewAfterMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly onProblem: (error: unknown) => void;
}

export class FetchedSecrets {
  readonly #parts: FetchedSecretsParts;
  #fetchedAt: number | undefined;
  #renewing = false;

  constructor(parts: FetchedSecretsParts) {
    this.#parts = parts;
  }

  /** Rejects when they cannot be had. */
  async fetch(): Promise<void> {
    const { fetch, into, now } = this.#parts;
    Object.assign(into, await fetch());
    this.#fetchedAt = now();
  }

  /** Begins to fetch them again when they are old. Does not wait, and does not throw. */
  renew(): void {
    const { renewAfterMs, now, onProblem } = this.#parts;
    if (this.#renewing || this.#fetchedAt === undefined || now() - this.#fetchedAt < renewAfterMs) return;
    this.#renewing = true;
    this.fetch()
      .catch(onProblem)
      .finally(() => {
        this.#renewing = false;
      });
  }
}
