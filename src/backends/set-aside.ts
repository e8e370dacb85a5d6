/**
 * Decides how long an account is left alone after all its secrets were refused: five
 * minutes, then twice as long each time, half an hour at most. Active Directory counts wrong
 * passwords, often five in half an hour; a gateway that never tires would keep the account locked.
 *
 * Of several gateways, the one that was refused tries first when the time is over: the others
 * wait a little longer, each a different time, and most often hear before that how it went.
 *
 * Pure but for what it remembers.
 */

import { type InstantMs, instant } from "../availability/time-window.js";
import type { HttpAnswer } from "./http-channel.js";
import { TokenError } from "./token-source.js";

/** Why a secret is not accepted. */
export interface Refusal {
  readonly answer: HttpAnswer;
  /** "HTTP 401", or what whoever grants tokens says. */
  readonly problem: string;
  /** Whether whoever refused counts refusals, as the backend itself does. */
  readonly counted: boolean;
}

const FIRST_MS = 300_000;
/** For who locks nobody out, as most who grant tokens. */
const UNCOUNTED_MS = 60_000;
const LONGEST_MS = 1_800_000;
/** How much longer than whoever was refused, at least and at most. */
const HEARD_LATER_MS = [10_000, 60_000] as const;

export class SetAside {
  #refusal: Refusal | undefined;
  #until: InstantMs | undefined;
  #period = 0;
  #heard = false;

  /** The last one, until a secret is accepted again. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  set refusal(refusal: Refusal) {
    this.#refusal = refusal;
  }

  /** Undefined when the account may be asked. */
  until(now: InstantMs): InstantMs | undefined {
    return this.#until !== undefined && now < this.#until ? this.#until : undefined;
  }

  /** Whether a period has been and gone, and no secret has been accepted since. */
  over(now: InstantMs): boolean {
    return this.#until !== undefined && now >= this.#until;
  }

  /** Whether it is another gateway whose secrets were refused. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Another gateway's, with the same secrets, for so long. The new end, if it is a later one. */
  hear(now: InstantMs, ms: number, refusal: Refusal): InstantMs | undefined {
    const bounded = Math.min(Math.max(0, ms), LONGEST_MS);
    if (this.#until !== undefined && now + bounded <= this.#until) return undefined;
    const [least, most] = HEARD_LATER_MS;
    this.#refusal = refusal;
    this.#period = Math.max(this.#period, bounded);
    this.#heard = true;
    this.#until = instant(now + bounded + Math.round(least + Math.random() * (most - least)));
    return this.#until;
  }

  begin(now: InstantMs): InstantMs {
    this.#heard = false;
    if (this.#refusal?.counted) this.#period = Math.max(Math.min(this.#period * 2, LONGEST_MS), FIRST_MS);
    else this.#period = UNCOUNTED_MS;
    this.#until = instant(now + this.#period);
    return this.#until;
  }

  /** A secret was accepted, or there is a new one. */
  end(): void {
    this.#refusal = undefined;
    this.#until = undefined;
    this.#period = 0;
  }
}

/** Undefined when the answer refuses nobody. */
export function refusalIn(answer: HttpAnswer): Refusal | undefined {
  return answer.status === 401 ? { answer, problem: "HTTP 401", counted: true } : undefined;
}

/** A grant's refusal of the secret is as good as the backend's. Undefined for any other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof TokenError) || !error.refused) return undefined;
  return { answer: UNAUTHORIZED, problem: `${error.code}: ${error.detail}`, counted: error.counted };
}

export const UNAUTHORIZED: HttpAnswer = {
  status: 401,
  contentType: "",
  retryAfter: undefined,
  location: undefined,
  contentEncoding: undefined,
  body: Buffer.alloc(0),
};
