/**
 * Decides who is asking, from an HTTP Basic header (RFC 7617). `DOMAIN\user` and
 * `user@domain` are names like any other; case does not matter, the password's does.
 *
 * Hashing a password is slow by design, so a header that was right once is remembered,
 * as an HMAC under a key of this process, and one that was wrong is remembered for a
 * while. A name nobody has costs as much as a wrong password: it is checked against a
 * hash that nothing matches. Nothing here is ever logged.
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { hash as argon2Hash, verify as argon2Verify } from "@node-rs/argon2";
import { LRUCache } from "lru-cache";
import type { Caller } from "../proxy/asking.js";
import { scryptMatches } from "./scrypt-hash.js";

export interface CallerAccount {
  readonly caller: Caller;
  readonly usernames: readonly string[];
  /** `$argon2id$…` or `$scrypt$…`, in PHC string form. */
  readonly passwordHash: string;
}

export type Authentication =
  | { readonly kind: "known"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly reason: "no-credentials" | "bad-credentials" | "too-many-checks" };

const REMEMBERED = 1_000;
const WRONG_IS_REMEMBERED_MS = 30_000;
/** Password checks under way at once; each takes a core for tens of milliseconds. */
const CHECKS_AT_ONCE = 4;
const CHECKS_WAITING = 64;
const NO_CREDENTIALS: Authentication = { kind: "refused", reason: "no-credentials" };
const BAD_CREDENTIALS: Authentication = { kind: "refused", reason: "bad-credentials" };

export class BasicAuthenticator {
  readonly #accounts = new Map<string, CallerAccount>();
  readonly #key = randomBytes(32);
  readonly #remembered = new LRUCache<string, Authentication>({ max: REMEMBERED });
  readonly #lastOn = new WeakMap<object, { readonly header: Buffer; readonly known: Authentication }>();
  readonly #decoy: Promise<string>;
  #checking = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(accounts: readonly CallerAccount[]) {
    for (const account of accounts) {
      for (const username of account.usernames) this.#accounts.set(username.toLowerCase(), account);
    }
    this.#decoy = argon2Hash(randomBytes(24));
  }

  /**
   * Settles at once, without a promise, for a header seen before. `connection` is any object that lives as long as the
   * caller's connection: what it brought last is compared first, which costs less than the HMAC.
   */
  authenticate(header: string | undefined, connection: object): Authentication | Promise<Authentication> {
    if (header === undefined || !/^basic /i.test(header)) return NO_CREDENTIALS;
    const bytes = Buffer.from(header, "latin1");
    const last = this.#lastOn.get(connection);
    if (last !== undefined && last.header.length === bytes.length && timingSafeEqual(last.header, bytes))
      return last.known;
    const found = this.#recall(header);
    if (found instanceof Promise) return found;
    if (found.kind === "known") this.#lastOn.set(connection, { header: bytes, known: found });
    return found;
  }

  #recall(header: string): Authentication | Promise<Authentication> {
    const mark = createHmac("sha256", this.#key).update(header).digest("base64");
    return this.#remembered.get(mark) ?? this.#check(header, mark);
  }

  async #check(header: string, mark: string): Promise<Authentication> {
    const credentials = decoded(header);
    if (credentials === undefined) return BAD_CREDENTIALS;
    if (this.#waiting.length >= CHECKS_WAITING) return { kind: "refused", reason: "too-many-checks" };
    if (this.#checking >= CHECKS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#checking++;
    try {
      const before = this.#remembered.get(mark);
      if (before !== undefined) return before;
      const account = this.#accounts.get(credentials.username.toLowerCase());
      const matches = await hashMatches(account?.passwordHash ?? (await this.#decoy), credentials.password);
      const result: Authentication =
        account !== undefined && matches ? { kind: "known", caller: account.caller } : BAD_CREDENTIALS;
      this.#remembered.set(mark, result, { ttl: result.kind === "known" ? 0 : WRONG_IS_REMEMBERED_MS });
      return result;
    } finally {
      this.#checking--;
      this.#waiting.shift()?.();
    }
  }
}

async function hashMatches(stored: string, password: string): Promise<boolean> {
  try {
    return stored.startsWith("$scrypt$") ? await scryptMatches(stored, password) : await argon2Verify(stored, password);
  } catch {
    return false;
  }
}

function decoded(header: string): { username: string; password: string } | undefined {
  const bytes = Buffer.from(header.slice(6).trim(), "base64");
  // UTF-8 where it is valid, Latin-1 otherwise: WorkMail stores passwords in Latin-1.
  const utf8 = bytes.toString("utf8");
  const text = utf8.includes("\ufffd") ? bytes.toString("latin1") : utf8;
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
