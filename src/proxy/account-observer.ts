/** Port: whoever wants to know how service accounts fare. Nothing here holds a secret. */

import type { InstantMs } from "../availability/time-window.js";

/** "set-aside": its secrets are refused; "paused": it is throttled; "accepted": it works again, or with another secret. */
export interface AccountChange {
  readonly kind: "set-aside" | "paused" | "accepted";
  readonly account: string;
  readonly until?: InstantMs;
  readonly problem?: string;
  readonly secret?: "current" | "next";
  /** Another gateway has found it out. */
  readonly heard?: boolean;
}

/** How a service account stands, for people, readiness and metrics. */
export interface AccountStanding {
  readonly name: string;
  readonly scheme: string;
  readonly inFlight: number;
  /** Requests at once, as it is now; undefined: no limit. */
  readonly budget?: number;
  /** This gateway's part of what all that share the account may do at once; undefined: it is not shared. */
  readonly share?: number;
  /** Which secret is in use, or would be tried first. */
  readonly secret: "current" | "next";
  readonly setAsideUntil?: InstantMs;
  readonly pausedUntil?: InstantMs;
  /** When the token in use ends. */
  readonly expiresAt?: InstantMs;
  /** What was wrong last, until it is accepted again. */
  readonly problem?: string;
}

export interface AccountObserver {
  accountChanged(backend: string, change: AccountChange): void;
}
