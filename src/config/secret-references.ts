/**
 * Decides what a reference to a secret means (`env:NAME`, `file:/path`), at the start and
 * whenever it is looked at again. A secret's value is never part of a message.
 */

import { readFileSync } from "node:fs";

export type SecretReading = { readonly value: string } | { readonly problem: string };

/** Undefined when the text is no reference. */
export function readSecret(reference: string, environment: NodeJS.ProcessEnv): SecretReading | undefined {
  if (reference.startsWith("env:")) {
    const variable = reference.slice(4);
    const value = environment[variable];
    if (value) return { value };
    return { problem: `the environment variable ${variable} is not set. Set it, or use file:.` };
  }
  if (reference.startsWith("file:")) {
    const path = reference.slice(5);
    try {
      const value = readFileSync(path, "utf8").replace(/\r?\n$/, "");
      return value === "" ? { problem: `the file ${path} is empty.` } : { value };
    } catch (error) {
      return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
    }
  }
  return undefined;
}

/** The secrets of a configuration, by the path of the setting that refers to them. */
export class Secrets {
  readonly #references = new Map<string, string>();
  readonly #values = new Map<string, string>();
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** The problem, when it cannot be read; what is no reference is none of ours. One that comes later may be missing yet. */
  add(path: string, reference: string, mayBeMissing: boolean): string | undefined {
    const reading = readSecret(reference, this.#environment);
    if (reading === undefined) return undefined;
    if ("problem" in reading && !mayBeMissing) return reading.problem;
    this.#references.set(path, reference);
    if ("value" in reading) this.#values.set(path, reading.value);
    return undefined;
  }

  /** As it was at the start. Undefined when nothing refers to a secret there. */
  get(path: string): string | undefined {
    return this.#values.get(path);
  }

  /** Every value there is, for whoever has to keep them out of something. */
  all(): string[] {
    return [...this.#values.values()];
  }

  /** As it is now, empty when it is not there. */
  nowOrNone(path: string): string {
    const reading = readSecret(this.#references.get(path) ?? "", this.#environment);
    return reading !== undefined && "value" in reading ? reading.value : "";
  }

  /** As it is now; what cannot be read any more stays as it was. */
  now(path: string): string {
    const reading = readSecret(this.#references.get(path) ?? "", this.#environment);
    if (reading !== undefined && "value" in reading) this.#values.set(path, reading.value);
    const value = this.#values.get(path);
    if (value === undefined) throw new Error(`${path} was not resolved`);
    return value;
  }
}
