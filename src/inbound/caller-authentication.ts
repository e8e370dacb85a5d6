/**
 * Decides who is asking: which way to sign in a request took, and what it is told when it
 * took none or the wrong one. What a request brings itself counts; only without it does
 * what its connection has shown before: a certificate, or a handshake that was completed.
 *
 * Knows no scheme in particular, no configuration and no HTTP status. Nothing here is logged.
 */

import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { NtlmRefusal } from "../ntlm/ntlm-verification.js";
import type { Caller } from "../proxy/asking.js";

/** As much of a request as tells who sends it. Its body has not been read yet. */
export interface SignInRequest {
  readonly headers: IncomingHttpHeaders;
  /** The connection it came over: what is true of a connection is tied to this very object. */
  readonly socket: Socket;
  /** The address it comes from, not the last proxy's: see TrustedProxies. */
  readonly ip: string;
}

/** For the log and for metrics: fixed words. Whoever is refused is told no more than the status says. */
export type RefusalReason =
  | "no-credentials"
  | "unknown-scheme"
  /** Unknown name or wrong password, in any scheme. */
  | "bad-credentials"
  | "bad-token"
  /** An issuer's keys cannot be had just now. */
  | "keys-unavailable"
  /** Password checks are as many as the machine is meant to bear. */
  | "too-many-checks"
  /** This source has failed too often: see SignInBackoff. */
  | "too-many-failures"
  /** NTLM or Negotiate over a connection that carries other people's requests, too. */
  | "shared-connection"
  /** Negotiate for a mechanism that is not offered here. */
  | "unsupported-mechanism"
  /** A ticket that is not for this service, not valid now, seen before, or of nobody who is configured. */
  | "kerberos-refused"
  /** A step of a handshake that is not under way, or no longer. */
  | "handshake-out-of-turn"
  | `ntlm-${Exclude<NtlmRefusal, "wrong-credentials">}`;

/** Those that are told. A request without credentials is a step of many clients, and no incident. */
export type SignInRefusal = Exclude<RefusalReason, "no-credentials">;

/** What a scheme makes of a header. */
export type Verdict =
  | {
      readonly kind: "known";
      readonly caller: Caller;
      /** A value of WWW-Authenticate for the answer, with which we prove ourselves to the caller. */
      readonly proof?: string;
    }
  /** One more step: the answer is 401 with this value in WWW-Authenticate, and no other. */
  | { readonly kind: "continue"; readonly challenge: string }
  | { readonly kind: "failed"; readonly reason: RefusalReason; readonly retryAfterMs?: number };

export type Authentication =
  | Exclude<Verdict, { readonly kind: "failed" }>
  | {
      readonly kind: "refused";
      readonly reason: RefusalReason;
      /** Values of WWW-Authenticate, in order; each a header of its own. */
      readonly challenges: readonly string[];
      readonly retryAfterMs: number | undefined;
    };

/** A way to sign in that is announced by the first word of the Authorization header. */
export interface SignInScheme {
  /** In lower case. */
  readonly word: string;
  /** The value of WWW-Authenticate that offers it. */
  readonly offer: string;
  /** Signs in a connection rather than a request: of no use where connections are shared. */
  readonly bindsConnection: boolean;
  /** At once, without a promise, wherever it can be. Never rejects, never throws. */
  authenticate(header: string, request: SignInRequest): Verdict | Promise<Verdict>;
}

/** Whose a connection is, by what it has shown before. */
export interface StandingIdentity {
  callerOf(request: SignInRequest): Caller | undefined;
  /** Somebody signs in on it, again or otherwise: what a handshake has shown before does not count any more. */
  forget(socket: Socket): void;
}

export interface CallerAuthenticatorParts {
  /** In the order in which they are offered; clients take the first they know, or the strongest. */
  readonly schemes: readonly SignInScheme[];
  /** The first that names somebody counts. */
  readonly standing: readonly StandingIdentity[];
  /** Whether this connection carries the requests of more than one caller. */
  readonly sharesConnection: (request: SignInRequest) => boolean;
}

export class CallerAuthenticator {
  readonly #schemes: ReadonlyMap<string, SignInScheme>;
  readonly #parts: CallerAuthenticatorParts;
  readonly #offers: readonly string[];
  readonly #offersWhenShared: readonly string[];

  constructor(parts: CallerAuthenticatorParts) {
    this.#parts = parts;
    this.#schemes = new Map(parts.schemes.map((scheme) => [scheme.word, scheme]));
    this.#offers = parts.schemes.map(({ offer }) => offer);
    this.#offersWhenShared = parts.schemes.filter(({ bindsConnection }) => !bindsConnection).map(({ offer }) => offer);
  }

  /** Settles at once, without a promise, for whoever has been seen before on this connection. */
  authenticate(request: SignInRequest): Authentication | Promise<Authentication> {
    const header = request.headers.authorization;
    if (header === undefined) return this.#byConnection(request);
    const space = header.indexOf(" ");
    const scheme = this.#schemes.get((space < 0 ? header : header.slice(0, space)).toLowerCase());
    for (const one of this.#parts.standing) one.forget(request.socket);
    if (scheme === undefined) return this.#refused("unknown-scheme", request);
    if (scheme.bindsConnection && this.#parts.sharesConnection(request)) {
      return this.#refused("shared-connection", request);
    }
    const verdict = scheme.authenticate(header, request);
    return verdict instanceof Promise
      ? verdict.then((late) => this.#told(late, request))
      : this.#told(verdict, request);
  }

  #byConnection(request: SignInRequest): Authentication {
    const { standing, sharesConnection } = this.#parts;
    if (standing.length > 0 && sharesConnection(request)) {
      for (const one of standing) one.forget(request.socket);
      return this.#refused("no-credentials", request);
    }
    for (const one of standing) {
      const caller = one.callerOf(request);
      if (caller !== undefined) return { kind: "known", caller };
    }
    return this.#refused("no-credentials", request);
  }

  #told(verdict: Verdict, request: SignInRequest): Authentication {
    return verdict.kind === "failed" ? this.#refused(verdict.reason, request, verdict.retryAfterMs) : verdict;
  }

  #refused(reason: RefusalReason, request: SignInRequest, retryAfterMs?: number): Authentication {
    const challenges = this.#parts.sharesConnection(request) ? this.#offersWhenShared : this.#offers;
    return { kind: "refused", reason, challenges, retryAfterMs };
  }
}
