/**
 * Decides how long a token is used and when the next one is fetched: ahead of the end,
 * while the old one still serves; one fetch at a time; not at once again after a failure;
 * and out of turn when the backend refuses the token, every few seconds at most.
 *
 * Knows no protocol: what a token is asked of is a {@link TokenGrant}.
 */

import { type InstantMs, instant } from "../availability/time-window.js";
import { TransportError } from "./http-channel.js";
import { type GrantedToken, TokenError, type TokenGrant, type TokenSource } from "./token-source.js";
import { untilAborted } from "./until-aborted.js";

export interface KeptTokenOptions {
  readonly grant: TokenGrant;
  readonly now: () => InstantMs;
  /** How long one fetch may take. */
  readonly timeoutMs?: number;
}

interface Fetch {
  readonly asked: InstantMs;
  readonly end: AbortController;
  readonly token: Promise<string>;
}

interface Kept {
  readonly token: string;
  readonly refreshAt: number;
  /** A little before its end: a request takes time, and clocks differ. */
  readonly usableUntil: number;
  readonly expiresAt: InstantMs;
}

/** Whoever waits for it gives up earlier; what comes later serves the next. */
export const LONGEST_FETCH_MS = 10_000;
const LONGEST_LIFETIME_MS = 24 * 3_600_000;
const AHEAD_MS = 300_000;
const MARGIN_MS = 10_000;
const FIRST_SILENCE_MS = 2_000;
const LONGEST_SILENCE_MS = 30_000;
const FORCED_APART_MS = 5_000;
/** Printable, without blanks: WorkMail's tokens are no base64. Anything else could end the header. */
const SENDABLE = /^[\x21-\x7e]+$/;

export class KeptToken implements TokenSource {
  readonly #grant: TokenGrant;
  readonly #now: () => InstantMs;
  readonly #timeoutMs: number;
  #kept: Kept | undefined;
  #fetching: Fetch | undefined;
  #closed = false;
  #failure: { readonly error: TokenError; readonly until: number } | undefined;
  #failures = 0;
  #forcedAt = Number.NEGATIVE_INFINITY;

  constructor({ grant, now, timeoutMs = LONGEST_FETCH_MS }: KeptTokenOptions) {
    this.#grant = grant;
    this.#now = now;
    this.#timeoutMs = timeoutMs;
  }

  get expiresAt(): InstantMs | undefined {
    return this.#kept?.expiresAt;
  }

  async token(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.#closed) throw new TokenError("CLOSED", { detail: "asked after the end" });
    const now = this.#now();
    const silent = this.#failure !== undefined && now < this.#failure.until;
    if (this.#kept !== undefined && now < this.#kept.usableUntil) {
      // Its failure is remembered; as long as the old one serves, nobody needs to hear of it.
      if (now >= this.#kept.refreshAt && !silent) this.#fetch().catch(() => undefined);
      return this.#kept.token;
    }
    if (silent && this.#failure !== undefined) throw this.#failure.error;
    return untilAborted(this.#fetch(), signal);
  }

  refused(token: string): void {
    const now = this.#now();
    if (this.#kept?.token !== token || now - this.#forcedAt < FORCED_APART_MS) return;
    this.#forcedAt = now;
    this.#kept = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#kept = undefined;
    this.#fetching?.end.abort(new TokenError("CLOSED", { detail: "the gateway ends" }));
    await this.#fetching?.token.catch(() => undefined);
    await this.#grant.close();
  }

  #fetch(): Promise<string> {
    const asked = this.#now();
    if (this.#fetching !== undefined && asked - this.#fetching.asked >= this.#timeoutMs) {
      // Its time is over, and its timer has not told: the machine slept, as Lambda's do between two questions.
      this.#fetching.end.abort(late());
      this.#fetching = undefined;
    }
    this.#fetching ??= this.#begin(asked);
    return this.#fetching.token;
  }

  #begin(asked: InstantMs): Fetch {
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(late()), this.#timeoutMs);
    const token = this.#obtain(asked, end.signal).finally(() => {
      clearTimeout(timer);
      if (this.#fetching === fetch) this.#fetching = undefined;
    });
    const fetch = { asked, end, token };
    return fetch;
  }

  async #obtain(asked: InstantMs, signal: AbortSignal): Promise<string> {
    try {
      const granted = await untilAborted(this.#grant.obtain(signal), signal);
      signal.throwIfAborted();
      this.#kept = keep(granted, asked);
      this.#failure = undefined;
      this.#failures = 0;
      return this.#kept.token;
    } catch (thrown) {
      const error = failure(thrown);
      // Not when another one was begun instead.
      if (this.#fetching?.end.signal === signal) {
        const silence = Math.min(FIRST_SILENCE_MS * 2 ** this.#failures++, LONGEST_SILENCE_MS);
        // However late a machine that slept hears of it.
        const ended = Math.min(this.#now(), asked + this.#timeoutMs);
        this.#failure = { error, until: ended + Math.max(silence, error.retryAfterMs ?? 0) };
      }
      throw error;
    }
  }
}

function keep({ token, lifetimeMs }: GrantedToken, asked: InstantMs): Kept {
  if (!SENDABLE.test(token)) throw new TokenError("TOKEN_UNUSABLE", { detail: "it does not fit into a header" });
  if (!(lifetimeMs > 0)) throw new TokenError("TOKEN_UNUSABLE", { detail: "it had ended when it came" });
  const lifetime = Math.min(lifetimeMs, LONGEST_LIFETIME_MS);
  const expiresAt = instant(asked + lifetime);
  return {
    token,
    expiresAt,
    refreshAt: expiresAt - Math.min(AHEAD_MS, lifetime / 4),
    usableUntil: expiresAt - Math.min(MARGIN_MS, lifetime / 10),
  };
}

function failure(thrown: unknown): TokenError {
  if (thrown instanceof TokenError) return thrown;
  const code = thrown instanceof TransportError ? thrown.code : "UNKNOWN";
  return new TokenError(code, { detail: "whoever grants tokens could not be asked" });
}

const late = () => new TokenError("TIMEOUT", { detail: "whoever grants tokens did not answer in time" });
