/** Decides nothing: tells several observers the same. */

import type { BackendCallOutcome, LookupObserver, LookupOutcome, RefusedRequest } from "../proxy/lookup-observer.js";

export class Observers implements LookupObserver {
  readonly #all: readonly LookupObserver[];

  constructor(...all: readonly LookupObserver[]) {
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

  unexpected(what: string, error: unknown): void {
    for (const one of this.#all) one.unexpected(what, error);
  }
}
