/**
 * Decides which overrides contradict each other: the same address at the same time, with
 * another owner, or known to that owner by another address. Overrides that say the same, or
 * take turns, do not.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { PinnedMailbox } from "./pinned-index.js";
import type { BadLine } from "./written-override.js";

export interface PlacedOverride {
  readonly line: number;
  readonly pinned: PinnedMailbox;
}

/** Of every override that contradicts any, a line with both named. Yields wherever it may be interrupted. */
export function* overrideConflicts(overrides: readonly PlacedOverride[]): Generator<void, BadLine[]> {
  const byAddress = new Map<MailboxAddress, PlacedOverride[]>();
  for (const override of overrides) {
    for (const address of override.pinned.addresses) {
      const others = byAddress.get(address);
      if (others === undefined) byAddress.set(address, [override]);
      else others.push(override);
    }
    yield;
  }
  const found = new Map<string, BadLine>();
  for (const some of byAddress.values()) {
    for (const [one, other] of some.length > 1 ? contradictions(some) : []) {
      const [earlier, later] = one.line < other.line ? [one, other] : [other, one];
      found.set(`${earlier.line} ${later.line}`, { line: later.line, problem: describe(earlier, later) });
    }
    yield;
  }
  return [...found.values()];
}

/**
 * Each override that contradicts any, with one that it contradicts: of those that began before it, the one that lasts
 * longest; of those that begin after it, the one that begins first.
 */
function contradictions(overrides: readonly PlacedOverride[]): [PlacedOverride, PlacedOverride][] {
  const inOrder = [...overrides].sort((one, other) => beginOf(one) - beginOf(other));
  const before = withRivals(inOrder, (one, other) => endOf(one) > endOf(other));
  const after = withRivals(inOrder.reverse(), (one, other) => beginOf(one) <= beginOf(other));
  return [
    ...before.filter(([override, rival]) => beginOf(override) < endOf(rival)),
    ...after.filter(([override, rival]) => beginOf(rival) < endOf(override)),
  ];
}

/** Each with the foremost of those before it in the list that say something else. */
function withRivals(
  list: readonly PlacedOverride[],
  isBefore: (one: PlacedOverride, other: PlacedOverride) => boolean,
): [PlacedOverride, PlacedOverride][] {
  const pairs: [PlacedOverride, PlacedOverride][] = [];
  let first: PlacedOverride | undefined;
  /** The foremost of those that say something else than the first. */
  let second: PlacedOverride | undefined;
  for (const override of list) {
    const rival = first === undefined || agree(first, override) ? second : first;
    if (rival !== undefined) pairs.push([override, rival]);
    if (first === undefined || isBefore(override, first)) {
      if (first !== undefined && !agree(first, override)) second = first;
      first = override;
    } else if (!agree(first, override) && (second === undefined || isBefore(override, second))) second = override;
  }
  return pairs;
}

function agree({ pinned: one }: PlacedOverride, { pinned: other }: PlacedOverride): boolean {
  return one.backend === other.backend && one.addresses[0] === other.addresses[0];
}

function beginOf({ pinned }: PlacedOverride): number {
  return pinned.from ?? Number.MIN_SAFE_INTEGER;
}

function endOf({ pinned }: PlacedOverride): number {
  return pinned.until ?? Number.MAX_SAFE_INTEGER;
}

function describe(earlier: PlacedOverride, later: PlacedOverride): string {
  const { backend } = later.pinned;
  return earlier.pinned.backend === backend
    ? `asks ${backend} about another address than line ${earlier.line} does, for the same mailbox at the same time. Keep one.`
    : `owner '${backend}' contradicts line ${earlier.line}, where the same mailbox at the same time has owner '${earlier.pinned.backend}'. Keep one, or let one end (until) where the other begins (from).`;
}
