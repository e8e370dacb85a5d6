/**
 * Decides what is remembered of look-ups for the console: the newest ones, as many as
 * configured, with addresses written as the log writes them, and every text cut short.
 * Synthetic probes are left out: they would push out what people asked.
 */

import { type InstantMs, instant } from "../availability/time-window.js";
import type { AccountObserver } from "../proxy/account-observer.js";
import type { LookupObserver, LookupOutcome, MailboxOutcome } from "../proxy/lookup-observer.js";
import type { DirectoryObserver } from "../proxy/mailbox-directory.js";
import type { RecentLookup, RecentLookups } from "../proxy/recent-lookups.js";
import { PROBE_CALLER } from "../proxy/synthetic-probes.js";
import { hashed } from "./told-addresses.js";

const LONGEST_ADDRESS = 320;
const LONGEST_TEXT = 200;

export class LookupMemory implements RecentLookups, LookupObserver, DirectoryObserver, AccountObserver {
  readonly #most: number;
  readonly #plain: boolean;
  readonly #clock: () => InstantMs;
  /** A ring: the place after the newest is the oldest's. */
  readonly #ring: RecentLookup[] = [];
  #next = 0;

  constructor(most: number, addresses: "hashed" | "plain", clock: () => InstantMs) {
    this.#most = most;
    this.#plain = addresses === "plain";
    this.#clock = clock;
  }

  /** Told late, in batches: when it was is worked out from how long it took, to a twentieth of a second. */
  lookupAnswered(outcome: LookupOutcome): void {
    if (outcome.caller.startsWith(PROBE_CALLER)) return;
    const mailboxes = outcome.mailboxes.map((mailbox) => this.#remembered(mailbox));
    this.#ring[this.#next] = { at: instant(this.#clock() - outcome.durationMs), outcome: { ...outcome, mailboxes } };
    this.#next = (this.#next + 1) % this.#most;
  }

  all(): readonly RecentLookup[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }

  written(address: string): string {
    return this.#plain ? address.slice(0, LONGEST_ADDRESS) : hashed(address);
  }

  backendAsked(): void {}

  requestRefused(): void {}

  directoryRead(): void {}

  accountChanged(): void {}

  unexpected(): void {}

  #remembered({ mailbox, rule, failure, ...rest }: MailboxOutcome): MailboxOutcome {
    const { reason, backend, code } = failure ?? {};
    return {
      ...rest,
      mailbox: this.written(mailbox),
      rule: rule.slice(0, LONGEST_TEXT),
      failure: reason && { reason, backend, code: code?.slice(0, LONGEST_TEXT) },
    };
  }
}
