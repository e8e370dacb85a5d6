/**
 * Decides how a host's name becomes addresses for all connections to backends and to whoever
 * grants tokens: one look-up of a name at a time, whose answer everybody gets who wants it
 * meanwhile. Nothing is kept. Node looks names up on few threads, and a name whose servers are
 * silent would take one for every connection that is tried.
 *
 * Knows neither what is connected nor for how long it is waited.
 */

import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";

type Told = Parameters<LookupFunction>[2];

/** As `resolve` does it, which must not call back at once. */
export function shared(resolve: LookupFunction): LookupFunction {
  const underWay = new Map<string, Told[]>();
  return (name, options, told) => {
    const question = JSON.stringify([name, options]);
    const waiting = underWay.get(question);
    if (waiting !== undefined) {
      waiting.push(told);
      return;
    }
    const all = [told];
    underWay.set(question, all);
    resolve(name, options, (...answer) => {
      underWay.delete(question);
      for (const one of all) one(...answer);
    });
  };
}

export const sharedLookup = shared(lookup);
