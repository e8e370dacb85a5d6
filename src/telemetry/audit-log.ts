/**
 * Decides what is kept of who asked about whom: one line per lookup, in a stream of its own,
 * with the caller, where it asked from, and of each mailbox how much was shown or why
 * nothing was. Nothing out of anybody's calendar, and no credentials.
 *
 * Addresses are plain, or an HMAC-SHA-256 under a configured secret, of which the first 32
 * hex digits count: whoever has the secret finds a person's lines, and nobody else can
 * guess them.
 */

import { createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";
import pino, { type DestinationStream, type Logger } from "pino";
import type { AccountObserver } from "../proxy/account-observer.js";
import type { LookupObserver, LookupOutcome, MailboxOutcome } from "../proxy/lookup-observer.js";
import type { DirectoryObserver } from "../proxy/mailbox-directory.js";

/** `hmacKey` undefined: addresses are plain. */
export interface AuditLogParts {
  readonly stream: DestinationStream;
  readonly hmacKey: string | undefined;
}

const LONGEST_ADDRESS = 320;
const HASH_DIGITS = 32;

export class AuditLog implements LookupObserver, DirectoryObserver, AccountObserver {
  readonly #log: Logger;
  readonly #hmacKey: string | undefined;
  // The same people are asked about all day.
  readonly #hashes = new LRUCache<string, string>({ max: 10_000 });

  constructor({ stream, hmacKey }: AuditLogParts) {
    this.#log = pino(
      { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: () => ({ kind: "audit" }) } },
      stream,
    );
    this.#hmacKey = hmacKey;
  }

  lookupAnswered({ id, caller, origin, source, mailboxes }: LookupOutcome): void {
    this.#log.info({
      id,
      caller,
      origin: origin ?? "none",
      source: source ?? "unknown",
      mailboxes: mailboxes.map((mailbox) => this.#mailbox(mailbox)),
    });
  }

  backendAsked(): void {}

  requestRefused(): void {}

  directoryRead(): void {}

  accountChanged(): void {}

  unexpected(): void {}

  #mailbox({ mailbox, delivered, failure }: MailboxOutcome) {
    return { mailbox: this.#named(mailbox), detail: delivered ?? "none", outcome: failure?.reason ?? "answered" };
  }

  #named(mailbox: string): string {
    const text = mailbox.slice(0, LONGEST_ADDRESS);
    if (this.#hmacKey === undefined) return text;
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = createHmac("sha256", this.#hmacKey).update(text).digest("hex").slice(0, HASH_DIGITS);
      this.#hashes.set(text, hash);
    }
    return hash;
  }
}
