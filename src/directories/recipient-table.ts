/**
 * One reading of a directory, in memory: every recipient, found under each of its keys.
 * Decides what happens when records disagree: a key belongs to the record that came first
 * with it. Added to while being built, only read afterwards.
 *
 * Legacy DNs are kept as keys, so their letters come back in lower case. Names longer than
 * {@link LONGEST_KEY} are left out: no directory has any.
 *
 * Pure: no clock, no file, no source.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import { type DirectoryClaim, type LegacyKey, legacyKey, type RecipientKey } from "../proxy/mailbox-directory.js";
import type { DirectoryRecord } from "./directory-source.js";
import { KeyIndex } from "./key-index.js";
import { LONGEST_KEY, RecordChunks } from "./record-chunks.js";

/** Where a record is in its table. */
export type RecordPosition = number & { readonly unit: "position in a RecipientTable" };

/** What many recipients have in common: a directory of a million has a few dozen of these. */
interface Owner {
  readonly kind: DirectoryRecord["kind"];
  readonly backend: string | undefined;
  readonly evidence: string;
  readonly rule: string;
}

const LEGACY = "x500:";

export class RecipientTable {
  readonly name: string;
  readonly learntAt: InstantMs;
  readonly #records = new RecordChunks();
  readonly #index = new KeyIndex(this.#records, LONGEST_KEY);
  readonly #owners: Owner[] = [];
  readonly #ownerNumbers = new Map<string, number>();
  #recipients = 0;
  #conflicts = 0;

  /** `name` is the directory's; `learntAt` is when its reading began, and what every claim of it says. */
  constructor(name: string, learntAt: InstantMs) {
    this.name = name;
    this.learntAt = learntAt;
  }

  get recipients(): number {
    return this.#recipients;
  }

  /** How many keys came again with another record, which does not count for them. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** A record none of whose keys is its own is not kept: nobody could find it. Throws a RangeError beyond 4 GB of text. */
  add(record: DirectoryRecord): void {
    const keys = keysOf(record);
    if (keys.every((key) => this.#index.find(key) !== 0)) {
      this.#conflicts += keys.length;
      return;
    }
    const position = this.#records.begin(this.#ownerNumber(record));
    for (const key of keys) {
      const present = this.#index.find(key);
      if (present === 0) this.#index.insertSought(this.#records.append(position, key, false));
      else if (this.#records.recordOf(present) !== position) {
        this.#records.append(position, key, true);
        this.#conflicts++;
      }
    }
    this.#recipients++;
  }

  /** Any text is a key; nobody is found under nonsense. */
  find(key: RecipientKey): DirectoryClaim | undefined {
    const found = this.#index.find(key);
    if (found === 0) return undefined;
    const record = this.#records.recordOf(found);
    const { kind, backend, rule } = this.#owners[this.#records.owner(record)] as Owner;
    const first = this.#records.firstKey(record);
    const address = (first === found ? key : this.#records.text(first)) as MailboxAddress;
    return { kind, backend, address, rule, learntAt: this.learntAt };
  }

  /** Of the recipient with this key, those that lead to it: not the ones an earlier record has. Empty when unknown. */
  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    return this.keysOf(key).filter(isAddress);
  }

  /** As {@link addressesOf}, with the keys of legacy DNs. */
  keysOf(key: RecipientKey): readonly RecipientKey[] {
    const position = this.positionOf(key);
    return position === undefined ? [] : this.keysAt(position);
  }

  positionOf(key: RecipientKey): RecordPosition | undefined {
    const found = this.#index.find(key);
    return found === 0 ? undefined : (this.#records.recordOf(found) as RecordPosition);
  }

  /** Every record, in the order they were added. */
  positions(): Generator<RecordPosition> {
    return this.#records.records() as Generator<RecordPosition>;
  }

  /** The keys that lead to the record. */
  keysAt(position: RecordPosition): readonly RecipientKey[] {
    return this.#keys(position)
      .filter((key) => !this.#records.isForeign(key))
      .map((key) => this.#records.text(key) as RecipientKey);
  }

  /** The record as it was added, with keys that lead elsewhere, so that a table of all of them is this one again. */
  recordAt(position: RecordPosition): DirectoryRecord {
    const { kind, backend, evidence } = this.#owners[this.#records.owner(position)] as Owner;
    const keys = this.#keys(position).map((key) => this.#records.text(key) as RecipientKey);
    const addresses = keys.filter(isAddress) as [MailboxAddress, ...MailboxAddress[]];
    return { kind, backend, addresses, legacyDns: keys.slice(addresses.length).map(withoutPrefix), evidence };
  }

  /** Whether another table has the same record with the same owner and the same keys in the same order. Evidence may differ. */
  isAlso(position: RecordPosition, other: RecipientTable): boolean {
    const keys = this.#keys(position);
    const own = keys.find((key) => !this.#records.isForeign(key)) as number;
    const otherPosition = other.positionOf(this.#records.text(own) as RecipientKey);
    if (otherPosition === undefined || !this.sameOwner(position, other, otherPosition)) return false;
    const otherKeys = other.#keys(otherPosition);
    if (keys.length !== otherKeys.length) return false;
    return keys.every((key, i) => this.#records.sameKey(key, other.#records, otherKeys[i] as number));
  }

  sameOwner(position: RecordPosition, other: RecipientTable, otherPosition: RecordPosition): boolean {
    const one = this.#owners[this.#records.owner(position)] as Owner;
    const two = other.#owners[other.#records.owner(otherPosition)] as Owner;
    return one.kind === two.kind && one.backend === two.backend;
  }

  #keys(position: RecordPosition): number[] {
    const keys = [this.#records.firstKey(position)];
    for (let i = this.#records.keyCount(position); i > 1; i--) keys.push(this.#records.nextKey(keys.at(-1) as number));
    return keys;
  }

  #ownerNumber({ kind, backend, evidence }: DirectoryRecord): number {
    const id = `${kind} ${backend === undefined ? "" : JSON.stringify(backend)} ${evidence}`;
    const known = this.#ownerNumbers.get(id);
    if (known !== undefined) return known;
    // A copy: a piece of a text keeps the whole text alive, here perhaps a page of a directory.
    const [ownBackend, own] = [backend && copied(backend), copied(evidence)];
    this.#ownerNumbers.set(id, this.#owners.length);
    return this.#owners.push({ kind, backend: ownBackend, evidence: own, rule: copied(`${this.name}: ${own}`) }) - 1;
  }
}

/** The addresses, the first one first, then the legacy DNs, each once whatever its letters' case. */
export function keysOf({ addresses, legacyDns }: DirectoryRecord): readonly RecipientKey[] {
  const legacy: Iterable<RecipientKey> = legacyDns.length === 0 ? [] : new Set(legacyDns.map(legacyKey));
  return [...addresses, ...legacy].filter((key) => key.length <= LONGEST_KEY);
}

export function isAddress(key: RecipientKey): key is MailboxAddress {
  return !key.startsWith(LEGACY);
}

function withoutPrefix(key: RecipientKey | LegacyKey): string {
  return key.slice(LEGACY.length);
}

function copied(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
