/**
 * Decides with which public keys an issuer's tokens are checked, and when they are fetched:
 * when nobody has them yet, in the background when they are old, and when a token names a
 * key that is not among them, but not oftener than a pause allows, so that made-up names
 * cause no calls. What was fetched last counts on while the issuer cannot be reached.
 *
 * Knows no token and no caller.
 */

import { readFile } from "node:fs/promises";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { Agent, type Dispatcher, request } from "undici";

export type KeySource =
  | { readonly file: string }
  | {
      readonly url: URL;
      /** Certificates in PEM, in place of the system's authorities. */
      readonly ca?: string | undefined;
    };

/** The issuer's keys cannot be had. The text says why, without any secret. */
export class KeysUnavailable extends Error {
  constructor(why: string) {
    super(why);
    this.name = "KeysUnavailable";
  }
}

export interface SigningKeysParts {
  readonly source: KeySource;
  readonly now: () => number;
  /** For the log: what went wrong when keys were fetched. */
  readonly onProblem: (problem: string) => void;
}

type KeyOf = ReturnType<typeof createLocalJWKSet>;

const FRESH_MS = 10 * 60_000;
/** A key withdrawn by an issuer that cannot be reached is believed for this long. */
const USABLE_MS = 24 * 3_600_000;
const PAUSE_MS = 30_000;
/** While there are none at all. */
const SHORT_PAUSE_MS = 5_000;
const TIMEOUT_MS = 5_000;
const MOST_BYTES = 1 << 20;

export class SigningKeys {
  readonly #parts: SigningKeysParts;
  readonly #dispatcher: Dispatcher | undefined;
  #keys: { readonly keyOf: KeyOf; readonly ids: ReadonlySet<string>; readonly at: number } | undefined;
  #fetching: Promise<void> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SigningKeysParts) {
    this.#parts = parts;
    const { source } = parts;
    const connect = "url" in source && source.ca !== undefined ? { ca: source.ca } : {};
    this.#dispatcher =
      "url" in source
        ? new Agent({ connect, connections: 1, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
        : undefined;
  }

  /** For jose: the key a token was signed with. Rejects with {@link KeysUnavailable}, or with jose's own when there is none. */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    await this.#prepare(header.kid);
    const { now } = this.#parts;
    if (this.#keys === undefined || now() - this.#keys.at > USABLE_MS) throw new KeysUnavailable("no keys yet");
    return this.#keys.keyOf(header, token);
  };

  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  async #prepare(kid: string | undefined): Promise<void> {
    const age = this.#keys === undefined ? Number.POSITIVE_INFINITY : this.#parts.now() - this.#keys.at;
    if (age > USABLE_MS || (kid !== undefined && this.#keys?.ids.has(kid) === false)) await this.#refresh();
    else if (age > FRESH_MS) void this.#refresh();
  }

  /** Never rejects. */
  #refresh(): Promise<void> {
    const { now, onProblem } = this.#parts;
    if (this.#fetching !== undefined) return this.#fetching;
    if (now() - this.#triedAt < (this.#keys === undefined ? SHORT_PAUSE_MS : PAUSE_MS)) return Promise.resolve();
    this.#triedAt = now();
    this.#fetching = this.#fetch()
      .then(
        (set) => {
          const ids = new Set(set.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])));
          this.#keys = { keyOf: createLocalJWKSet(set), ids, at: now() };
        },
        (error: Error & { code?: string }) => onProblem(error.code ?? error.message),
      )
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  async #fetch(): Promise<JSONWebKeySet> {
    const { source } = this.#parts;
    return publicKeysIn("file" in source ? await readFile(source.file, "utf8") : await this.#download(source.url));
  }

  /** Redirects are not followed: keys come from where the configuration says. */
  async #download(url: URL): Promise<string> {
    const dispatcher = this.#dispatcher as Dispatcher;
    const { statusCode, body } = await request(url, {
      dispatcher,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new KeysUnavailable(`HTTP ${statusCode} in place of keys`);
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > MOST_BYTES) throw new KeysUnavailable("more than a key set can be");
    }
    return Buffer.concat(chunks).toString("utf8");
  }
}

/** Of a key set, the keys that can check and cannot sign: a secret in it would let anybody who reads it make tokens. */
function publicKeysIn(text: string): JSONWebKeySet {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new KeysUnavailable("not JSON in place of keys");
  }
  const keys = (set as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new KeysUnavailable("no key set");
  const asymmetric = keys.filter((key) => typeof key === "object" && key !== null && key.kty !== "oct");
  if (asymmetric.length === 0) throw new KeysUnavailable("no public key in the key set");
  return { keys: asymmetric } as JSONWebKeySet;
}
