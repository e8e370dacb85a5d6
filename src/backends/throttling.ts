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

/** How long to leave the sender of this answer alone, in milliseconds; undefined when it is no throttling. */
export function pauseOf(answer: HttpAnswer, now: InstantMs): number | undefined {
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  return believedPause(retryAfterMs(answer.retryAfter, now));
}

/** What was asked for, within reason. */
export function believedPause(ms: number | undefined): number {
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) return DEFAULT_PAUSE_MS;
  return Math.min(ms, LONGEST_PAUSE_MS);
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
