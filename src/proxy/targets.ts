/**
 * Decides what is worked on once, however often it is named: the same mailbox, and the same
 * group. Two aliases of a mailbox are two targets, because what is found out on the way may
 * part them; they are still asked about once.
 *
 * Pure.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import type { Route } from "./route-mailbox.js";

export interface Target {
  readonly asked: AskedMailbox;
  readonly route: Route;
}

export interface Distinct<Item> {
  readonly once: readonly Item[];
  /** For every position of the list, where its like is in `once`. */
  readonly indexOf: readonly number[];
}

/** What is in a list once, in order. */
export function distinct<Item>(all: readonly Item[], keyOf: (item: Item) => string): Distinct<Item> {
  if (all.length === 1) return { once: all, indexOf: [0] };
  const once: Item[] = [];
  const seen = new Map<string, number>();
  const indexOf = all.map((item) => {
    const key = keyOf(item);
    let index = seen.get(key);
    if (index === undefined) {
      index = once.push(item) - 1;
      seen.set(key, index);
    }
    return index;
  });
  return { once, indexOf };
}

export function distinctTargets(all: readonly Target[]): Distinct<Target> {
  // No canonical address holds a colon.
  return distinct(all, ({ asked: { address, text, routingType } }) => address ?? `${routingType}:${text}`);
}
