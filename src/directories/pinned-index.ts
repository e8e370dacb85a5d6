/**
 * Decides which pinned owner of a mailbox is in force at an instant, when that changes, and
 * what differs between two lists. Immutable once built, so that a list is swapped whole.
 *
 * Knows no clock and no timer, and not where the list comes from.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type { DirectoryClaim, RecipientKey } from "../proxy/mailbox-directory.js";

/** What an administrator has written: this mailbox lives there, from then, until then. */
export interface PinnedMailbox {
  /** The first is the address under which the backend knows the mailbox; all others lead to it. */
  readonly addresses: readonly [MailboxAddress, ...MailboxAddress[]];
  readonly backend: string;
  /** In force from this instant on; since ever when absent. */
  readonly from?: InstantMs | undefined;
  /** No longer in force at this instant; for ever when absent. */
  readonly until?: InstantMs | undefined;
  /** Where it is written, for logs and people; no address: "overrides: line 12". */
  readonly rule: string;
}

interface Pin {
  readonly from: number;
  readonly until: number;
  readonly addresses: readonly MailboxAddress[];
  readonly claim: DirectoryClaim;
}

const NONE: readonly Pin[] = [];

export class PinnedIndex {
  readonly learntAt: InstantMs;
  /** Distinct mailboxes, in force or planned or over. */
  readonly recipients: number;
  /** The instants after `learntAt` at which something begins or ends, in order. */
  readonly flips: readonly InstantMs[];
  readonly #byAddress: ReadonlyMap<RecipientKey, readonly Pin[]>;
  readonly #byFlip: ReadonlyMap<number, readonly Pin[]>;

  private constructor(
    learntAt: InstantMs,
    recipients: number,
    byAddress: ReadonlyMap<RecipientKey, readonly Pin[]>,
    byFlip: ReadonlyMap<number, readonly Pin[]>,
  ) {
    this.learntAt = learntAt;
    this.recipients = recipients;
    this.#byAddress = byAddress;
    this.#byFlip = byFlip;
    this.flips = Array.from(Float64Array.from(byFlip.keys()).sort(), instant);
  }

  /** Yields wherever the work may be interrupted. */
  static *build(rows: Iterable<PinnedMailbox>, learntAt: InstantMs): Generator<void, PinnedIndex> {
    const byAddress = new Map<RecipientKey, Pin[]>();
    const byFlip = new Map<number, Pin[]>();
    const mailboxes = new Set<MailboxAddress>();
    for (const { addresses, backend, from = -Infinity, until = Infinity, rule } of rows) {
      const [address] = addresses;
      mailboxes.add(address);
      const pin: Pin = { from, until, addresses, claim: { kind: "mailbox", backend, address, rule, learntAt } };
      for (const one of new Set(addresses)) append(byAddress, one, pin);
      for (const at of [from, until]) if (at > learntAt && at !== Infinity) append(byFlip, at, pin);
      yield;
    }
    // The latest beginning first; of several that begin together, the one that is written first.
    for (const pins of byAddress.values()) {
      if (pins.length > 1) pins.sort((one, other) => (one.from === other.from ? 0 : other.from - one.from));
      yield;
    }
    return new PinnedIndex(learntAt, mailboxes.size, byAddress, byFlip);
  }

  find(key: RecipientKey, now: InstantMs): DirectoryClaim | undefined {
    return inForce(this.#byAddress.get(key) ?? NONE, now)?.claim;
  }

  /** All addresses that lead to the same mailbox now, also by other rows; the backend's own is the first. */
  addressesOf(key: RecipientKey, now: InstantMs): readonly MailboxAddress[] {
    const claim = this.find(key, now);
    if (claim === undefined) return [];
    const found = new Set<MailboxAddress>();
    for (const pin of this.#byAddress.get(claim.address) ?? NONE)
      for (const address of pin.addresses) if (sameMailbox(this.find(address, now), claim)) found.add(address);
    return [...found];
  }

  /** Addresses of whatever begins or ends at one of {@link flips}. */
  addressesAt(flip: InstantMs): readonly MailboxAddress[] {
    return (this.#byFlip.get(flip) ?? NONE).flatMap(({ addresses }) => addresses);
  }

  /** Addresses that another list gives to someone else, now or at any time to come. Yields like {@link build}. */
  *differences(other: PinnedIndex, now: InstantMs): Generator<void, MailboxAddress[]> {
    const changed: MailboxAddress[] = [];
    const differs = (key: RecipientKey) =>
      course(this.#byAddress.get(key) ?? NONE, now) !== course(other.#byAddress.get(key) ?? NONE, now);
    // Keys are addresses of rows, so no legacy name is among them.
    for (const key of this.#byAddress.keys()) {
      if (differs(key)) changed.push(key as MailboxAddress);
      yield;
    }
    for (const key of other.#byAddress.keys()) {
      if (!this.#byAddress.has(key) && differs(key)) changed.push(key as MailboxAddress);
      yield;
    }
    return changed;
  }
}

function inForce(pins: readonly Pin[], at: number): Pin | undefined {
  for (const pin of pins) if (pin.from <= at && at < pin.until) return pin;
  return undefined;
}

function sameMailbox(one: DirectoryClaim | undefined, other: DirectoryClaim): boolean {
  return one !== undefined && one.backend === other.backend && one.address === other.address;
}

/** Who has the mailbox from `now` on, as text: equal texts, equal futures. The line a row is written in plays no part. */
function course(pins: readonly Pin[], now: number): string {
  const instants = [now];
  for (const { from, until } of pins)
    for (const at of [from, until]) if (at > now && at !== Infinity) instants.push(at);
  let text = "";
  let before = "nobody";
  for (const at of instants.sort((one, other) => one - other)) {
    const claim = inForce(pins, at)?.claim;
    const owner = claim === undefined ? "nobody" : `${claim.address} in ${claim.backend}`;
    if (owner !== before) text += `${at} ${owner}\n`;
    before = owner;
  }
  return text;
}

function append<Key>(to: Map<Key, Pin[]>, key: Key, pin: Pin): void {
  const pins = to.get(key);
  if (pins === undefined) to.set(key, [pin]);
  else pins.push(pin);
}
