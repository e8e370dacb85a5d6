/**
 * Remembers what other gateways have not been told yet, or have been told and not left word of for those that come
 * later: of each account the newest pause and the newest verdict on its secrets, until they have ended by themselves.
 * Knows no server and no wire.
 */

import type { AccountNews } from "../proxy/account-news.js";

export interface Untold {
  readonly backend: string;
  readonly news: AccountNews;
  /** By the clock of whoever remembers. */
  readonly until: number;
  announced: boolean;
  kept: boolean;
}

/** What others have left word of ends by itself within so long; then there is nothing to take back. */
const LONGEST_REFUSAL_MS = 1_800_000;

export class UntoldNews {
  readonly #untold = new Map<string, Untold>();

  add(backend: string, news: AccountNews, now: number): Untold {
    const until = now + (news.kind === "accepted" ? LONGEST_REFUSAL_MS : news.forMs);
    const untold = { backend, news, until, announced: false, kept: false };
    this.#untold.set(keyOf(backend, news), untold);
    return untold;
  }

  /** Whether something newer is known here than what others have left word of. */
  outdates(backend: string, news: AccountNews): boolean {
    return news.kind !== "paused" && this.#untold.has(keyOf(backend, news));
  }

  /** Another gateway has said it: a newer verdict, or a pause that may be longer than ours. */
  heard(backend: string, news: AccountNews, now: number): void {
    const ours = this.#untold.get(keyOf(backend, news));
    if (ours !== undefined && (news.kind !== "paused" || ours.until <= now + news.forMs)) this.#forget(ours);
  }

  /** All has been said of it, unless there is something newer. */
  told(untold: Untold): void {
    if (this.holds(untold)) this.#forget(untold);
  }

  /** False: there is something newer. */
  holds(untold: Untold): boolean {
    return this.#untold.get(keyOf(untold.backend, untold.news)) === untold;
  }

  all(): readonly Untold[] {
    return [...this.#untold.values()];
  }

  #forget({ backend, news }: Untold): void {
    this.#untold.delete(keyOf(backend, news));
  }
}

function keyOf(backend: string, { kind, account }: AccountNews): string {
  return `${kind === "paused" ? "pause" : "verdict"}\0${backend}\0${account}`;
}
