/**
 * Decides how long a mailbox seen where it was not presumed is remembered to be there, so
 * that only the first question goes astray. What was seen before the mailbox was forgotten
 * is not remembered after.
 *
 * Knows only what it is told: who probes, and when, is not decided here.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type { DirectoryClaim, DirectoryState, MailboxDirectory, RecipientKey } from "../proxy/mailbox-directory.js";

export interface ProbeMemoryOptions {
  /** As in the configuration. */
  readonly name?: string;
  /** Beyond so many, the mailbox seen longest ago is forgotten. */
  readonly maximumMailboxes?: number;
  /** How long a sighting counts. */
  readonly rememberMs?: number;
  readonly now?: () => InstantMs;
}

/** A mailbox, and whatever it has been asked for by. */
interface Sighting {
  readonly claim: DirectoryClaim;
  /** The first is the claim's own address. */
  readonly keys: readonly RecipientKey[];
}

export class ProbeMemory implements MailboxDirectory {
  readonly name: string;
  readonly home = undefined;
  readonly decides = true;
  readonly #maximumMailboxes: number;
  readonly #rememberMs: number;
  readonly #now: () => InstantMs;
  /** In the order in which they were seen, so that what is forgotten next comes first. */
  readonly #sightings = new Set<Sighting>();
  readonly #byKey = new Map<RecipientKey, Sighting>();
  /** What {@link forgotten} was when a key was last forgotten; of those forgotten longest ago only the latest. */
  readonly #forgottenAt = new Map<RecipientKey, number>();
  #allForgottenAt = 0;
  #forgotten = 0;
  readonly #listeners: ((changed: readonly MailboxAddress[]) => void)[] = [];

  constructor(options: ProbeMemoryOptions = {}) {
    this.name = options.name ?? "probe";
    this.#maximumMailboxes = options.maximumMailboxes ?? 50_000;
    this.#rememberMs = options.rememberMs ?? 3_600_000;
    this.#now = options.now ?? (() => instant(Date.now()));
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** The backend has the mailbox asked for as `key`, and knows it by `address`. Seen again, it is remembered anew. */
  learn(key: RecipientKey, backend: string, address: MailboxAddress, asked: number): void {
    const forgottenAt = [key, address].map((one) => this.#forgottenAt.get(one) ?? this.#allForgottenAt);
    if (Math.max(...forgottenAt) > asked) return;
    this.#forgetExpired();
    const rule = `${this.name}: found there when its presumed owner did not know it`;
    const claim: DirectoryClaim = { kind: "mailbox", backend, address, rule, learntAt: this.#now() };
    const keys = new Set<RecipientKey>([address, key]);
    const changed = new Set<RecipientKey>();
    for (const [one, before] of [address, key].map((asked) => [asked, this.#byKey.get(asked)] as const)) {
      const isKnown = before?.claim.backend === backend && before.claim.address === address;
      if (!isKnown) changed.add(one).add(address);
      // Whatever else led to where the mailbox no longer is would lead astray as well.
      for (const other of before?.keys ?? []) (isKnown ? keys : changed).add(other);
      if (before !== undefined) this.#remove(before);
    }
    const sighting: Sighting = { claim, keys: [...keys] };
    this.#sightings.add(sighting);
    for (const one of keys) this.#byKey.set(one, sighting);
    for (const oldest of this.#sightings) {
      if (this.#sightings.size <= this.#maximumMailboxes) break;
      this.#remove(oldest);
    }
    this.#tell([...changed]);
  }

  /** It is not there any more, by whichever of its keys it is asked for. */
  forget(key: RecipientKey): void {
    this.#forgetExpired();
    this.#forgottenAt.delete(key);
    this.#forgottenAt.set(key, ++this.#forgotten);
    for (const [oldest, at] of this.#forgottenAt) {
      if (this.#forgottenAt.size <= this.#maximumMailboxes) break;
      this.#forgottenAt.delete(oldest);
      this.#allForgottenAt = at;
    }
    const before = this.#byKey.get(key);
    if (before === undefined) return;
    this.#remove(before);
    this.#tell(before.keys);
  }

  /** Everything may have moved; whoever knows that tells the listeners of moves itself. */
  forgetAll(): void {
    this.#allForgottenAt = ++this.#forgotten;
    this.#forgottenAt.clear();
    this.#sightings.clear();
    this.#byKey.clear();
  }

  find(key: RecipientKey, now: InstantMs): DirectoryClaim | undefined {
    const claim = this.#byKey.get(key)?.claim;
    return claim !== undefined && now < claim.learntAt + this.#rememberMs ? claim : undefined;
  }

  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    if (this.find(key, this.#now()) === undefined) return [];
    return this.#byKey.get(key)?.keys.filter(isAddress) ?? [];
  }

  /** There is no source that could be out of reach: what has been seen is all there is. */
  state(): DirectoryState {
    this.#forgetExpired();
    return { from: "live", recipients: this.#sightings.size, readAt: undefined, problem: undefined };
  }

  onChange(listener: (changed: readonly MailboxAddress[] | "all") => void): void {
    this.#listeners.push(listener);
  }

  #forgetExpired(): void {
    const now = this.#now();
    for (const sighting of this.#sightings) {
      if (now < sighting.claim.learntAt + this.#rememberMs) break;
      this.#remove(sighting);
    }
  }

  #remove(sighting: Sighting): void {
    this.#sightings.delete(sighting);
    for (const key of sighting.keys) if (this.#byKey.get(key) === sighting) this.#byKey.delete(key);
  }

  #tell(changed: readonly RecipientKey[]): void {
    const addresses = changed.filter(isAddress);
    if (addresses.length > 0) for (const listener of this.#listeners) listener(addresses);
  }
}

function isAddress(key: RecipientKey): key is MailboxAddress {
  return !key.startsWith("x500:");
}
