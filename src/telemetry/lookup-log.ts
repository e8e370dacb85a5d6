/**
 * Decides what the log says: one line per lookup, with routes, cache outcomes, timings
 * and reasons; never a password, a subject or a header. Addresses are hashed unless the
 * configuration says otherwise: the first 12 hex digits of their SHA-256, so that
 * `printf %s bob@corp.example | sha256sum` finds a person's lines.
 */

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type {
  BackendCallOutcome,
  LookupObserver,
  LookupOutcome,
  MailboxOutcome,
  RefusedRequest,
} from "../proxy/lookup-observer.js";

export class LookupLog implements LookupObserver {
  readonly #log: Logger;
  readonly #address: (text: string) => string;

  constructor(log: Logger, addresses: "hashed" | "plain") {
    this.#log = log;
    this.#address = addresses === "plain" ? (text) => text : hashed;
  }

  lookupAnswered(outcome: LookupOutcome): void {
    const { id, caller, origin, windowMs, durationMs, mailboxes } = outcome;
    const failures = mailboxes.filter(({ failure }) => failure !== undefined).length;
    this.#log.info(
      {
        id,
        caller,
        origin: origin ?? "none",
        windowHours: Math.round(windowMs / 360_000) / 10,
        ms: rounded(durationMs),
        failures,
        mailboxes: mailboxes.map((mailbox) => this.#mailbox(mailbox)),
      },
      "lookup",
    );
  }

  backendAsked({ backend, mailboxes, durationMs, failures }: BackendCallOutcome): void {
    const first = failures[0];
    const fields = { backend, mailboxes, ms: rounded(durationMs), failures: failures.length };
    if (first === undefined) this.#log.debug(fields, "backend asked");
    else {
      const { reason, code, detail, retryAfterMs } = first;
      const level = reason === "mailbox-not-found" || reason === "no-access" ? "debug" : "warn";
      this.#log[level]({ ...fields, reason, code, detail, retryAfterMs }, "backend failed");
    }
  }

  requestRefused(refused: RefusedRequest): void {
    this.#log.warn({ ...refused }, "request refused");
  }

  unexpected(what: string, error: unknown): void {
    this.#log.error({ err: error }, what);
  }

  #mailbox({ mailbox, rule, backend, cache, delivered, failure }: MailboxOutcome) {
    return {
      mailbox: this.#address(mailbox),
      // A rule may name a mailbox; then it is treated as one.
      rule: rule.startsWith("mailbox ") ? `mailbox ${this.#address(rule.slice(8))}` : rule,
      backend,
      cache,
      delivered,
      reason: failure?.reason,
      code: failure?.code,
      detail: failure?.detail,
    };
  }
}

// The same people are asked about all day.
const hashes = new LRUCache<string, string>({ max: 10_000 });

function hashed(text: string): string {
  let hash = hashes.get(text);
  if (hash === undefined) {
    hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
    if (text.length <= 320) hashes.set(text, hash);
  }
  return hash;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
