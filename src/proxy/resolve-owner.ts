/**
 * Decides who owns a mailbox, from what the directories say, in their configured order.
 *
 * A directory that decides (an override, something found by probing) ends the matter, under
 * whichever of the mailbox's addresses it named it. Otherwise the directories' claims are
 * weighed: when two systems have the mailbox, which happens in the middle of a move, the
 * configured rule chooses. Whoever owns it, the backend is asked about the address that
 * its own directory knows it by, so all addresses of a mailbox lead to one cache entry.
 *
 * Two directories' records are taken for one mailbox when they share the address in question,
 * when each has the other's first address, or when one has and the local parts are alike
 * (bob@corp.example, bob@corp.awsapps.com): an alias of both alone may belong to two people.
 *
 * Pure but for the directories' memory. Knows no origin, no address spaces and no backends
 * beyond their names.
 */

import { localPartOf, type MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { DirectoryClaim, MailboxDirectory, RecipientKey } from "./mailbox-directory.js";

export interface Ownership {
  readonly claim: DirectoryClaim;
  /** The directory whose claim it is; for a group, the one that can name its members. */
  readonly directory: MailboxDirectory;
  /** The address the owner is asked about. */
  readonly address: MailboxAddress;
}

/** One thing that was considered on the way to a decision, for people. */
export interface RouteStep {
  readonly considered: string;
  readonly finding: string;
  /** How old what was found is, in seconds; absent where nothing was found or age means nothing. */
  readonly ageSeconds?: number;
}
export type TellStep = (step: RouteStep) => void;

/** Told after ownership may have changed: every address concerned, or "all". */
export type OwnershipListener = (changed: readonly MailboxAddress[] | "all", directory: MailboxDirectory) => void;

interface Known {
  readonly directory: MailboxDirectory;
  /** By which the directory was asked. */
  readonly key: RecipientKey;
  readonly claim: DirectoryClaim;
}

export class OwnerResolver {
  readonly #deciding: readonly MailboxDirectory[];
  readonly #weighed: readonly MailboxDirectory[];
  readonly #whenOnBothSides: string;
  readonly #unexpected: (what: string, error: unknown) => void;

  /**
   * `whenOnBothSides`: "first" (the first directory's word counts), or the backend that is then the owner. `unexpected`
   * hears of directories that throw; they are taken to know nothing.
   */
  constructor(
    directories: readonly MailboxDirectory[],
    whenOnBothSides: string,
    unexpected: (what: string, error: unknown) => void,
  ) {
    this.#deciding = directories.filter(({ decides }) => decides);
    this.#weighed = directories.filter(({ decides }) => !decides);
    this.#whenOnBothSides = whenOnBothSides;
    this.#unexpected = unexpected;
  }

  /** Undefined when no directory knows the recipient. */
  resolve(key: RecipientKey, now: InstantMs, tell?: TellStep): Ownership | undefined {
    const known = this.#known(key, now);
    return this.#decided(key, known, now, tell) ?? this.#weigh(known, now, tell);
  }

  /** The address by which this backend has the mailbox, as far as a directory says that it has it, whoever the owner is. */
  addressAt(backend: string, key: RecipientKey, now: InstantMs): MailboxAddress | undefined {
    const known = this.#known(key, now);
    const there = known.find(({ claim }) => claim.backend === backend);
    return there && this.#owned(there.directory, there.claim, known, now).address;
  }

  /** Every address under which the mailbox with this one is known, itself included. */
  addressesOf(address: MailboxAddress, now: InstantMs): readonly MailboxAddress[] {
    const all = new Set([address, ...this.#pinnedWith(address)]);
    for (const one of [...all]) {
      for (const known of this.#known(one, now)) for (const alias of this.#aliases(known)) all.add(alias);
    }
    for (const one of [...all]) for (const alias of this.#pinnedWith(one)) all.add(alias);
    return [...all];
  }

  /** Asks every directory that can for a fresh look. False when none could be asked. Never rejects. */
  async lookAgain(address: MailboxAddress, signal: AbortSignal): Promise<boolean> {
    const looks = this.#weighed.map(async (directory) => {
      try {
        return (await directory.lookAgain?.(address, signal)) ?? false;
      } catch (error) {
        this.#unexpected(`directory ${directory.name} threw in a fresh look`, error);
        return false;
      }
    });
    return (await Promise.all(looks)).includes(true);
  }

  get canLookAgain(): boolean {
    return this.#weighed.some(({ lookAgain }) => lookAgain !== undefined);
  }

  onChange(listener: OwnershipListener): void {
    for (const directory of [...this.#deciding, ...this.#weighed]) {
      directory.onChange((changed) => listener(changed, directory));
    }
  }

  /** What the weighed directories know of this mailbox, in their order. */
  #known(key: RecipientKey, now: InstantMs): readonly Known[] {
    const own = this.#weighed.map((directory) => this.#find(directory, key, now));
    const at = own.findIndex((claim) => claim !== undefined);
    if (at < 0) return [];
    const first = { directory: this.#weighed[at] as MailboxDirectory, key, claim: own[at] as DirectoryClaim };
    if (this.#weighed.length === 1) return [first];
    const aliases = this.#aliases(first);
    return this.#weighed.flatMap((directory, i) => {
      const claim = own[i];
      return claim === undefined ? this.#linked(directory, first.claim, aliases, now) : [{ directory, key, claim }];
    });
  }

  /** What another directory claims about the same mailbox, found by another of its addresses: once or not at all. */
  #linked(
    directory: MailboxDirectory,
    claim: DirectoryClaim,
    aliases: readonly MailboxAddress[],
    now: InstantMs,
  ): readonly Known[] {
    const other = this.#find(directory, claim.address, now);
    if (other !== undefined) {
      const isMutual = aliases.includes(other.address);
      const isSame = isMutual || localPartOf(other.address) === localPartOf(claim.address);
      return isSame ? [{ directory, key: claim.address, claim: other }] : [];
    }
    for (const alias of aliases) {
      if (localPartOf(alias) !== localPartOf(claim.address)) continue;
      const alike = this.#find(directory, alias, now);
      if (alike?.address === alias) return [{ directory, key: alias, claim: alike }];
    }
    return [];
  }

  #decided(key: RecipientKey, known: readonly Known[], now: InstantMs, tell?: TellStep): Ownership | undefined {
    let aliases: readonly { readonly alias: MailboxAddress; readonly by: string }[] | undefined;
    for (const directory of this.#deciding) {
      const claim = this.#find(directory, key, now);
      tell?.(stepOf(directory, claim, now));
      if (claim !== undefined) return this.#owned(directory, claim, known, now);
      if (known.length === 0 || this.#safely(directory, () => directory.state().recipients, 0) === 0) continue;
      aliases ??= known.flatMap((one) => this.#aliases(one).map((alias) => ({ alias, by: one.directory.name })));
      for (const { alias, by } of aliases) {
        const decided = alias === key ? undefined : this.#find(directory, alias, now);
        if (decided === undefined) continue;
        tell?.(stepOf(directory, decided, now, `, said of another address, which ${by} knows for this mailbox`));
        return this.#owned(directory, decided, known, now);
      }
    }
    return undefined;
  }

  #weigh(known: readonly Known[], now: InstantMs, tell?: TellStep): Ownership | undefined {
    if (tell !== undefined) {
      for (const directory of this.#weighed) {
        tell(stepOf(directory, known.find((one) => one.directory === directory)?.claim, now));
      }
    }
    let best: Known | undefined;
    for (const one of known) {
      const { claim, directory } = one;
      // "It lives where you may not ask" gives way to anybody who says where.
      if (best === undefined || (best.claim.kind === "mailbox" && best.claim.backend === undefined)) best = one;
      else if (claim.kind === "mailbox" && claim.backend !== undefined && claim.backend !== best.claim.backend) {
        const preferred = best.claim.kind === "mailbox" && claim.backend === this.#whenOnBothSides;
        const counts: string = preferred ? directory.name : best.directory.name;
        tell?.({
          considered: "whenOnBothSides",
          finding: `${this.#whenOnBothSides}: ${counts} counts, because both systems have it`,
        });
        if (preferred) best = one;
      }
    }
    return best === undefined ? undefined : this.#owned(best.directory, best.claim, known, now);
  }

  /** With the address that the owner's own directory knows the mailbox by, where there is one. */
  #owned(directory: MailboxDirectory, claim: DirectoryClaim, known: readonly Known[], now: InstantMs): Ownership {
    const { backend, address } = claim;
    if (backend === undefined || directory.home === backend) return { claim, directory, address };
    const home = this.#weighed.find((one) => one.home === backend);
    if (home === undefined) return { claim, directory, address };
    const own = this.#find(home, address, now) ?? known.find((one) => one.directory === home)?.claim;
    const has = own?.kind === "mailbox" && own.backend === backend;
    return { claim, directory, address: has ? own.address : address };
  }

  #find(directory: MailboxDirectory, key: RecipientKey, now: InstantMs): DirectoryClaim | undefined {
    return this.#safely(directory, () => directory.find(key, now), undefined);
  }

  /** What directories that decide name together with this address. */
  #pinnedWith(address: MailboxAddress): readonly MailboxAddress[] {
    return this.#deciding.flatMap((directory) => this.#safely(directory, () => directory.addressesOf(address), []));
  }

  /** Two entries of a directory may lead to one mailbox: then its address there is found under one of them alone. */
  #aliases({ directory, key, claim }: Known): readonly MailboxAddress[] {
    const of = (one: RecipientKey) => this.#safely(directory, () => directory.addressesOf(one), []);
    const own = of(key);
    return own.includes(claim.address) ? own : [...new Set([...own, ...of(claim.address)])];
  }

  /** A directory that throws costs nobody the lookup: it is taken to know nothing. */
  #safely<T>(directory: MailboxDirectory, ask: () => T, otherwise: T): T {
    try {
      return ask();
    } catch (error) {
      this.#unexpected(`directory ${directory.name} threw when it was searched`, error);
      return otherwise;
    }
  }
}

function stepOf(
  directory: MailboxDirectory,
  claim: DirectoryClaim | undefined,
  now: InstantMs,
  remark = "",
): RouteStep {
  const considered = `directory ${directory.name}`;
  if (claim === undefined) return { considered, finding: "does not know it" };
  const where = claim.kind === "group" ? "a group" : (claim.backend ?? "where this gateway may not ask");
  return {
    considered,
    finding: `${where}, as ${claim.address}; ${claim.rule}${remark}`,
    ageSeconds: Math.max(0, Math.round((now - claim.learntAt) / 1000)),
  };
}
