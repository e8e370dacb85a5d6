/**
 * Decides how text reaches a descriptor, when whoever reads there is slow, gone, or a disk without room: nobody waits for
 * it, no more is kept than a few megabytes, and what is lost is counted. pino's own destination keeps everything, and at
 * the end of the process tries for ever.
 */

import { write, writeSync } from "node:fs";

const MOST_BYTES = 8 * 1024 * 1024;
/** A pipe holds some 64 KiB: as much as goes through in each of these times while its reader is the slower one. */
const BUSY_RETRY_MS = 20;
const PROBLEM_RETRY_MS = 200;
/** At the end of the process a reader has so long to make room. */
const LAST_WORDS_MS = 500;

/** Lines that were lost until it could be written again, and why it could not: the system's code. */
export type ToldOfLoss = (lines: number, problem: string) => void;

export class LogOutput {
  readonly #descriptor: number;
  readonly #toldOfLoss: ToldOfLoss;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #writing = false;
  #retry: NodeJS.Timeout | undefined;
  #problem = "too slow a reader";
  #lostLines = 0;
  #untoldLines = 0;

  constructor(descriptor: number, toldOfLoss: ToldOfLoss) {
    this.#descriptor = descriptor;
    this.#toldOfLoss = toldOfLoss;
  }

  /** Since the process began. */
  get lostLines(): number {
    return this.#lostLines;
  }

  write(text: string): void {
    if (this.#take(Buffer.from(text))) this.#next();
  }

  /** This, after all that waits still, as far as it can be written at once. Nothing follows. */
  flushSync(text: string): void {
    this.#take(Buffer.from(text));
    // What has not come back makes whatever follows it wait, too.
    if (this.#writing) return;
    const pieces = this.#waiting.splice(0);
    const until = Date.now() + LAST_WORDS_MS;
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        try {
          at += writeSync(this.#descriptor, piece, at);
        } catch (error) {
          if (!isBusy(error) || Date.now() > until) return;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
        }
      }
    }
  }

  #take(piece: Buffer): boolean {
    if (this.#bytes + piece.length > MOST_BYTES) {
      const lines = piece.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
      this.#lostLines += lines;
      this.#untoldLines += lines;
      return false;
    }
    this.#waiting.push(piece);
    this.#bytes += piece.length;
    return true;
  }

  #next(): void {
    const [piece] = this.#waiting;
    if (piece === undefined || this.#writing || this.#retry !== undefined) return;
    this.#writing = true;
    write(this.#descriptor, piece, (error, count) => {
      this.#writing = false;
      if (error === null) this.#wrote(piece, count);
      else this.#failed(error);
      this.#next();
    });
  }

  #wrote(piece: Buffer, count: number): void {
    this.#bytes -= count;
    if (count < piece.length) this.#waiting[0] = piece.subarray(count);
    else this.#waiting.shift();
    const lines = this.#untoldLines;
    // Not before all that waited is out: there would be no room for it, either.
    if (lines === 0 || this.#waiting.length > 0) return;
    this.#untoldLines = 0;
    this.#toldOfLoss(lines, this.#problem);
  }

  #failed(error: NodeJS.ErrnoException): void {
    const busy = isBusy(error);
    if (!busy) this.#problem = error.code ?? error.name;
    const again = () => {
      this.#retry = undefined;
      this.#next();
    };
    this.#retry = setTimeout(again, busy ? BUSY_RETRY_MS : PROBLEM_RETRY_MS).unref();
  }
}

/** Whoever reads has to make room first. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EBUSY";
}
