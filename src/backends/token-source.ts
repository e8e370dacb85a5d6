/**
 * Port: where a bearer token comes from. Decides what whoever sends tokens may expect of
 * whoever keeps them, and how it is called when there is none. Knows no protocol.
 */

import type { InstantMs } from "../availability/time-window.js";
import { TransportError } from "./http-channel.js";

export interface TokenSource {
  /** Believed to be good. Throws a {@link TokenError}, or the signal's reason as soon as it aborts. */
  token(signal: AbortSignal): Promise<string>;
  /**
   * The backend has answered 401 to this token. The next `token()` is another one, unless the last one was forced in this
   * way a moment ago: then the token is not what is wrong.
   */
  refused(token: string): void;
  /** When the token that is kept ends; undefined while there is none. */
  readonly expiresAt: InstantMs | undefined;
  close(): Promise<void>;
}

/** Where one token after the other is obtained: an OAuth server, WorkMail's API. Each call asks it, once. */
export interface TokenGrant {
  /** Throws a {@link TokenError}, or the signal's reason; it need not end at once. */
  obtain(signal: AbortSignal): Promise<GrantedToken>;
  close(): Promise<void>;
}

export interface GrantedToken {
  /** As it goes into the header. */
  readonly token: string;
  /** From the moment it was asked for. */
  readonly lifetimeMs: number;
}

export interface TokenErrorOptions {
  /** For people: what to do. Never a part of an answer, never a secret. */
  readonly detail: string;
  /** Whether the grant does not believe who we are, which asking again will not change. */
  readonly refused?: boolean;
  /** Whether it counts refusals, and locks the account after some. */
  readonly counted?: boolean;
  /** How long it wants to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * There is no token. `code` is the grant's own short word (`invalid_client`, `AccessDeniedException`), `HTTP 502`, the
 * network's (`ECONNREFUSED`), or one of this gateway's in capitals. It has no cause: those quote what was sent or received.
 */
export class TokenError extends TransportError {
  readonly detail: string;
  readonly refused: boolean;
  readonly counted: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, { detail, refused = false, counted = false, retryAfterMs }: TokenErrorOptions) {
    super(code, { cause: undefined });
    this.name = "TokenError";
    this.detail = detail;
    this.refused = refused;
    this.counted = counted;
    this.retryAfterMs = retryAfterMs;
  }
}
