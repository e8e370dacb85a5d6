/**
 * Decides whether a file of overrides can be used: every line of it, or none. If not, all that
 * is wrong with it at once, by line.
 *
 * Pure: knows the file's name and text, not the disk.
 */

import { overrideConflicts, type PlacedOverride } from "./override-conflicts.js";
import { overridesInCsv } from "./overrides-csv.js";
import { overridesInYaml } from "./overrides-yaml.js";
import type { PinnedMailbox } from "./pinned-index.js";
import { type BadLine, checkOverride, type WrittenOverride } from "./written-override.js";

export interface OverridesText {
  /** For messages, and for its ending: .csv, .yaml or .yml. */
  readonly fileName: string;
  readonly text: string;
  /** What may own a mailbox. */
  readonly backends: readonly string[];
  /** The directory's name, for rules. */
  readonly directory: string;
}

export type OverridesRead = { readonly overrides: readonly PinnedMailbox[] } | { readonly problems: readonly string[] };

/** Yields wherever the work may be interrupted. */
export function* readOverrides({ fileName, text, backends, directory }: OverridesText): Generator<void, OverridesRead> {
  const written = reader(fileName)?.(text);
  if (written === undefined)
    return { problems: [`${fileName} is of no kind known here. Expected .csv, .yaml or .yml.`] };
  const overrides: PlacedOverride[] = [];
  const bad: BadLine[] = [];
  for (const one of written) {
    if ("problem" in one) bad.push(one);
    else {
      const { line } = one;
      const checked = checkOverride(one, backends, `${directory}: line ${line}`);
      if ("pinned" in checked) overrides.push({ line, pinned: checked.pinned });
      else bad.push(...checked.problems.map((problem) => ({ line, problem })));
    }
    yield;
  }
  bad.push(...(yield* overrideConflicts(overrides)));
  if (bad.length === 0) return { overrides: overrides.map(({ pinned }) => pinned) };
  bad.sort((one, other) => one.line - other.line);
  return { problems: bad.map(({ line, problem }) => `${fileName} line ${line}: ${problem}`) };
}

function reader(fileName: string): ((text: string) => Iterable<WrittenOverride | BadLine>) | undefined {
  if (/\.csv$/i.test(fileName)) return overridesInCsv;
  if (/\.ya?ml$/i.test(fileName)) return overridesInYaml;
  return undefined;
}
