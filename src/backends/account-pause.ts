/**
 * Decides until when an account is left alone because the backend throttles it, and that the
 * first request after that goes alone. What another gateway was told counts like what was
 * told here, but is not told on.
 */

import { type InstantMs, instant } from "../availability/time-window.js";
import { LONGEST_PAUSE_MS, pauseFor } from "./throttling.js";

/** Gateways that are throttled together hear the same of each other: so little more is no news. */
const NO_NEWS_MS = 1_000;

export class AccountPause {
  readonly #now: () => InstantMs;
  readonly #over: () => void;
  #until: InstantMs = instant(0);
  #timer: NodeJS.Timeout | undefined;
  #careful = false;
  #heard = false;
  #unexplained = 0;

  /** `over`: called at the end of a pause. */
  constructor(now: () => InstantMs, over: () => void) {
    this.#now = now;
    this.#over = over;
  }

  /** Undefined when there is none. */
  get until(): InstantMs | undefined {
    return this.#now() < this.#until ? this.#until : undefined;
  }

  /** Whether requests go one by one. */
  get careful(): boolean {
    return this.#careful;
  }

  /** Whether it is another gateway that was told. */
  get heard(): boolean {
    return this.#heard;
  }

  /** The new end, if it is a later one. Undefined ms: the backend did not say for how long, then longer each time. */
  begin(told: number | undefined): InstantMs | undefined {
    this.#careful = true;
    // Those that were sent at the same time are told the same.
    const unexplained = told === undefined && this.until === undefined;
    const ms = pauseFor(told, unexplained ? this.#unexplained++ : Math.max(0, this.#unexplained - 1));
    return this.#extend(ms, 0, false);
  }

  /** The new end, if it is a later one. */
  hear(ms: number): InstantMs | undefined {
    if (!(ms > 0)) return undefined;
    this.#careful = true;
    return this.#extend(Math.min(ms, LONGEST_PAUSE_MS), NO_NEWS_MS, true);
  }

  slowDown(): void {
    this.#careful = true;
  }

  /** A request was served without complaint. True: they need not go one by one any more. */
  served(): boolean {
    this.#unexplained = 0;
    if (!this.#careful || this.until !== undefined) return false;
    this.#careful = false;
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #extend(ms: number, byMoreThan: number, heard: boolean): InstantMs | undefined {
    const until = instant(this.#now() + ms);
    if (until <= this.#until + (this.until === undefined ? 0 : byMoreThan)) return undefined;
    this.#until = until;
    this.#heard = heard;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#over, ms).unref();
    return until;
  }
}
