/**
 * Decides when observers are told: of lookups in batches, after the answers have gone out.
 * A batch is told several times faster than its lookups one by one between requests, because
 * the code and data of telling stay at hand; nobody who waits for an answer waits for it.
 */

import type { AccountChange, AccountObserver } from "../proxy/account-observer.js";
import type { EndpointObserver, EndpointStanding } from "../proxy/endpoint-observer.js";
import type { BackendCallOutcome, LookupObserver, LookupOutcome, RefusedRequest } from "../proxy/lookup-observer.js";
import type { DirectoryObserver, DirectoryReading } from "../proxy/mailbox-directory.js";

export type Observer = LookupObserver & DirectoryObserver & AccountObserver & Partial<EndpointObserver>;

const BATCH = 64;
/** How late a lookup is told at most, in milliseconds. */
const LATEST_MS = 50;

export class Observers implements LookupObserver, DirectoryObserver, AccountObserver, EndpointObserver {
  readonly #all: readonly Observer[];
  #untold: LookupOutcome[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(...all: readonly Observer[]) {
    this.#all = all;
  }

  lookupAnswered(outcome: LookupOutcome): void {
    this.#untold.push(outcome);
    if (this.#untold.length === BATCH) setImmediate(() => this.flush());
    else this.#timer ??= setTimeout(() => this.flush(), LATEST_MS);
  }

  /** Tells everything that is untold. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const outcomes = this.#untold;
    this.#untold = [];
    for (const one of this.#all) for (const outcome of outcomes) one.lookupAnswered(outcome);
  }

  backendAsked(outcome: BackendCallOutcome): void {
    for (const one of this.#all) one.backendAsked(outcome);
  }

  requestRefused(refused: RefusedRequest): void {
    for (const one of this.#all) one.requestRefused(refused);
  }

  directoryRead(reading: DirectoryReading): void {
    for (const one of this.#all) one.directoryRead(reading);
  }

  snapshotFailed(directory: string, problem: string): void {
    for (const one of this.#all) one.snapshotFailed?.(directory, problem);
  }

  membersNotRead(directory: string, problem: string): void {
    for (const one of this.#all) one.membersNotRead?.(directory, problem);
  }

  accountChanged(backend: string, change: AccountChange): void {
    for (const one of this.#all) one.accountChanged(backend, change);
  }

  endpointChanged(backend: string, standing: EndpointStanding): void {
    for (const one of this.#all) one.endpointChanged?.(backend, standing);
  }

  unexpected(what: string, error: unknown): void {
    for (const one of this.#all) one.unexpected(what, error);
  }
}
