/**
 * Decides how long a source has to wait after sign-ins that failed: twice as long each
 * time, per source and account and, more patiently, per source. A source that has signed
 * in to an account lately is not made to wait for what others try, be it with this account
 * from elsewhere or with other accounts from the same address: nobody can lock it out.
 *
 * An account is whatever name was tried: whether it exists is not known here, so that
 * nothing can be learnt from waiting. Held in bounded memory; what is known of those who
 * succeeded cannot be pushed out by those who fail.
 */

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { sourceNetwork } from "./source-address.js";

export interface BackoffSettings {
  /** Failures without a wait: of a source with one account, and with all of them. */
  readonly freePerAccount: number;
  readonly freePerSource: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** How long a success, and how long a failure, is remembered. */
  readonly trustMs: number;
  readonly forgetMs: number;
}

export const BACKOFF: BackoffSettings = {
  freePerAccount: 5,
  freePerSource: 20,
  firstWaitMs: 1_000,
  longestWaitMs: 300_000,
  trustMs: 24 * 3_600_000,
  forgetMs: 3_600_000,
};

interface Failures {
  readonly count: number;
  readonly lastAt: number;
  readonly waitsUntil: number;
}

const REMEMBERED_FAILURES = 20_000;
const REMEMBERED_SUCCESSES = 10_000;

export class SignInBackoff {
  readonly #settings: BackoffSettings;
  readonly #now: () => number;
  readonly #byAccount = new LRUCache<string, Failures>({ max: REMEMBERED_FAILURES });
  readonly #bySource = new LRUCache<string, Failures>({ max: REMEMBERED_FAILURES });
  readonly #succeededAt = new LRUCache<string, number>({ max: REMEMBERED_SUCCESSES });

  /** `now` in milliseconds. */
  constructor(settings: BackoffSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Whether this source has signed in to this account lately. */
  isTrusted(source: string, account: string): boolean {
    const at = this.#succeededAt.get(pairOf(source, account));
    return at !== undefined && this.#now() - at < this.#settings.trustMs;
  }

  /** How long, in ms, until this source may try this account; 0: now. */
  waitMs(source: string, account: string): number {
    const own = this.#waitOf(this.#byAccount, pairOf(source, account));
    if (this.isTrusted(source, account)) return own;
    return Math.max(own, this.#waitOf(this.#bySource, sourceNetwork(source)));
  }

  /**
   * Before a check: 0, or how long to wait instead of it. The attempt counts as a failure from here on, so that many at
   * once are as many as one after another.
   */
  begin(source: string, account: string): number {
    const wait = this.waitMs(source, account);
    if (wait > 0) return wait;
    this.#count(this.#byAccount, pairOf(source, account), this.#settings.freePerAccount);
    this.#count(this.#bySource, sourceNetwork(source), this.#settings.freePerSource);
    return 0;
  }

  /** It was the right password. What was tried with other accounts still counts. */
  succeeded(source: string, account: string): void {
    const pair = pairOf(source, account);
    this.#succeededAt.set(pair, this.#now());
    if (this.#byAccount.delete(pair))
      this.#uncount(this.#bySource, sourceNetwork(source), this.#settings.freePerSource);
  }

  /** It was not checked after all. */
  withdrawn(source: string, account: string): void {
    this.#uncount(this.#byAccount, pairOf(source, account), this.#settings.freePerAccount);
    this.#uncount(this.#bySource, sourceNetwork(source), this.#settings.freePerSource);
  }

  #waitOf(failures: LRUCache<string, Failures>, key: string): number {
    const known = failures.get(key);
    return known === undefined ? 0 : Math.max(0, known.waitsUntil - this.#now());
  }

  #count(failures: LRUCache<string, Failures>, key: string, free: number): void {
    const now = this.#now();
    const before = failures.get(key);
    const stale = before === undefined || now - Math.max(before.lastAt, before.waitsUntil) > this.#settings.forgetMs;
    const count = (stale ? 0 : before.count) + 1;
    const { firstWaitMs, longestWaitMs } = this.#settings;
    const wait = count <= free ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(30, count - free - 1));
    failures.set(key, { count, lastAt: now, waitsUntil: now + wait });
  }

  #uncount(failures: LRUCache<string, Failures>, key: string, free: number): void {
    const before = failures.get(key);
    if (before === undefined) return;
    const count = before.count - 1;
    if (count === 0) failures.delete(key);
    else failures.set(key, { ...before, count, waitsUntil: count <= free ? 0 : before.waitsUntil });
  }
}

/** Short, however long the name. */
function pairOf(source: string, account: string): string {
  const name = createHash("sha256").update(account).digest("base64").slice(0, 22);
  return `${sourceNetwork(source)} ${name}`;
}
