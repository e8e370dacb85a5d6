/**
 * Decides whether a password matches a stored hash, and what is checked in the place of the
 * hash of an account that does not exist: one that costs the same and that nothing matches.
 */

import { createHmac, randomBytes } from "node:crypto";
import { verify as argon2Verify } from "@node-rs/argon2";
import { scryptMatches } from "./scrypt-hash.js";

export type PasswordCheck = (stored: string, password: string) => Promise<boolean>;

/** False for a hash that cannot be read, too. Never rejects. */
export async function hashMatches(stored: string, password: string): Promise<boolean> {
  try {
    return stored.startsWith("$scrypt$") ? await scryptMatches(stored, password) : await argon2Verify(stored, password);
  } catch {
    return false;
  }
}

/** What a hash of argon2 with the usual parameters looks like, for when no account has one. */
const USUAL = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/**
 * Hashes of nobody's password, with the parameters of the ones in use. Where accounts differ in theirs, names that do
 * not exist do, too, and each always in the same way.
 */
export class DecoyHashes {
  readonly #key = randomBytes(32);
  readonly #decoys: readonly string[];

  constructor(stored: readonly string[]) {
    this.#decoys = (stored.length === 0 ? [USUAL] : stored).map(decoyLike);
  }

  for(name: string): string {
    const chosen = createHmac("sha256", this.#key).update(name).digest().readUInt32LE() % this.#decoys.length;
    return this.#decoys[chosen] as string;
  }
}

/** The same parameters, with a salt and a hash of their own, as long as before. */
function decoyLike(stored: string): string {
  const parts = stored.split("$");
  const salt = parts.length - 2;
  return parts.map((part, i) => (i < salt ? part : randomLike(part))).join("$");
}

function randomLike(base64: string): string {
  return randomBytes(Buffer.from(base64, "base64").length).toString("base64").replace(/=+$/, "");
}
