/**
 * Decides who is asking, from an HTTP Basic header (RFC 7617). `DOMAIN\user` and
 * `user@domain` are names like any other; case does not matter, the password's does.
 *
 * Hashing a password is slow by design, so a header that was right once is remembered, as
 * an HMAC under a key of this process, and one that was wrong is remembered for a while. A
 * name nobody has costs as much as a wrong password, and whoever has to wait is told so
 * before anything is compared: even a right guess is then not found out. Never logged.
 */

import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Caller } from "../proxy/asking.js";
import { BoundedChecks, CHECK_BOUNDS, type CheckBounds } from "./bounded-checks.js";
import type { SignInRequest, SignInScheme, Verdict } from "./caller-authentication.js";
import { DecoyHashes, hashMatches, type PasswordCheck } from "./password-hashes.js";
import { LastHeader } from "./per-connection.js";
import type { SignInBackoff } from "./sign-in-backoff.js";

export interface PasswordAccount {
  readonly caller: Caller;
  readonly usernames: readonly string[];
  /** `$argon2id$…` or `$scrypt$…`, in PHC string form. */
  readonly passwordHash: string;
}

export interface PasswordAuthenticationParts {
  readonly accounts: readonly PasswordAccount[];
  readonly backoff: SignInBackoff;
  /** For tests: what is done instead of hashing, and how often at once. */
  readonly check?: PasswordCheck;
  readonly bounds?: CheckBounds;
}

type Known = Extract<Verdict, { readonly kind: "known" }>;

const REMEMBERED = 1_000;
const WRONG_IS_REMEMBERED_MS = 30_000;
const BAD_CREDENTIALS: Verdict = { kind: "failed", reason: "bad-credentials" };

export class PasswordAuthentication implements SignInScheme {
  readonly word = "basic";
  readonly offer = 'Basic realm="free/busy", charset="UTF-8"';
  readonly bindsConnection = false;
  readonly #accounts = new Map<string, PasswordAccount>();
  readonly #decoys: DecoyHashes;
  readonly #backoff: SignInBackoff;
  readonly #check: PasswordCheck;
  readonly #checks: BoundedChecks;
  readonly #key = randomBytes(32);
  /** Apart from each other: no crowd of wrong headers pushes out a right one. */
  readonly #right = new LRUCache<string, Known>({ max: REMEMBERED });
  readonly #wrong = new LRUCache<string, true>({ max: REMEMBERED, ttl: WRONG_IS_REMEMBERED_MS });
  readonly #underWay = new Map<string, Promise<Verdict>>();
  readonly #last = new LastHeader<Known>();

  constructor({ accounts, backoff, check = hashMatches, bounds = CHECK_BOUNDS }: PasswordAuthenticationParts) {
    for (const account of accounts) {
      for (const username of account.usernames) this.#accounts.set(username.toLowerCase(), account);
    }
    this.#decoys = new DecoyHashes(accounts.map(({ passwordHash }) => passwordHash));
    this.#backoff = backoff;
    this.#check = check;
    this.#checks = new BoundedChecks(bounds);
  }

  authenticate(header: string, { socket, ip }: SignInRequest): Verdict | Promise<Verdict> {
    const last = this.#last.known(socket, header);
    if (last !== undefined) return last;
    const credentials = decoded(header);
    if (credentials === undefined) return BAD_CREDENTIALS;
    const name = credentials.username.toLowerCase();
    const trusted = this.#backoff.isTrusted(ip, name);
    const wait = trusted ? 0 : this.#backoff.waitMs(ip, name);
    if (wait > 0) return tooManyFailures(wait);
    const mark = createHmac("sha256", this.#key).update(header).digest("base64");
    const known = this.#right.get(mark);
    if (known !== undefined) {
      this.#last.remember(socket, header, known);
      this.#backoff.succeeded(ip, name);
      return known;
    }
    if (this.#wrong.has(mark)) return BAD_CREDENTIALS;
    // The same header at the same time is one attempt: a caller may open many connections at once.
    return this.#underWay.get(mark) ?? this.#begin(mark, name, credentials.password, ip, trusted);
  }

  #begin(mark: string, name: string, password: string, ip: string, trusted: boolean): Verdict | Promise<Verdict> {
    const wait = this.#backoff.begin(ip, name);
    if (wait > 0) return tooManyFailures(wait);
    const verdict = this.#verdict(mark, name, password, ip, trusted).finally(() => this.#underWay.delete(mark));
    this.#underWay.set(mark, verdict);
    return verdict;
  }

  async #verdict(mark: string, name: string, password: string, ip: string, trusted: boolean): Promise<Verdict> {
    const account = this.#accounts.get(name);
    // Looked for in any case: a name that exists must not be the quicker one.
    const decoy = this.#decoys.for(name);
    const stored = account?.passwordHash ?? decoy;
    const matches = await this.#checks.run(trusted, () => this.#check(stored, password));
    if (matches === undefined) {
      this.#backoff.withdrawn(ip, name);
      return { kind: "failed", reason: "too-many-checks" };
    }
    if (account === undefined || !matches) {
      this.#wrong.set(mark, true);
      return BAD_CREDENTIALS;
    }
    const known: Known = { kind: "known", caller: account.caller };
    this.#right.set(mark, known);
    this.#backoff.succeeded(ip, name);
    return known;
  }
}

const tooManyFailures = (retryAfterMs: number): Verdict => ({
  kind: "failed",
  reason: "too-many-failures",
  retryAfterMs,
});

function decoded(header: string): { username: string; password: string } | undefined {
  const bytes = Buffer.from(header.slice(6).trim(), "base64");
  // UTF-8 where it is valid, Latin-1 otherwise: WorkMail stores passwords in Latin-1.
  const utf8 = bytes.toString("utf8");
  const text = utf8.includes("\ufffd") ? bytes.toString("latin1") : utf8;
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
