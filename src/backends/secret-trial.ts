/**
 * Decides who may try a secret that is not known to be accepted: one request at a time, so that a
 * burst with a wrong password does not lock the account. A server that does not accept a secret
 * says so at once; so when a request hears nothing for a second, the next one may go beside it,
 * and each after that waits twice as long: one slow answer must not keep all others waiting,
 * and no more than four go in fifteen seconds of silence.
 *
 * Knows no secret and no verdict.
 */

const PATIENCE_MS = 1_000;

export class SecretTrial {
  #occupied = false;
  /** Requests that have heard nothing yet. */
  #silent = 0;
  /** In the order of coming. */
  readonly #waiting = new Set<() => void>();

  /** Whether nobody else may go now. */
  get occupied(): boolean {
    return this.#occupied;
  }

  /** Resolves when a request has heard something, or another one may go: a reason to look again. Rejects with the signal's reason. */
  async news(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const told = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(told);
        reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(told);
    });
  }

  /** What `attempt` gives or throws. Only when it is not occupied. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    this.#occupied = true;
    let holds = true;
    const letGo = () => {
      if (holds) this.#occupied = false;
      holds = false;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const told of waiting) told();
    };
    const impatient = setTimeout(letGo, PATIENCE_MS * 2 ** this.#silent++);
    try {
      return await attempt();
    } finally {
      clearTimeout(impatient);
      this.#silent--;
      letGo();
    }
  }
}
