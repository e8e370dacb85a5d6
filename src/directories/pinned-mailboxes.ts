/**
 * Decides what counts as said by an administrator: the list in use, swapped whole, and word
 * to whoever listens, both when the list changes and when an instant written in it arrives.
 * A planned move needs nobody awake: claims are read off the clock, the timer only tells.
 *
 * Does not know where the list comes from.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type { DirectoryClaim, DirectoryState, MailboxDirectory, RecipientKey } from "../proxy/mailbox-directory.js";
import { atOnce, inSlices } from "./in-slices.js";
import { PinnedIndex, type PinnedMailbox } from "./pinned-index.js";

export interface PinnedMailboxesOptions {
  /** As in the configuration. */
  readonly name: string;
  /** The list to begin with. Without one the directory has nothing to go by until {@link PinnedMailboxes.replace}. */
  readonly rows?: readonly PinnedMailbox[];
  readonly now?: () => InstantMs;
}

/** Longer waits overflow Node's timers and would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** So many addresses are told of at a time. */
const PORTION = 500;

export class PinnedMailboxes implements MailboxDirectory {
  readonly name: string;
  readonly home = undefined;
  readonly decides = true;
  readonly #now: () => InstantMs;
  readonly #listeners: ((changed: readonly MailboxAddress[]) => void)[] = [];
  #index: PinnedIndex;
  #isRead = false;
  /** Which of the list's instants comes next. */
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Counts replacements: of two under way, the one asked for later counts. */
  #turn = 0;

  constructor({ name, rows, now = () => instant(Date.now()) }: PinnedMailboxesOptions) {
    this.name = name;
    this.#now = now;
    this.#index = atOnce(PinnedIndex.build([], now()));
    if (rows !== undefined) this.replace(rows);
  }

  find(key: RecipientKey, now: InstantMs): DirectoryClaim | undefined {
    return this.#index.find(key, now);
  }

  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    return this.#index.addressesOf(key, this.#now());
  }

  state(): DirectoryState {
    const { recipients, learntAt } = this.#index;
    return this.#isRead
      ? { from: "live", recipients, readAt: learntAt, problem: undefined }
      : { from: "none", recipients: 0, readAt: undefined, problem: undefined };
  }

  onChange(listener: (changed: readonly MailboxAddress[] | "all") => void): void {
    this.#listeners.push(listener);
  }

  /** Swaps the whole list; how many addresses have another owner by it, now or later. */
  replace(rows: Iterable<PinnedMailbox>): number {
    const now = this.#now();
    this.#turn++;
    const index = atOnce(PinnedIndex.build(rows, now));
    const changed = atOnce(this.#index.differences(index, now));
    atOnce(this.#tell(this.#swap(index, changed)));
    return changed.length;
  }

  /** The same for a long list, without keeping others waiting: the old list counts, whole, until the new one does. */
  async replaceInSlices(rows: Iterable<PinnedMailbox>, signal?: AbortSignal): Promise<number> {
    const now = this.#now();
    const turn = ++this.#turn;
    const index = await inSlices(PinnedIndex.build(rows, now), signal);
    const changed = await inSlices(this.#index.differences(index, now), signal);
    if (turn !== this.#turn) return 0;
    await inSlices(this.#tell(this.#swap(index, changed)), signal);
    return changed.length;
  }

  /** Ends the timer. What is pinned stays to be found. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Whom it concerns: the old list's instants that have come are told now, for the new list only knows of later ones. */
  #swap(index: PinnedIndex, changed: readonly MailboxAddress[]): readonly MailboxAddress[] {
    const due = this.#takeDue();
    this.#index = index;
    this.#isRead = true;
    this.#next = 0;
    this.#arm();
    return due.concat(changed);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#index.flips[this.#next];
    if (next === undefined || this.#stopped) return;
    const waitMs = Math.min(Math.max(next - this.#now(), 1), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      const due = this.#takeDue();
      this.#arm();
      void inSlices(this.#tell(due));
    }, waitMs);
    this.#timer.unref();
  }

  #takeDue(): MailboxAddress[] {
    const now = this.#now();
    const due: MailboxAddress[] = [];
    for (;;) {
      const flip = this.#index.flips[this.#next];
      if (flip === undefined || flip > now) return due;
      for (const address of this.#index.addressesAt(flip)) due.push(address);
      this.#next++;
    }
  }

  /** Each address once. Yields between portions, for whoever listens has work to do for each. */
  *#tell(changed: readonly MailboxAddress[]): Generator<void, void> {
    const told = new Set<MailboxAddress>();
    let portion: MailboxAddress[] = [];
    for (const address of changed) {
      if (told.has(address)) continue;
      told.add(address);
      portion.push(address);
      if (portion.length < PORTION) continue;
      this.#tellPortion(portion);
      portion = [];
      yield;
    }
    if (portion.length > 0) this.#tellPortion(portion);
  }

  #tellPortion(portion: readonly MailboxAddress[]): void {
    for (const listener of this.#listeners) listener(portion);
  }
}
