/** Decides nothing: tells several observers the same. */

import type { BackendCallOutcome, LookupObserver, LookupOutcome, RefusedRequest } from "../proxy/lookup-observer.js";
import type { DirectoryObserver, DirectoryReading } from "../proxy/mailbox-directory.js";

type Observer = LookupObserver & DirectoryObserver;

export class Observers implements Observer {
  readonly #all: readonly Observer[];

  constructor(...all: readonly Observer[]) {
    this.#all = all;
  }

  lookupAnswered(outcome: LookupOutcome): void {
    for (const one of this.#all) one.lookupAnswered(outcome);
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

  unexpected(what: string, error: unknown): void {
    for (const one of this.#all) one.unexpected(what, error);
  }
}
