/**
 * The clocks, and which is for what: the wall clock for what other machines and people say or read, a clock that only
 * runs on for how long something lasts. The wall clock may be set back, by hours where a machine starts with a wrong one.
 */

import { type InstantMs, instant } from "./availability/time-window.js";

/** The wall clock. */
export const instantNow = (): InstantMs => instant(Date.now());

/** The wall clock as it was when the process began, which only runs on since: for pauses, and for tokens that are kept. */
export const steadyNow = (): InstantMs => instant(Math.round(performance.timeOrigin + performance.now()));

/** So much is no step: the two run apart a little while the wall clock is corrected slowly. */
const STEP_MS = 1_000;
const LOOK_EVERY_MS = 1_000;

/** Tells by how many milliseconds the wall clock was set back, within a second. Until what it returns is called. */
export function watchForSetBack(
  tell: (byMs: number) => void,
  wall: () => number = instantNow,
  steady: () => number = steadyNow,
): () => void {
  let ahead = wall() - steady();
  const timer = setInterval(() => {
    const before = ahead;
    ahead = wall() - steady();
    if (before - ahead > STEP_MS) tell(Math.round(before - ahead));
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
