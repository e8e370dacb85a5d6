/**
 * Decides how a line is written that every lookup leaves in the log: as pino itself would write it, but all its fields by
 * one call of JSON.stringify. pino writes them piece by piece; that takes twice as long, and what it leaves behind for the
 * collector costs as much again. For plain data only: no `err`, no serializers.
 */

import pino, { type Logger } from "pino";

const INFO = pino.levels.values.info as number;

/** What pino offers those who extend it, as far as it is used here. */
interface Inside {
  /** How lines of each level begin. */
  readonly [pino.symbols.lsCacheSym]: Readonly<Record<number, string>>;
  readonly [pino.symbols.timeSym]: () => string;
  /** What stands in every line. */
  readonly [pino.symbols.chindingsSym]: string;
  readonly [pino.symbols.streamSym]: { write(line: string): unknown };
}

export class FrequentLine {
  readonly #log: Logger;
  readonly #inside: Inside;
  readonly #end: string;

  constructor(log: Logger, message: string) {
    this.#log = log;
    this.#inside = log as unknown as Inside;
    this.#end = `,"msg":${JSON.stringify(message)}}\n`;
  }

  /** At level info. `fields`: at least one that is not undefined, none of them named as what stands in every line. */
  write(fields: object): void {
    if (!this.#log.isLevelEnabled("info")) return;
    const { symbols } = pino;
    const inside = this.#inside;
    const head = `${inside[symbols.lsCacheSym][INFO]}${inside[symbols.timeSym]()}${inside[symbols.chindingsSym]}`;
    inside[symbols.streamSym].write(`${head},${JSON.stringify(fields).slice(1, -1)}${this.#end}`);
  }
}
