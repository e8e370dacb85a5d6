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

interface Kept {
  readonly token: string;
  readonly refreshAt: number;
  /** A little before its end: a request takes time, and clocks differ. */
  readonly usableUntil: number;
  readonly expiresAt: InstantMs;
}

const TIMEOUT_MS = 10_000;
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
  readonly #closing = new AbortController();
  #kept: Kept | undefined;
  #fetching: Promise<string> | undefined;
  #failure: { readonly error: TokenError; readonly until: number } | undefined;
  #failures = 0;
  #forcedAt = Number.NEGATIVE_INFINITY;

  constructor({ grant, now, timeoutMs = TIMEOUT_MS }: KeptTokenOptions) {
    this.#grant = grant;
    this.#now = now;
    this.#timeoutMs = timeoutMs;
  }

  get expiresAt(): InstantMs | undefined {
    return this.#kept?.expiresAt;
  }

  async token(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw new TokenError("CLOSED", { detail: "asked after the end" });
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
    this.#closing.abort(new TokenError("CLOSED", { detail: "the gateway ends" }));
    this.#kept = undefined;
    await this.#fetching?.catch(() => undefined);
    await this.#grant.close();
  }

  #fetch(): Promise<string> {
    this.#fetching ??= this.#obtain().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #obtain(): Promise<string> {
    const asked = this.#now();
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([this.#closing.signal, timeout]);
    try {
      const granted = await untilAborted(this.#grant.obtain(signal), signal);
      signal.throwIfAborted();
      this.#kept = keep(granted, asked);
      this.#failure = undefined;
      this.#failures = 0;
      return this.#kept.token;
    } catch (thrown) {
      const error = this.#closing.signal.aborted ? this.#closing.signal.reason : failure(thrown, timeout);
      const silence = Math.min(FIRST_SILENCE_MS * 2 ** this.#failures++, LONGEST_SILENCE_MS);
      this.#failure = { error, until: this.#now() + Math.max(silence, error.retryAfterMs ?? 0) };
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

function failure(thrown: unknown, timeout: AbortSignal): TokenError {
  if (thrown instanceof TokenError) return thrown;
  if (timeout.aborted) return new TokenError("TIMEOUT", { detail: "whoever grants tokens did not answer in time" });
  const code = thrown instanceof TransportError ? thrown.code : "UNKNOWN";
  return new TokenError(code, { detail: "whoever grants tokens could not be asked" });
}
