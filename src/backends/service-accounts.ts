/**
 * Decides which of a backend's service accounts a request goes with: the one with the
 * fewest requests under way, in turn where several have as few. An account whose secrets
 * are refused, or that is being throttled, is left alone for a time while the others go
 * on; when all are, the request fails at once and nothing is sent. When those that are left
 * have spent their budgets, it waits, first come, first served.
 *
 * All accounts of one backend are declared equal by whoever configures them: each sees the
 * same free/busy time, so an answer that one of them was given serves everybody, and the
 * cache knows them by the one name of the set. Accounts with different rights belong into
 * different backends.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { AccountNews, AccountsInCommon, AccountUse } from "../proxy/account-news.js";
import type { AccountChange, AccountStanding } from "../proxy/account-observer.js";
import type { AccountOptions } from "./account-options.js";
import { HandshakeFailure } from "./handshake.js";
import type { HttpAnswer } from "./http-channel.js";
import { ServiceAccount } from "./service-account.js";
import type { RequestRoom } from "./shared-questions.js";
import { busyFor } from "./throttling.js";
import { TokenError } from "./token-source.js";

export interface ServiceAccountsOptions {
  /** At least one, their names distinct. */
  readonly accounts: readonly AccountOptions[];
  readonly now: () => InstantMs;
  /** Set aside, paused, accepted again: for the log. */
  readonly tell?: (event: AccountChange) => void;
}

export interface AccountAnswer {
  readonly answer: HttpAnswer;
  /** Whose answer it is, or would have been. */
  readonly account: string;
}

/** The question as this account has to ask it. */
export type QuestionAs = (actsAs: MailboxAddress | undefined) => string;

/** A place in an account's budget. */
interface Place {
  readonly account: ServiceAccount;
  readonly leave: () => void;
}

/** Somebody whom no account has room for. */
interface Waiting {
  readonly asked: ReadonlySet<ServiceAccount>;
  readonly go: (place: Place | undefined) => void;
}

export class ServiceAccounts implements RequestRoom, AccountsInCommon {
  /** Whose eyes the answers are seen with; part of every cache key, so it does not change with the account that asked. */
  readonly name: string;
  readonly #accounts: readonly ServiceAccount[];
  readonly #now: () => InstantMs;
  /** In the order in which they were last chosen. */
  readonly #turns: ServiceAccount[];
  /** In the order of coming. */
  readonly #line = new Set<Waiting>();
  #listener: () => void = () => undefined;
  #share: (news: AccountNews) => void = () => undefined;

  /** Throws when a current secret cannot be read. */
  constructor({ accounts, now, tell = () => undefined }: ServiceAccountsOptions) {
    if (accounts.length === 0) throw new Error("a backend needs a service account");
    this.name = accounts.map(({ name, actsAs }) => (actsAs === undefined ? name : `${name} as ${actsAs}`)).join(", ");
    this.#now = now;
    this.#accounts = accounts.map(
      (options) =>
        new ServiceAccount(options, {
          ...{ now, tell },
          share: (news) => this.#share(news),
          changed: () => this.#changed(),
        }),
    );
    this.#turns = [...this.#accounts];
  }

  /** Unlimited also when no account is usable: requests are answered at once then, without being sent. */
  get room(): number {
    const usable = this.#accounts.filter((account) => account.usable);
    if (usable.length === 0) return Number.POSITIVE_INFINITY;
    return usable.reduce((sum, { room }) => sum + room, 0);
  }

  onRoom(listener: () => void): void {
    this.#listener = listener;
  }

  /**
   * Any HTTP answer, and whose it is: 401 when no account's secrets are accepted, 503 when those that are left are paused.
   * Throws a TransportError, among them a {@link TokenError} or {@link HandshakeFailure} when no account could prove
   * itself, or the signal's reason when it aborted.
   */
  async post(question: QuestionAs, signal: AbortSignal): Promise<AccountAnswer> {
    const asked = new Set<ServiceAccount>();
    let throttled: AccountAnswer | undefined;
    let unproven: TokenError | HandshakeFailure | undefined;
    for (let place = await this.#enter(asked, signal); place; place = await this.#enter(asked, signal)) {
      const { account, leave } = place;
      asked.add(account);
      try {
        const { answer, verdict } = await account.post(question(account.actsAs), signal);
        if (verdict === "answered") return { answer, account: account.name };
        if (verdict === "throttled") throttled = { answer, account: account.name };
      } catch (error) {
        // Nothing was asked in these cases, so another account may be.
        if (!(error instanceof TokenError || error instanceof HandshakeFailure) || signal.aborted) throw error;
        unproven = error;
      } finally {
        leave();
      }
    }
    if (throttled !== undefined) return throttled;
    if (unproven !== undefined) throw unproven;
    return this.#atOnce();
  }

  /** The backend has told this account, in its own words, to come back later; undefined: without saying when. */
  pause(account: string, ms: number | undefined): void {
    this.#named(account)?.pause(ms);
  }

  /** The backend complains of something that may or may not be this account's doing. */
  slowDown(account: string): void {
    this.#named(account)?.slowDown();
  }

  /** What the backend answered this account, read to its end, holds no complaint. */
  served(account: string): void {
    this.#named(account)?.served();
  }

  names(): readonly string[] {
    return this.#accounts.map(({ name }) => name);
  }

  uses(): readonly AccountUse[] {
    return this.#accounts.flatMap(({ name, limit, inFlight }) =>
      Number.isFinite(limit) ? [{ name, limit, inFlight }] : [],
    );
  }

  takeShare(account: string, share: number): void {
    this.#named(account)?.takeShare(share);
  }

  hear(news: AccountNews): void {
    this.#named(news.account)?.hear(news);
  }

  news(): readonly AccountNews[] {
    return this.#accounts.flatMap((account) => account.news());
  }

  onNews(listener: (news: AccountNews) => void): void {
    this.#share = listener;
  }

  get count(): number {
    return this.#accounts.length;
  }

  /** Whether some account could be asked now. */
  get usable(): boolean {
    return this.#accounts.some((account) => account.usable);
  }

  /** Looks at all secrets again. The names of the accounts that have another one now. */
  reload(): string[] {
    return this.#accounts.filter((account) => account.reload()).map(({ name }) => name);
  }

  state(): AccountStanding[] {
    return this.#accounts.map((account) => account.state());
  }

  /** The status of an unauthenticated GET: whether anybody is there. */
  reach(signal: AbortSignal): Promise<number> {
    return (this.#accounts[0] as ServiceAccount).reach(signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#accounts.map((account) => account.close()));
  }

  /** Undefined: no account is left to be asked. Rejects with the signal's reason. */
  #enter(asked: ReadonlySet<ServiceAccount>, signal: AbortSignal): Promise<Place | undefined> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        asked,
        go: (place) => {
          signal.removeEventListener("abort", giveUp);
          this.#line.delete(waiting);
          resolve(place);
        },
      };
      const giveUp = () => {
        this.#line.delete(waiting);
        reject(signal.reason);
        this.#changed();
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#line.add(waiting);
      this.#serveLine();
    });
  }

  #changed(): void {
    this.#serveLine();
    this.#listener();
  }

  /** Whoever is further ahead chooses first, and passes over what it was told no by already. */
  #serveLine(): void {
    for (const waiting of [...this.#line]) {
      const place = this.#choose(waiting.asked);
      if (place !== undefined || !this.#mayHaveRoom(waiting.asked)) waiting.go(place);
    }
  }

  #mayHaveRoom(asked: ReadonlySet<ServiceAccount>): boolean {
    return this.#accounts.some((account) => !asked.has(account) && account.usable);
  }

  #choose(asked: ReadonlySet<ServiceAccount>): Place | undefined {
    let chosen: ServiceAccount | undefined;
    for (const account of this.#turns) {
      if (asked.has(account) || !account.usable || account.room === 0) continue;
      if (chosen === undefined || load(account) < load(chosen)) chosen = account;
    }
    if (chosen === undefined) return undefined;
    this.#turns.splice(this.#turns.indexOf(chosen), 1);
    this.#turns.push(chosen);
    return { account: chosen, leave: chosen.enter() };
  }

  #named(account: string): ServiceAccount | undefined {
    return this.#accounts.find(({ name }) => name === account);
  }

  /** What is said without asking anybody: busy as long as some account only has to wait. */
  #atOnce(): AccountAnswer {
    let [first] = this.#accounts as [ServiceAccount];
    let until: number | undefined;
    for (const account of this.#accounts) {
      const { pausedUntil, setAsideUntil } = account;
      if (pausedUntil === undefined || setAsideUntil !== undefined || pausedUntil >= (until ?? Infinity)) continue;
      first = account;
      until = pausedUntil;
    }
    const answer = until === undefined ? first.refusal : busyFor(until - this.#now());
    return { answer, account: first.name };
  }
}

/** Whoever comes while a secret is tried has to wait for the verdict: better somewhere else. */
function load(account: ServiceAccount): number {
  return account.inFlight + (account.onTrial ? WAITING : 0);
}

const WAITING = 1_000_000;
