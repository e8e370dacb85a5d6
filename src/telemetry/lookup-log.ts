/**
 * Decides what the log says: one line per lookup, with routes, cache outcomes, timings
 * and reasons; never a password, a subject or a header. Addresses are hashed unless the
 * configuration says otherwise: see told-addresses.ts.
 */

import type { Logger } from "pino";
import type { AccountChange, AccountObserver } from "../proxy/account-observer.js";
import type { EndpointObserver, EndpointStanding } from "../proxy/endpoint-observer.js";
import type {
  BackendCallOutcome,
  LookupObserver,
  LookupOutcome,
  MailboxOutcome,
  RefusedRequest,
} from "../proxy/lookup-observer.js";
import type { DirectoryObserver, DirectoryReading } from "../proxy/mailbox-directory.js";
import { FrequentLine } from "./frequent-line.js";
import { hashed } from "./told-addresses.js";

export class LookupLog implements LookupObserver, DirectoryObserver, AccountObserver, EndpointObserver {
  readonly #log: Logger;
  readonly #lookup: FrequentLine;
  readonly #address: (text: string) => string;

  constructor(log: Logger, addresses: "hashed" | "plain") {
    this.#log = log;
    this.#lookup = new FrequentLine(log, "lookup");
    this.#address = addresses === "plain" ? (text) => text : hashed;
  }

  lookupAnswered(outcome: LookupOutcome): void {
    const { id, caller, origin, windowMs, durationMs, mailboxes } = outcome;
    const failures = mailboxes.filter(({ failure }) => failure !== undefined).length;
    this.#lookup.write({
      id,
      caller,
      origin: origin ?? "none",
      windowHours: Math.round(windowMs / 360_000) / 10,
      ms: rounded(durationMs),
      failures,
      mailboxes: mailboxes.map((mailbox) => this.#mailbox(mailbox)),
    });
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

  snapshotFailed(directory: string, problem: string): void {
    this.#log.warn({ directory, problem }, "directory snapshot not used or not written");
  }

  membersNotRead(directory: string, problem: string): void {
    this.#log.warn({ directory, problem: this.#withoutAddresses(problem) }, "members of a group not read");
  }

  directoryRead({ durationMs, problem, ...reading }: DirectoryReading): void {
    const fields = { ...reading, ms: rounded(durationMs) };
    if (problem === undefined) this.#log.info(fields, "directory read");
    else
      this.#log.warn(
        { ...fields, problem: this.#withoutAddresses(problem) },
        "directory not read; what it held before stays",
      );
  }

  accountChanged(backend: string, { kind, account, until, problem, secret, heard }: AccountChange): void {
    const to = until && new Date(until).toISOString();
    const fields = { backend, account, problem, secret, until: to, ...(heard && { from: "another gateway" }) };
    if (kind === "accepted") this.#log.info(fields, "service account accepted");
    else if (kind === "paused") this.#log.warn(fields, "service account throttled; left alone");
    else this.#log.error(fields, "service account refused; set aside so that it is not locked");
  }

  endpointChanged(backend: string, { name, circuit, problem }: EndpointStanding): void {
    const fields = { backend, endpoint: name, problem };
    if (circuit === "closed") this.#log.info(fields, "endpoint answers again");
    else if (circuit === "open") this.#log.error(fields, "endpoint failed again and again; left alone");
    else this.#log.info(fields, "endpoint is tried");
  }

  unexpected(what: string, error: unknown): void {
    this.#log.error({ err: error }, what);
  }

  /** A problem may quote what it found in a file. */
  #withoutAddresses(text: string): string {
    return text.replace(/[^\s'"]+@[^\s'"]+/g, (address) => this.#address(address));
  }

  #mailbox({ mailbox, rule, backend, cache, delivered, failure, asOf }: MailboxOutcome) {
    return {
      mailbox: this.#address(mailbox),
      rule,
      backend,
      cache,
      asOf: asOf && new Date(asOf).toISOString(),
      delivered,
      reason: failure?.reason,
      code: failure?.code,
      detail: failure?.detail,
    };
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
