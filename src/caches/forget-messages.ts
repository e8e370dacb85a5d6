/**
 * Decides how gateways tell each other what to forget: the keys, sealed, a thousand in a
 * message, and by whom, so that nobody forgets what it has learnt anew because of its own words.
 */

import { ByteReader, ByteWriter } from "./byte-writer.js";
import type { SealedValues } from "./sealed-values.js";

const VERSION = 1;
const KEYS_IN_A_MESSAGE = 1_000;
/** Messages are bound to their channel as values are to their key, which always has NULs. */
const BOUND_TO = "forget";

export interface Forgetting {
  readonly keys: readonly string[];
  /** Told with the secret that is on its way in or out. */
  readonly byOther: boolean;
}

export class ForgetMessages {
  readonly #sealed: SealedValues;
  readonly #sender: string;

  constructor(sealed: SealedValues, sender: string) {
    this.#sealed = sealed;
    this.#sender = sender;
  }

  write(keys: readonly string[]): Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < keys.length; at += KEYS_IN_A_MESSAGE) {
      messages.push(this.#message(keys.slice(at, at + KEYS_IN_A_MESSAGE)));
    }
    return messages;
  }

  read(message: Buffer): Forgetting | "own" | "unreadable" {
    try {
      const opened = this.#sealed.open(message, BOUND_TO);
      if (opened === undefined) return "unreadable";
      const from = new ByteReader(opened.bytes);
      if (from.byte() !== VERSION) return "unreadable";
      if (from.text() === this.#sender) return "own";
      const keys = Array.from({ length: from.count() }, () => from.text());
      from.end();
      return { keys, byOther: opened.byOther };
    } catch {
      return "unreadable";
    }
  }

  #message(keys: readonly string[]): Buffer {
    const to = new ByteWriter();
    to.byte(VERSION);
    to.text(this.#sender);
    to.integer(keys.length);
    for (const key of keys) to.text(key);
    return this.#sealed.seal(to.finished(), BOUND_TO);
  }
}
