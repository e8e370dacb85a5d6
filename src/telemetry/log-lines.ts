/**
 * Decides how log lines leave: many in one write, a quarter of a second late at most, and all
 * of them when the process ends by itself. Joined here and handed on in one piece, because
 * pino's own destination measures everything it holds anew with each line it is given.
 */

import pino from "pino";

const ENOUGH_CHARACTERS = 64_000;
const LATEST_MS = 250;

/** Where joined lines go: pino's destination. */
interface LogOutput {
  write(lines: string): unknown;
  flushSync(): void;
}

export class LogLines {
  readonly #output: LogOutput;
  #lines = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(output: LogOutput) {
    this.#output = output;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= ENOUGH_CHARACTERS) this.#hand();
    else this.#timer ??= setTimeout(() => this.#hand(), LATEST_MS);
  }

  /** All lines so far have left when this returns. */
  flushSync(): void {
    this.#hand();
    this.#output.flushSync();
  }

  #hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    if (lines !== "") this.#output.write(lines);
  }
}

/** To standard output. */
export function standardLogLines(): LogLines {
  const lines = new LogLines(pino.destination({ dest: 1, sync: false }));
  process.once("exit", () => lines.flushSync());
  return lines;
}
