/**
 * Decides when a directory is read anew and what counts as a reading: one that came to its end,
 * and not one that comes back empty where there were many. One that has lost more than half of a
 * hundred or more counts when the next one in its turn has, too. Until then the last reading stays.
 * After a failure the next try comes sooner, and at growing intervals.
 *
 * Reads into a table beside the one in use, a few records at a time. Must not know what the
 * table in use is for, nor how it is swapped.
 */

import { setImmediate as letOthersRun } from "node:timers/promises";
import type { InstantMs } from "../availability/time-window.js";
import type { DirectoryObserver, DirectoryState } from "../proxy/mailbox-directory.js";
import { DirectoryError, type DirectoryRecord, type DirectorySource } from "./directory-source.js";
import { inSlices } from "./in-slices.js";
import { KeptSnapshot } from "./kept-snapshot.js";
import { RecipientTable } from "./recipient-table.js";
import { settleWithin } from "./settle-within.js";
import { type Differences, differences } from "./table-differences.js";

/** A reading in use. */
export interface DirectoryCopy {
  readonly table: RecipientTable;
  readonly from: DirectoryState["from"];
  /** When the reading ended. */
  readonly readAt: InstantMs | undefined;
}

export interface RefreshParts {
  readonly name: string;
  readonly source: DirectorySource;
  /** From the end of one reading to the beginning of the next. */
  readonly refreshMs: number;
  readonly snapshotFile?: string | undefined;
  readonly observer: DirectoryObserver;
  readonly now: () => InstantMs;
  /** In [0, 1), so that many gateways do not come back at once. */
  readonly random: () => number;
  /** The copy in use. */
  readonly inUse: () => DirectoryCopy;
  readonly replace: (copy: DirectoryCopy, changed: Differences["addresses"]) => void;
}

const FIRST_RETRY_MS = 5000;
/** Longer waits overflow Node's timers and would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** A page that takes longer never comes; sources that are told to wait may take minutes. */
const LONGEST_PAGE_MS = 15 * 60_000;
/** A directory of so few may become empty in one step. */
const FEW = 10;
/** A directory of fewer may lose more than half in one step. */
const MANY = 100;

export class DirectoryRefresh {
  readonly #parts: RefreshParts;
  readonly #snapshot: KeptSnapshot | undefined;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #readProblem: string | undefined;
  /** The last reading had lost so much that it did not count. */
  #doubted = false;
  /** Of the snapshot, the last time anybody was told. */
  #toldProblem: string | undefined;

  constructor(parts: RefreshParts) {
    this.#parts = parts;
    this.#snapshot = parts.snapshotFile === undefined ? undefined : new KeptSnapshot(parts.snapshotFile);
  }

  get problem(): string | undefined {
    const problems = [this.#readProblem, this.#snapshot?.problem].filter((problem) => problem !== undefined);
    return problems.length === 0 ? undefined : problems.join("; ");
  }

  /** Resolves when the snapshot is in use, or when the first reading has come to an end or failed. To be called once. */
  start(): Promise<void> {
    return new Promise((ready) => {
      this.#running = this.#run(ready)
        .catch((error: unknown) => {
          this.#readProblem = `the directory is not read any more, because of a fault of the program: ${whatHappened(error)}`;
        })
        .finally(ready);
    });
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(ready: () => void): Promise<void> {
    const { signal } = this.#stop;
    if (await this.#load()) ready();
    for (let failures = 0; !signal.aborted; ) {
      const changed = await this.#refresh();
      ready();
      if (changed !== undefined) await this.#save(changed > 0);
      failures = changed === undefined && !this.#doubted ? failures + 1 : 0;
      await this.#wait(failures);
    }
  }

  /** A method of its own, as all that hold a table: what waits between readings must not keep an old one alive. */
  async #load(): Promise<boolean> {
    const { name, now, replace } = this.#parts;
    const loaded = await this.#snapshot?.load(name, now(), this.#stop.signal);
    this.#tellOfSnapshot();
    if (loaded === undefined) return false;
    replace({ ...loaded, from: "snapshot" }, loaded.table.recipients === 0 ? [] : "all");
    return true;
  }

  /** How many recipients have changed; undefined when there was no reading. */
  async #refresh(): Promise<number | undefined> {
    const { name, source, observer, now, inUse, replace } = this.#parts;
    const begun = now();
    const doubtedBefore = this.#doubted;
    this.#doubted = false;
    const report = (changed: number) => {
      const { recipients } = inUse().table;
      observer.directoryRead({
        directory: name,
        recipients,
        changed,
        durationMs: now() - begun,
        problem: this.#readProblem,
      });
    };
    try {
      const table = new RecipientTable(name, begun);
      await readInto(table, source, this.#stop.signal);
      const readAt = now();
      this.#refuseSuddenlyEmpty(table);
      if (!doubtedBefore) this.#doubtGreatLoss(table);
      const changed = await inSlices(differences(inUse().table, table), this.#stop.signal);
      if (this.#stop.signal.aborted) return undefined;
      this.#readProblem = undefined;
      replace({ table, from: "live", readAt }, changed.addresses);
      report(changed.recipients);
      return changed.recipients;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      this.#readProblem = `${whatHappened(error)}; ${this.#whatStays()}`;
      report(0);
      return undefined;
    }
  }

  async #save(changed: boolean): Promise<void> {
    const { table, readAt } = this.#parts.inUse();
    if (readAt !== undefined) await this.#snapshot?.save({ table, readAt }, changed, this.#stop.signal);
    this.#tellOfSnapshot();
  }

  #tellOfSnapshot(): void {
    const problem = this.#snapshot?.problem;
    if (problem !== undefined && problem !== this.#toldProblem) {
      this.#parts.observer.snapshotFailed?.(this.#parts.name, problem);
    }
    this.#toldProblem = problem;
  }

  #refuseSuddenlyEmpty(table: RecipientTable): void {
    const { recipients } = this.#parts.inUse().table;
    if (table.recipients > 0 || recipients <= FEW) return;
    const { snapshotFile } = this.#parts;
    const forget = snapshotFile === undefined ? "restart" : `remove ${snapshotFile} and restart`;
    throw new DirectoryError(
      "Empty",
      `the directory came back empty, where it had ${recipients} recipients: check what the account may read; if it really is empty, ${forget}`,
    );
  }

  #doubtGreatLoss(table: RecipientTable): void {
    const { recipients } = this.#parts.inUse().table;
    this.#doubted = recipients >= MANY && table.recipients < recipients / 2;
    if (!this.#doubted) return;
    throw new DirectoryError(
      "GreatLoss",
      `the directory came back with ${table.recipients} recipients, where it had ${recipients}: check what the account may read; if so many really are gone, the next reading will be believed`,
    );
  }

  #whatStays(): string {
    const { readAt } = this.#parts.inUse();
    return readAt === undefined
      ? "nothing is known of this directory until it can be read"
      : `what was read at ${new Date(readAt).toISOString()} stays in use`;
  }

  #wait(failures: number): Promise<void> {
    const { refreshMs, random } = this.#parts;
    const backedOffMs = FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20) * (0.8 + 0.4 * random());
    const ms = Math.min(failures === 0 ? refreshMs : Math.min(backedOffMs, refreshMs), LONGEST_TIMER_MS);
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      timer.unref();
      signal.addEventListener("abort", end);
    });
  }
}

async function readInto(table: RecipientTable, source: DirectorySource, stop: AbortSignal): Promise<void> {
  const reading = new AbortController();
  const signal = AbortSignal.any([stop, reading.signal]);
  const pages = source.readAll(signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await settleWithin(Promise.resolve(pages.next()), LONGEST_PAGE_MS, signal);
      if (page.done) return;
      await inSlices(adding(table, page.value), signal);
      await letOthersRun();
    }
  } catch (error) {
    reading.abort();
    // Not waited for: whoever hangs may hang here, too.
    Promise.resolve(pages.return?.()).catch(() => undefined);
    throw error;
  }
}

function* adding(table: RecipientTable, records: readonly DirectoryRecord[]): Generator<undefined, void> {
  for (const record of records) yield void table.add(record);
}

function whatHappened(error: unknown): string {
  if (error instanceof DirectoryError) return `${error.message} (${error.code})`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
