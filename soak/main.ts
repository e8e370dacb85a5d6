/**
 * Runs the gateway for many minutes under mixed load with faults, and says whether memory and
 * descriptors stay where they are, and whether any answer was wrong, late or missing.
 * `npm run soak -- --minutes 30`; `--keep FILE` keeps the result.
 *
 * Figures are taken in pauses, when nothing is under way: what is held then is held for good.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { EwsSimulator, Mode } from "../simulators/ews-simulator.js";
import { figuresOf, type Sample, summary } from "./figures.js";
import { closeLoad, oneAct, type Tally } from "./load.js";
import { type SoakSite, startSoakSite } from "./site.js";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, seed: { type: "string" }, keep: { type: "string" } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const ACTORS = 12;
const LOAD_MS = 10_000;
/** Longer than the budget: whatever was under way is over. */
const PAUSE_MS = 5_500;
const FAULTS: readonly Mode[] = [
  "busy",
  "hang",
  "reset",
  "half",
  "drip",
  "garbage",
  "html",
  "html-500",
  "empty",
  "too-few",
  "too-many",
  "unavailable",
  "bad-event",
  "disorder",
];

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
function chanceFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function load(site: SoakSite, tally: Tally, chance: () => number): Promise<void> {
  const until = Date.now() + LOAD_MS;
  const actor = async () => {
    while (Date.now() < until) {
      await oneAct(site.url, tally, chance);
      // Half of a small machine's core is enough; a soak is long, not loud.
      await wait(chance() * 40);
    }
  };
  await Promise.all(Array.from({ length: ACTORS }, actor));
}

/** A fault of its own for each round, at one backend, at both, or at the shared cache. */
function disturb(site: SoakSite, chance: () => number, faults: Map<string, number>): void {
  const told = (what: string) => faults.set(what, (faults.get(what) ?? 0) + 1);
  for (const backend of site.backends) {
    if (chance() < 0.4) continue;
    const mode = FAULTS[Math.floor(chance() * FAULTS.length)] as Mode;
    Object.assign(backend.behaviour, { mode, backOffMs: 500, latencyMs: Math.floor(chance() * 100) });
    told(mode);
  }
  if (site.redis !== undefined && chance() < 0.3) {
    site.redis.kill("SIGSTOP");
    told("redis paused");
  }
}

function calm(backends: readonly EwsSimulator[], redis: SoakSite["redis"]): void {
  for (const { behaviour } of backends) Object.assign(behaviour, { mode: "normal", latencyMs: 0 });
  redis?.kill("SIGCONT");
}

const site = await startSoakSite();
const tally: Tally = { answered: 0, views: 0, failures: 0, refused: 0, left: 0, late: 0, wrong: [] };
const chance = chanceFrom(seed);
const faults = new Map<string, number>();
const samples: Sample[] = [];
const started = Date.now();
try {
  while (Date.now() - started < minutes * 60_000) {
    disturb(site, chance, faults);
    await load(site, tally, chance);
    calm(site.backends, site.redis);
    await wait(PAUSE_MS);
    // One ordinary question after each fault: it has recovered by itself.
    const before = tally.views;
    for (let i = 0; i < 5; i++) await oneAct(site.url, tally, () => 0.01);
    if (tally.views === before) tally.wrong.push("no view after the fault was over");
    site.gateway.kill("SIGUSR2");
    await wait(500);
    samples.push(await figuresOf(site.management, Date.now() - started));
  }
} finally {
  await closeLoad();
  await site.close();
}
const { text, good } = summary({ samples, tally, faults, minutes: (Date.now() - started) / 60_000, seed });
process.stdout.write(text);
if (values.keep !== undefined) writeFileSync(values.keep, text);
process.exitCode = good ? 0 : 1;
