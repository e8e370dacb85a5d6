/**
 * Decides who may try a secret that is not known to be accepted, so that a burst with a wrong
 * password does not lock the account: one request, and others beside it only when it hears
 * nothing ({@link CarefulSteps}). Whoever waits looks again at each piece of news.
 *
 * Knows no secret and no verdict.
 */

import { untilCalled } from "../proxy/waiting-line.js";
import { CarefulSteps } from "./careful-steps.js";

export class SecretTrial {
  readonly #steps = new CarefulSteps(() => this.#tell());
  /** In the order of coming. */
  readonly #waiting = new Set<() => void>();

  /** `alone`: something has been refused already, so nobody goes beside another, however long that one takes. */
  isOpen(alone: boolean): boolean {
    const { underWay, most } = this.#steps;
    return underWay < (alone ? 1 : most);
  }

  /** Resolves when a request is over, or another one may go. Rejects with the signal's reason. */
  async news(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await untilCalled(this.#waiting, signal);
  }

  /** What `attempt` gives or throws. Only while it is open. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const over = this.#steps.begin();
    try {
      return await attempt();
    } finally {
      over();
      this.#tell();
    }
  }

  #tell(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const told of waiting) told();
  }
}
