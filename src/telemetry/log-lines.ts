/**
 * Decides how lines leave for standard output: many in one write, a quarter of a second late at
 * most, those of the audit log sooner, and all of them when the process ends by itself. Whoever
 * writes there writes here, so that no line ends up in the middle of another.
 */

import { LogOutput, type ToldOfLoss } from "./log-output.js";

const ENOUGH_CHARACTERS = 64_000;
const LATEST_MS = 250;

export class LogLines {
  readonly #output: Pick<LogOutput, "write" | "flushSync">;
  #lines = "";
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(output: Pick<LogOutput, "write" | "flushSync">) {
    this.#output = output;
  }

  write(line: string): void {
    if (!this.#full(line)) this.#timer ??= setTimeout(() => this.#output.write(this.#taken()), LATEST_MS);
  }

  /** With all lines before it, and those that are written in the same turn. */
  writeSoon(line: string): void {
    if (!this.#full(line)) this.#soon ??= setImmediate(() => this.#output.write(this.#taken()));
  }

  /** All lines so far have left when this returns, if they can. */
  flushSync(): void {
    this.#output.flushSync(this.#taken());
  }

  /** Adds the line; true: there were enough of them to go at once. */
  #full(line: string): boolean {
    this.#lines += line;
    if (this.#lines.length < ENOUGH_CHARACTERS) return false;
    this.#output.write(this.#taken());
    return true;
  }

  #taken(): string {
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#timer = undefined;
    this.#soon = undefined;
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
