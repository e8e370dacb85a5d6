/**
 * Decides which recipients differ between two readings of a directory: those whose owner,
 * kind, address or set of keys is another, those that are new, and those that are gone.
 * Other evidence for the same owner is no difference, nor is another order of aliases.
 *
 * Pure; yields between records, for whoever has to let others run.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { RecipientKey } from "../proxy/mailbox-directory.js";
import { isAddress, type RecipientTable, type RecordPosition } from "./recipient-table.js";

export interface Differences {
  readonly recipients: number;
  /** All old and new addresses of those recipients; "all" when these are more than {@link MOST_ADDRESSES}. */
  readonly addresses: readonly MailboxAddress[] | "all";
}

/** More addresses than this are not told one by one. */
export const MOST_ADDRESSES = 10_000;

export function* differences(before: RecipientTable, after: RecipientTable): Generator<undefined, Differences> {
  const found = new Set<MailboxAddress>();
  let recipients = 0;
  let same = 0;
  const note = (keys: readonly RecipientKey[]) => {
    if (found.size <= MOST_ADDRESSES) for (const key of keys) if (isAddress(key)) found.add(key);
  };
  for (const position of after.positions()) {
    if (after.isAlso(position, before)) same++;
    else {
      const keys = after.keysAt(position);
      const former = new Set(keys.flatMap((key) => before.positionOf(key) ?? []));
      if (isSame(before, former, after, position, keys)) same++;
      else {
        recipients++;
        note(keys);
        for (const one of former) note(before.keysAt(one));
      }
    }
    yield;
  }
  // Those that are the same are so one to one: if they are all there was before, nobody is gone.
  if (same < before.recipients) {
    for (const position of before.positions()) {
      // Where only some keys of a recipient are gone, whoever has the others was seen above.
      const keys = before.keysAt(position);
      if (keys.every((key) => after.positionOf(key) === undefined)) {
        recipients++;
        note(keys);
      }
      yield;
    }
  }
  return { recipients, addresses: found.size > MOST_ADDRESSES ? "all" : [...found] };
}

function isSame(
  before: RecipientTable,
  former: ReadonlySet<RecordPosition>,
  after: RecipientTable,
  position: RecordPosition,
  keys: readonly RecipientKey[],
): boolean {
  const [one, ...others] = former;
  if (one === undefined || others.length > 0 || !after.sameOwner(position, before, one)) return false;
  const formerKeys = before.keysAt(one);
  if (formerKeys.length !== keys.length || keys.some((key) => before.positionOf(key) !== one)) return false;
  const [key] = keys as [RecipientKey];
  return before.find(key)?.address === after.find(key)?.address;
}
