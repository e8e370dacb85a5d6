/**
 * Decides which answers ask us to come back later, and how long "later" is believed to be.
 * Pure.
 */

import { type InstantMs, instant } from "../availability/time-window.js";
import type { HttpAnswer } from "./http-channel.js";

/** When nobody says how long. */
export const DEFAULT_PAUSE_MS = 5_000;
/** Exchange's back-off goes up to this; a longer one is a mistake, or somebody who wants us silent. */
export const LONGEST_PAUSE_MS = 300_000;

/** Twice the one before, up to this. */
const LONGEST_UNEXPLAINED_PAUSE_MS = 60_000;

/** Whether the sender of this answer wants to be left alone. */
export function throttles({ status }: HttpAnswer): boolean {
  return status === 429 || status === 503;
}

/** For how long, in its own words, in milliseconds; undefined where it does not say. */
export function toldPause(answer: HttpAnswer, now: InstantMs): number | undefined {
  return retryAfterMs(answer.retryAfter, now);
}

/** What was asked for, within reason; where nothing was, by the number of such pauses before, with nothing served between. */
export function pauseFor(told: number | undefined, unexplained: number): number {
  if (told === undefined || !Number.isFinite(told) || told < 0) {
    return Math.min(DEFAULT_PAUSE_MS * 2 ** Math.min(unexplained, 8), LONGEST_UNEXPLAINED_PAUSE_MS);
  }
  return Math.min(told, LONGEST_PAUSE_MS);
}

/** What a server says that wants to be left alone for so long. */
export function busyFor(ms: number): HttpAnswer {
  return {
    status: 503,
    contentType: "",
    retryAfter: String(Math.max(0, Math.ceil(ms / 1000))),
    location: undefined,
    contentEncoding: undefined,
    body: Buffer.alloc(0),
  };
}

/** Retry-After (RFC 9110 §10.2.3): seconds, or a date. */
function retryAfterMs(header: string | undefined, now: InstantMs): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, instant(at) - now);
}
