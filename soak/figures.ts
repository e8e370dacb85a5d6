/**
 * Decides what "flat" means: the middle of the last third of the samples against the middle
 * third, so that neither warming up nor one large collection decides. Reads the gateway's own
 * metrics, as an operator would.
 */

import { request } from "undici";
import type { Tally } from "./load.js";

export interface Sample {
  readonly afterMs: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly descriptors: number;
  readonly handles: number;
}

const MIB = 1_048_576;
const FIELDS = {
  residentMiB: ["process_resident_memory_bytes", MIB],
  heapMiB: ["nodejs_heap_size_used_bytes", MIB],
  externalMiB: ["nodejs_external_memory_bytes", MIB],
  descriptors: ["process_open_fds", 1],
  handles: ["nodejs_active_handles_total", 1],
} as const;
type Field = keyof typeof FIELDS;

export async function figuresOf(management: string, afterMs: number): Promise<Sample> {
  const text = await (await request(`${management}/metrics`)).body.text();
  const value = (field: Field) => {
    const [name, unit] = FIELDS[field];
    return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]) / unit;
  };
  return {
    afterMs,
    residentMiB: value("residentMiB"),
    heapMiB: value("heapMiB"),
    externalMiB: value("externalMiB"),
    descriptors: value("descriptors"),
    handles: value("handles"),
  };
}

/** What may be more in the last third than in the one before: noise of a collector, and nothing else. */
const MAY_GROW: Readonly<Record<Field, number>> = {
  residentMiB: 15,
  heapMiB: 8,
  externalMiB: 8,
  descriptors: 3,
  handles: 3,
};

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly tally: Tally;
  readonly faults: ReadonlyMap<string, number>;
  readonly minutes: number;
  readonly seed: number;
}

export function summary({ samples, tally, faults, minutes, seed }: SoakResult): { text: string; good: boolean } {
  const third = Math.floor(samples.length / 3);
  const rows = (Object.keys(FIELDS) as Field[]).map((field) => {
    const parts = [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)];
    const [first, middle, last] = parts.map((part) => median(part.map((sample) => sample[field])));
    const flat = (last as number) - (middle as number) <= MAY_GROW[field];
    const perHour = slope(samples.slice(third), field);
    return { field, first, middle, last, perHour, flat };
  });
  const good = samples.length >= 9 && rows.every(({ flat }) => flat) && tally.wrong.length === 0 && tally.late === 0;
  const number = (value: number | undefined) => (value ?? Number.NaN).toFixed(1);
  const table = rows.map(
    ({ field, first, middle, last, perHour, flat }) =>
      `| ${field} | ${number(first)} | ${number(middle)} | ${number(last)} | ${number(perHour)} | ${flat ? "flat" : "GROWS"} |`,
  );
  const text = `# Soak

Mixed load with faults on the real process, for ${minutes.toFixed(1)} minutes (seed ${seed}, Node ${process.version}); \`npm run soak\`
makes this table. Each of the ${samples.length} rounds is ten seconds of load with faults, then a pause in which figures are taken, and
ordinary questions that must be answered with views again.

| figure, median of each third | first | middle | last | slope after the first third, per hour | |
| --- | --- | --- | --- | --- | --- |
${table.join("\n")}

| what happened | how often |
| --- | --- |
| answers | ${tally.answered} (mailboxes: ${tally.views} views, ${tally.failures} failures) |
| refusals of wrong passwords and hostile XML | ${tally.refused} |
| callers who left before their answer | ${tally.left} |
| wrong or missing answers | ${tally.wrong.length} |
| answers after the budget | ${tally.late} |
| faults | ${[...faults].map(([what, count]) => `${what} ${count}`).join(", ")} |

${
  good
    ? "Good: nothing wrong, nothing late, nothing grows."
    : `NOT GOOD.${[...new Set(tally.wrong)]
        .slice(0, 20)
        .map((what) => `\n- ${what}`)
        .join("")}`
}
`;
  return { text, good };
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Of the line with the least squares, per hour. */
function slope(samples: readonly Sample[], field: Field): number {
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [times, all] = [samples.map(({ afterMs }) => afterMs / 3_600_000), samples.map((sample) => sample[field])];
  const [middle, level] = [mean(times), mean(all)];
  const spread = times.reduce((sum, time) => sum + (time - middle) ** 2, 0);
  return times.reduce((sum, time, i) => sum + (time - middle) * ((all[i] as number) - level), 0) / spread;
}
