/**
 * Decides when a directory's snapshot is written, and what is said when it cannot be written or
 * used. A snapshot that says the same as the last reading stays as it is for a day: a directory
 * of a million takes 200 MB. A disk that hangs keeps nobody waiting for longer than a minute.
 *
 * Must not know the file's form, nor who reads the directory.
 */

import { DAY_MS, type InstantMs } from "../availability/time-window.js";
import { readSnapshot, writeSnapshot } from "./directory-snapshot.js";
import type { RecipientTable } from "./recipient-table.js";

export interface WholeReading {
  readonly table: RecipientTable;
  /** When the reading ended. */
  readonly readAt: InstantMs;
}

const LONGEST_MS = 60_000;
const SILENT = "its disk does not answer";

export class KeptSnapshot {
  readonly #file: string;
  readonly #longestMs: number;
  /** Waited for or not. */
  #writing = false;
  #problem: string | undefined;
  /** Of the reading in the file; undefined when the file has to be written. */
  #readAt: InstantMs | undefined;

  constructor(file: string, longestMs = LONGEST_MS) {
    this.#file = file;
    this.#longestMs = longestMs;
  }

  /** What is wrong and what to do, when something is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Undefined when there is none that can be used. Never rejects. */
  async load(directory: string, now: InstantMs, signal: AbortSignal): Promise<WholeReading | undefined> {
    const reading = await answered(readSnapshot(this.#file, directory, now, signal), this.#longestMs).catch(
      ({ message }: Error) => ({ kind: "unusable", problem: `cannot be read: ${message}` }) as const,
    );
    if (signal.aborted) return undefined;
    if (reading.kind === "unusable") {
      this.#problem = `the snapshot ${this.#file} ${reading.problem}; it is written anew after a reading`;
    }
    if (reading.kind !== "read") return undefined;
    this.#readAt = reading.readAt;
    return reading;
  }

  /** `changed`: whether the reading says other things than the one before. Never rejects. */
  async save({ table, readAt }: WholeReading, changed: boolean, signal: AbortSignal): Promise<void> {
    if (!changed && this.#readAt !== undefined && readAt - this.#readAt < DAY_MS) return;
    this.#readAt = undefined;
    try {
      if (this.#writing) throw new Error(SILENT);
      this.#writing = true;
      const written = writeSnapshot(this.#file, table, readAt, signal).finally(() => {
        this.#writing = false;
      });
      await answered(written, this.#longestMs);
      this.#readAt = readAt;
      this.#problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = error as NodeJS.ErrnoException;
      const what = `the snapshot ${this.#file} cannot be written (${code ?? message})`;
      this.#problem = `${what}: check its folder, the rights and the space`;
    }
  }
}

/** Rejects when it takes longer. What has begun then goes on. */
function answered<T>(work: Promise<T>, withinMs: number): Promise<T> {
  const silent = AbortSignal.timeout(withinMs);
  return new Promise((resolve, reject) => {
    silent.addEventListener("abort", () => reject(new Error(SILENT)));
    work.then(resolve, reject);
  });
}
