/**
 * The gateway's copy of a directory that is kept elsewhere. Decides what counts: what a single
 * look found since the directory was last read whole, then that reading. Claims come from memory
 * only; whoever asks never waits for the source, unless by asking to look again.
 *
 * Every answer is taken from one reading and the looks after it; both are replaced in one step.
 *
 * Must not know which directory it copies, nor whose word counts among several.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type {
  DirectoryClaim,
  DirectoryMembers,
  DirectoryObserver,
  DirectoryState,
  MailboxDirectory,
  RecipientKey,
} from "../proxy/mailbox-directory.js";
import { type DirectoryCopy, DirectoryRefresh } from "./directory-refresh.js";
import type { DirectoryRecord, DirectorySource } from "./directory-source.js";
import { FreshLooks } from "./fresh-looks.js";
import { KeptMembers } from "./kept-members.js";
import { isAddress, keysOf, RecipientTable } from "./recipient-table.js";
import { SharedCalls } from "./shared-calls.js";

export interface KeptDirectoryOptions {
  /** As in the configuration. */
  readonly name: string;
  readonly home: string | undefined;
  /** Closed with the directory. */
  readonly source: DirectorySource;
  /** From the end of one reading of the whole to the beginning of the next. */
  readonly refreshMs: number;
  /** Where the last reading is kept for the next start. Belongs to one gateway alone. */
  readonly snapshotFile?: string | undefined;
  readonly observer: DirectoryObserver;
  readonly now: () => InstantMs;
  /** In [0, 1); Math.random unless told. */
  readonly random?: () => number;
}

type Listener = (changed: readonly MailboxAddress[] | "all") => void;

const MOST_LOOKED_AT = 10_000;
const LOOKS_AT_ONCE = 20;
const LONGEST_LOOK_MS = 30_000;

export class KeptDirectory implements MailboxDirectory {
  readonly name: string;
  readonly home: string | undefined;
  readonly decides = false;
  readonly #source: DirectorySource;
  readonly #now: () => InstantMs;
  readonly #refresh: DirectoryRefresh;
  readonly #looks = new FreshLooks(MOST_LOOKED_AT);
  readonly #calls = new SharedCalls<void>(LOOKS_AT_ONCE, LONGEST_LOOK_MS);
  readonly #members: KeptMembers;
  readonly #listeners: Listener[] = [];
  #copy: DirectoryCopy;
  #stopped: Promise<void> | undefined;

  constructor(options: KeptDirectoryOptions) {
    const { name, home, source, now, random = Math.random } = options;
    this.name = name;
    this.home = home;
    this.#source = source;
    this.#now = now;
    this.#members = new KeptMembers(source, now);
    this.#copy = { table: new RecipientTable(name, instant(0)), from: "none", readAt: undefined };
    this.#refresh = new DirectoryRefresh({
      ...options,
      random,
      inUse: () => this.#copy,
      replace: (copy, changed) => this.#replace(copy, changed),
    });
  }

  /** Resolves when there is a snapshot in use, or the first reading has ended, well or not. Never rejects. */
  start(): Promise<void> {
    return this.#refresh.start();
  }

  /** Gives up what is under way and closes the source. What is known stays to be found. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      this.#calls.abortAll();
      this.#members.abortAll();
      await this.#refresh.stop();
      await this.#source.close();
    })();
    return this.#stopped;
  }

  find(key: RecipientKey): DirectoryClaim | undefined {
    const look = this.#looks.find(key);
    return look === undefined ? this.#copy.table.find(key) : look.claim;
  }

  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    const look = this.#looks.find(key);
    if (look !== undefined && look.claim === undefined) return [];
    return this.#keysOf(key).filter(isAddress);
  }

  state(): DirectoryState {
    const { table, from, readAt } = this.#copy;
    return { from, recipients: table.recipients, readAt, problem: this.#refresh.problem };
  }

  /** How many keys the last reading found with two recipients; the first of them counts. */
  get conflicts(): number {
    return this.#copy.table.conflicts;
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** At most {@link LOOKS_AT_ONCE} addresses are looked at together; others wait for their turn, false when too many do. */
  async lookAgain(address: MailboxAddress, signal: AbortSignal): Promise<boolean> {
    if (this.#stopped !== undefined) return false;
    if (this.#looks.isFresh(address, this.#now())) return true;
    try {
      await this.#calls.ask(address, signal, (shared) => this.#look(address, shared));
      return true;
    } catch {
      return false;
    }
  }

  members(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<DirectoryMembers | undefined> {
    return this.#members.members(group, limit, signal);
  }

  async #look(address: MailboxAddress, signal: AbortSignal): Promise<void> {
    const at = this.#now();
    const record = await this.#source.readOne(address, signal);
    signal.throwIfAborted();
    // A reading that began later knows better, and is in use by now.
    if (at < this.#copy.table.learntAt) return;
    const concerned = this.#concerned([address, ...(record === undefined ? [] : keysOf(record))]);
    this.#whatChanges(concerned, () => this.#keep(address, record, at));
  }

  #keep(asked: MailboxAddress, record: DirectoryRecord | undefined, at: InstantMs): void {
    const former = this.#keysOf(asked);
    const keys = new Set<RecipientKey>(record === undefined ? [asked] : [...keysOf(record), asked]);
    // What was learnt of the former recipient's primary address is learnt of all of it. What was learnt of another
    // address only, gone or moved to somebody else, says nothing of the rest: the former recipient keeps it.
    const primary = this.find(asked)?.address;
    const gone = primary !== undefined && keys.has(primary) ? former.filter((key) => !keys.has(key)) : [];
    if (record === undefined) {
      this.#looks.keep({ claim: undefined, keys: [asked, ...gone], asked, at });
      return;
    }
    if (gone.length > 0) this.#looks.keep({ claim: undefined, keys: gone, asked: undefined, at });
    const { kind, backend, addresses, evidence } = record;
    const claim = { kind, backend, address: addresses[0], rule: `${this.name}: ${evidence}`, learntAt: at };
    this.#looks.keep({ claim, keys: [...keys], asked, at });
  }

  #replace(copy: DirectoryCopy, changed: readonly MailboxAddress[] | "all"): void {
    const { learntAt } = copy.table;
    const forgotten = this.#looks.keysBefore(learntAt);
    this.#whatChanges(
      forgotten,
      () => {
        this.#copy = copy;
        this.#looks.forgetBefore(learntAt);
      },
      changed,
    );
  }

  /** Changes something, then tells whose claims are others now: all the concerned when one is, and those known to be. */
  #whatChanges(concerned: readonly RecipientKey[], change: () => void, known: readonly MailboxAddress[] | "all" = []) {
    const before = concerned.map((key) => this.find(key));
    change();
    const isOther = concerned.some((key, i) => !sameClaim(this.find(key), before[i]));
    const others = isOther ? concerned.filter(isAddress) : [];
    const changed = known === "all" ? known : [...new Set([...known, ...others])];
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed);
  }

  #concerned(keys: readonly RecipientKey[]): RecipientKey[] {
    return [...new Set(keys.flatMap((key) => [key, ...this.#keysOf(key)]))];
  }

  /** Keys of the same recipient, as far as they lead to it. */
  #keysOf(key: RecipientKey): readonly RecipientKey[] {
    const look = this.#looks.find(key);
    if (look !== undefined) return this.#looks.keysOf(look);
    return this.#copy.table.keysOf(key).filter((one) => this.#looks.find(one) === undefined);
  }
}

function sameClaim(one: DirectoryClaim | undefined, other: DirectoryClaim | undefined): boolean {
  return one?.kind === other?.kind && one?.backend === other?.backend && one?.address === other?.address;
}
