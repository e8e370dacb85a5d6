/**
 * Decides what a shared cache gets to see: names that are HMACs, and values under
 * AES-256-GCM, so that whoever reads it, its backups or the network learns neither who is
 * asked about nor anything of their time. A value is bound to the key it was kept under:
 * one that is put in another's place does not open.
 *
 * Two secrets may be accepted, for the time in which one follows the other. What was sealed
 * with neither, or changed, or is of another form, does not open; there is no error to tell
 * these apart by.
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const FORM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

interface Keys {
  readonly seal: Buffer;
  readonly name: Buffer;
}

export interface Opened {
  readonly bytes: Buffer;
  /** Sealed with the other secret than the one used here. */
  readonly byOther: boolean;
}

export class SealedValues {
  readonly #current: Keys;
  readonly #all: readonly Keys[];

  /** `other`: a secret that others seal with, because it is on its way in or out. */
  constructor(secret: string, other: string | undefined) {
    this.#current = keysOf(secret);
    this.#all = other === undefined ? [this.#current] : [this.#current, keysOf(other)];
  }

  /** The names a key may have, the one to write under first: one, or two while there are two secrets. */
  namesOf(key: string): readonly string[] {
    return this.#all.map(({ name }) => createHmac("sha256", name).update(key).digest("base64url").slice(0, 32));
  }

  seal(bytes: Buffer, key: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#current.seal, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(key));
    return Buffer.concat([Buffer.from([FORM]), nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** Undefined when it does not open. */
  open(sealed: Buffer, key: string): Opened | undefined {
    if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== FORM) return undefined;
    for (const keys of this.#all) {
      const decipher = createDecipheriv("aes-256-gcm", keys.seal, sealed.subarray(1, HEADER_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(key));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        const bytes = Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
        return { bytes, byOther: keys !== this.#current };
      } catch {
        // Not with this secret.
      }
    }
    return undefined;
  }
}

function keysOf(secret: string): Keys {
  const derived = (use: string) => Buffer.from(hkdfSync("sha256", secret, "freebusy shared cache", use, 32));
  return { seal: derived("seal"), name: derived("name") };
}
