/**
 * Decides who is asking, from a signed token (RFC 6750, RFC 7519): one that a configured
 * issuer made for this gateway, with a signature that only the issuer can make, that is
 * valid now, and that names a configured caller in the claim configured for it.
 *
 * Tokens of other issuers end here before anybody is asked for a key. A token is remembered
 * as an HMAC, and only as long as it is valid. Never logged.
 */

import { createHmac, randomBytes } from "node:crypto";
import { decodeJwt, type JWTPayload, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { Caller } from "../proxy/asking.js";
import type { SignInRequest, SignInScheme, Verdict } from "./caller-authentication.js";
import { LastHeader } from "./per-connection.js";
import { KeysUnavailable, type SigningKeys } from "./signing-keys.js";

export interface TokenIssuer {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  /** Any of these in `aud`. */
  readonly audience: readonly string[];
  readonly keys: Pick<SigningKeys, "keyOf">;
  /** How far the issuer's clock may be from ours, in seconds. */
  readonly skewSeconds: number;
}

export interface TokenIdentity {
  readonly caller: Caller;
  readonly issuer: string;
  /** "sub", "azp", "appid", …; compared as it is, case included. */
  readonly claim: string;
  readonly value: string;
}

export interface BearerAuthenticationParts {
  readonly issuers: readonly TokenIssuer[];
  readonly identities: readonly TokenIdentity[];
  /** Milliseconds since 1970, by the wall clock: tokens say until when they are valid. */
  readonly now: () => number;
}

interface Known {
  readonly verdict: Extract<Verdict, { readonly kind: "known" }>;
  readonly until: number;
}

/** Signatures only the issuer can make: "none" and secrets shared with it are not among them. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const REMEMBERED = 1_000;
const BAD_TOKEN: Verdict = { kind: "failed", reason: "bad-token" };

export class BearerAuthentication implements SignInScheme {
  readonly word = "bearer";
  readonly offer = 'Bearer realm="free/busy"';
  readonly bindsConnection = false;
  readonly #issuers: ReadonlyMap<string, TokenIssuer>;
  readonly #identities: readonly TokenIdentity[];
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  readonly #remembered = new LRUCache<string, Known>({ max: REMEMBERED });
  readonly #last = new LastHeader<Known>();

  constructor({ issuers, identities, now }: BearerAuthenticationParts) {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
    this.#identities = identities;
    this.#now = now;
  }

  authenticate(header: string, { socket }: SignInRequest): Verdict | Promise<Verdict> {
    const last = this.#last.known(socket, header);
    if (last !== undefined) return last.until > this.#now() ? last.verdict : BAD_TOKEN;
    const token = /^bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i.exec(header)?.[1];
    if (token === undefined) return BAD_TOKEN;
    const mark = createHmac("sha256", this.#key).update(token).digest("base64");
    const known = this.#remembered.get(mark);
    if (known === undefined) return this.#check(token, mark);
    if (known.until <= this.#now()) return BAD_TOKEN;
    this.#last.remember(socket, header, known);
    return known.verdict;
  }

  async #check(token: string, mark: string): Promise<Verdict> {
    try {
      // Claimed so far, and good only for finding whose keys to try.
      const issuer = this.#issuers.get(decodeJwt(token).iss ?? "");
      if (issuer === undefined) return BAD_TOKEN;
      const { payload } = await jwtVerify(token, issuer.keys.keyOf, {
        issuer: issuer.issuer,
        audience: [...issuer.audience],
        algorithms: ALGORITHMS,
        clockTolerance: issuer.skewSeconds,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#now()),
      });
      const caller = this.#callerOf(payload);
      if (caller === undefined) return BAD_TOKEN;
      const until = ((payload.exp as number) + issuer.skewSeconds) * 1000;
      const verdict = { kind: "known", caller } as const;
      this.#remembered.set(mark, { verdict, until });
      return verdict;
    } catch (error) {
      return error instanceof KeysUnavailable ? { kind: "failed", reason: "keys-unavailable" } : BAD_TOKEN;
    }
  }

  #callerOf(payload: JWTPayload): Caller | undefined {
    const found = this.#identities.find(
      ({ issuer, claim, value }) => issuer === payload.iss && Object.hasOwn(payload, claim) && payload[claim] === value,
    );
    return found?.caller;
  }
}
