/**
 * Decides how log lines leave: many in one write, a quarter of a second late at most, and all
 * of them when the process ends by itself.
 */

import { LogOutput, type ToldOfLoss } from "./log-output.js";

const ENOUGH_CHARACTERS = 64_000;
const LATEST_MS = 250;

export class LogLines {
  readonly #output: Pick<LogOutput, "write" | "flushSync">;
  #lines = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Pick<LogOutput, "write" | "flushSync">) {
    this.#output = output;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= ENOUGH_CHARACTERS) this.#output.write(this.#taken());
    else this.#timer ??= setTimeout(() => this.#output.write(this.#taken()), LATEST_MS);
  }

  /** All lines so far have left when this returns, if they can. */
  flushSync(): void {
    this.#output.flushSync(this.#taken());
  }

  #taken(): string {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    return lines;
  }
}

/** To standard output. `lost`: how many lines never got there, until now. */
export function standardLogLines(toldOfLoss: ToldOfLoss): { readonly lines: LogLines; readonly lost: () => number } {
  const output = new LogOutput(1, toldOfLoss);
  const lines = new LogLines(output);
  process.once("exit", () => lines.flushSync());
  return { lines, lost: () => output.lostLines };
}
