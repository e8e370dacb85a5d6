/**
 * Decides which part of each account's limit this gateway may use, from who else is there.
 * Parts are equal, a remainder goes to the first ones by id, and everybody has one at least.
 *
 * A part becomes smaller at once. It becomes larger only when all others have seen the same
 * gateways and use no more than their own parts: at no moment is more in use than the limit,
 * however the news of one more or one fewer travels. Whoever is new waits for that, but not for ever.
 *
 * After the roll was lost, because the server has begun with nothing or we were away for too
 * long, nobody grows before all others had time to sign in again. While nobody can be
 * counted a part stays, then shrinks to what is presumed, and never grows. Knows no clock, no
 * server, no wire.
 */

import type { AccountUse, GatewayCount } from "../proxy/account-news.js";

/** What a gateway tells the others of itself. */
export interface RollWord {
  /** The ids it has seen. */
  readonly view: string;
  /** Its accounts: true where it uses no more than its part, and lets others have theirs. */
  readonly accounts: ReadonlyMap<string, boolean>;
}

/** So long after its last sign-in, a gateway counts as gone; for others and for itself. */
export const GONE_AFTER_MS = 5_000;
/** Whoever is new has one place then, even if others have not made room. */
export const NEW_WAITS_MS = 2_000;

export class RollCall {
  readonly #id: string;
  readonly #presumed: number;
  readonly #shares = new Map<string, number>();
  #word: RollWord = { view: "", accounts: new Map() };
  #gateways: number | undefined;
  #counted = false;
  #metAt = 0;
  #firstMetAt: number | undefined;
  #growFrom = 0;
  #crowded: readonly string[] = [];

  /** `presumed`: so many gateways there are, as long as they cannot be counted. */
  constructor(id: string, presumed: number) {
    this.#id = id;
    this.#presumed = presumed;
  }

  get word(): RollWord {
    return this.#word;
  }

  get shares(): ReadonlyMap<string, number> {
    return this.#shares;
  }

  get count(): GatewayCount {
    return { gateways: this.#gateways ?? this.#presumed, counted: this.#counted };
  }

  /** Accounts that allow fewer requests at once than there are gateways. */
  get crowded(): readonly string[] {
    return this.#crowded;
  }

  /** Nobody has been met yet. */
  begin(uses: readonly AccountUse[]): void {
    for (const { name, limit } of uses) this.#shares.set(name, partOf(limit, this.#presumed, this.#presumed - 1));
    // Others have to know from the first word on what they share with us.
    this.#word = { view: "", accounts: new Map(uses.map(({ name }) => [name, false])) };
  }

  /**
   * All that are there have been read. `others`: undefined for a word that cannot be read, of which only is known that
   * somebody is there; `known`: whether oneself was still there.
   */
  met(
    others: ReadonlyMap<string, RollWord | undefined>,
    known: boolean,
    uses: readonly AccountUse[],
    now: number,
  ): void {
    const first = this.#firstMetAt === undefined;
    const newcomer = first && others.size > 0;
    if (!known && !newcomer) this.#growFrom = now + GONE_AFTER_MS;
    this.#firstMetAt ??= now;
    this.#metAt = now;
    this.#counted = true;
    const ids = [...new Set([...others.keys(), this.#id])].sort();
    const view = ids.join(" ");
    this.#gateways = ids.length;
    const settled = now >= this.#growFrom;
    const accounts = new Map<string, boolean>();
    const crowded: string[] = [];
    for (const { name, limit, inFlight } of uses) {
      const sharing = ids.filter((id) => id === this.#id || hasAccount(others.get(id), name));
      const part = partOf(limit, sharing.length, sharing.indexOf(this.#id));
      if (sharing.length > limit) crowded.push(name);
      const agreed = sharing.every((id) => id === this.#id || agrees(others.get(id), view, name));
      const before = newcomer && sharing.length > 1 ? 0 : (this.#shares.get(name) ?? 0);
      const share = part <= before || (settled && agreed) ? part : before;
      this.#shares.set(name, share);
      accounts.set(name, settled && Math.max(share, inFlight) <= part);
    }
    this.#crowded = crowded;
    this.#word = { view, accounts };
    this.#waitNoLonger(now);
  }

  /** Nobody could be met just now. */
  missed(uses: readonly AccountUse[], now: number): void {
    if (this.#firstMetAt === undefined) return;
    this.#waitNoLonger(now);
    if (now - this.#metAt < GONE_AFTER_MS) return;
    this.#counted = false;
    const gateways = Math.max(this.#presumed, this.#gateways ?? 0);
    for (const { name, limit } of uses) {
      this.#shares.set(name, Math.max(1, Math.min(this.#shares.get(name) ?? 1, partOf(limit, gateways, gateways - 1))));
    }
  }

  #waitNoLonger(now: number): void {
    if (now - (this.#firstMetAt ?? now) < NEW_WAITS_MS) return;
    for (const [name, share] of this.#shares) if (share === 0) this.#shares.set(name, 1);
  }
}

/** By rank, from 0. */
export function partOf(limit: number, gateways: number, rank: number): number {
  return Math.max(1, Math.floor(limit / gateways) + (rank < limit % gateways ? 1 : 0));
}

function hasAccount(word: RollWord | undefined, name: string): boolean {
  return word === undefined || word.accounts.has(name);
}

function agrees(word: RollWord | undefined, view: string, name: string): boolean {
  return word === undefined || (word.view === view && word.accounts.get(name) === true);
}
