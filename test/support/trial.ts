/**
 * What an attack costs the process it is made on, noted with the test, so that a reporter can
 * print a table. A note decides nothing: what must hold is asserted.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { TestRunner } from "vitest";

export interface Trial {
  /** Of the published list of attacks, or of the part that is disturbed. */
  readonly row: string;
  readonly what: string;
  readonly outcome: string;
  readonly cost?: Cost | undefined;
}

export interface Cost {
  /** Of all threads of the process. */
  readonly processorMs: number;
  /** The most resident memory meanwhile, above what there was before. */
  readonly memoryMiB: number;
}

declare module "vitest" {
  interface TaskMeta {
    trials?: Trial[];
  }
}

export function note(trial: Trial): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("no test is running");
  test.meta.trials = [...(test.meta.trials ?? []), trial];
}

/** Does it, and notes what `outcome` makes of its result together with what it cost that process. */
export async function measured<T>(
  process: { readonly pid?: number | undefined },
  row: string,
  what: string,
  attack: () => Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const before = begin(process.pid);
  const result = await attack();
  const cost = before?.();
  note({ row, what, outcome: outcome(result), cost });
  return result;
}

/** Undefined where the system does not tell. */
function begin(pid: number | undefined): (() => Cost) | undefined {
  try {
    // Forgets the highest memory so far.
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    const [processor, resident] = [processorMs(pid), memory(pid, "VmRSS")];
    return () => ({
      processorMs: processorMs(pid) - processor,
      memoryMiB: Math.max(0, memory(pid, "VmHWM") - resident),
    });
  } catch {
    return undefined;
  }
}

function processorMs(pid: number | undefined): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ran = (thread: string) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return threads.reduce((sum, thread) => sum + ran(thread), 0) / 1e6;
}

function memory(pid: number | undefined, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
}
