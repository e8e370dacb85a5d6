/**
 * Measures the gateway's copy of a directory: look-ups, memory, and how long building and
 * refreshing it keep the event loop from everything else. Each size in a process of its own.
 * `npm run build && node dist/bench/directory.js`
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as letOthersRun, setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { MailboxAddress } from "../src/availability/mailbox-address.js";
import { instant } from "../src/availability/time-window.js";
import type { DirectoryRecord, DirectorySource } from "../src/directories/directory-source.js";
import { KeptDirectory } from "../src/directories/kept-directory.js";

const SIZES = [10_000, 100_000, 1_000_000];
const PAGE = 1000;
const LOOK_UPS = 2_000_000;
const RESOLUTION_MS = 1;
const MB = 1024 * 1024;

interface Measured {
  readonly recipients: number;
  readonly perSecond: number;
  readonly missesPerSecond: number;
  readonly baseRss: number;
  readonly rss: number;
  readonly peakRss: number;
  readonly builtMs: number;
  readonly buildBlockMs: number;
  readonly refreshMs: number;
  readonly refreshBlockMs: number;
  readonly snapshotBytes: number;
  readonly saveBlockMs: number;
  readonly loadedMs: number;
  readonly loadBlockMs: number;
}

const addressOf = (i: number, form: number) =>
  [`firstname.lastname${i}@corp.example`, `fl${i}@corp.example`, `firstname.lastname${i}@organization.awsapps.com`][
    form
  ] as MailboxAddress;

/** `round` moves one recipient in a hundred to the other side. */
function record(i: number, round: number): DirectoryRecord {
  const moved = i % 100 === round % 100;
  return {
    kind: "mailbox",
    backend: moved ? "exchange" : "workmail",
    addresses: [addressOf(i, 0), addressOf(i, 1), addressOf(i, 2)],
    legacyDns: [],
    evidence: moved ? "msExchRecipientTypeDetails 1 (user mailbox)" : "ENABLED, role USER",
  };
}

class Source implements DirectorySource {
  readonly #recipients: number;
  round = 0;

  constructor(recipients: number) {
    this.#recipients = recipients;
  }

  async *readAll(): AsyncGenerator<readonly DirectoryRecord[]> {
    for (let from = 0; from < this.#recipients; from += PAGE) {
      // A page of a real source comes from a socket, so after a turn of the event loop.
      await letOthersRun();
      yield Array.from({ length: Math.min(PAGE, this.#recipients - from) }, (_, i) => record(from + i, this.round));
    }
  }

  readOne = async () => undefined;
  readMembers = async () => undefined;
  close = async () => undefined;
}

/** The longest time the event loop was not to be had, and the most memory, until `end` is called. */
function watch() {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let peakRss = process.memoryUsage.rss();
  const sampler = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }, 10);
  delay.enable();
  const started = performance.now();
  return {
    end() {
      delay.disable();
      clearInterval(sampler);
      return { ms: performance.now() - started, blockMs: delay.max / 1e6 - RESOLUTION_MS, peakRss };
    },
  };
}

function lookUps(directory: KeptDirectory, keys: readonly MailboxAddress[], expected: boolean): number {
  let found = 0;
  const started = performance.now();
  for (let done = 0; done < LOOK_UPS; done += keys.length) {
    for (const key of keys) if (directory.find(key) !== undefined) found++;
  }
  const perSecond = LOOK_UPS / ((performance.now() - started) / 1000);
  if (found !== (expected ? LOOK_UPS : 0)) throw new Error(`${found} found`);
  return perSecond;
}

async function measure(recipients: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "bench-directory-"));
  const snapshotFile = join(folder, "snapshot");
  const source = new Source(recipients);
  let reading: { changed: number; problem: string | undefined } | undefined;
  const options = (refreshMs: number, snapshot: boolean) => ({
    name: "bench",
    home: undefined,
    source,
    refreshMs,
    snapshotFile: snapshot ? snapshotFile : undefined,
    observer: { directoryRead: (outcome: { changed: number; problem: string | undefined }) => (reading = outcome) },
    now: () => instant(Date.now()),
  });
  const baseRss = process.memoryUsage.rss();

  const building = watch();
  const directory = new KeptDirectory(options(3000, false));
  await directory.start();
  const built = building.end();
  await sleep(1000);
  const rss = process.memoryUsage.rss();

  // Three in a row, because what the first leaves behind counts for the next.
  let refresh = { ms: 0, blockMs: 0, peakRss: 0 };
  for (let i = 0; i < 3; i++) {
    source.round++;
    reading = undefined;
    const refreshing = watch();
    const waited = performance.now();
    while (reading === undefined) await sleep(20);
    const one = refreshing.end();
    const { changed, problem } = reading as { changed: number; problem: string | undefined };
    if (problem !== undefined || changed !== recipients / 50) throw new Error(`${changed} changed; ${problem}`);
    refresh = {
      ms: performance.now() - waited,
      blockMs: Math.max(refresh.blockMs, one.blockMs),
      peakRss: Math.max(refresh.peakRss, one.peakRss),
    };
  }

  await directory.stop();

  const keys = Array.from({ length: Math.min(recipients, 1_000_000) }, () =>
    Buffer.from(addressOf(Math.floor(Math.random() * recipients), Math.floor(Math.random() * 3))).toString("latin1"),
  ) as MailboxAddress[];
  const strangers = keys.map((key) => Buffer.from(`x${key}`).toString("latin1") as MailboxAddress);
  // The best of some, because others may be at work on the machine.
  const best = (those: readonly MailboxAddress[], expected: boolean) =>
    Math.max(...[1, 2, 3, 4].map(() => lookUps(directory, those, expected)));
  const perSecond = best(keys, true);
  const missesPerSecond = best(strangers, false);
  keys.length = 0;
  strangers.length = 0;

  const saving = watch();
  const first = new KeptDirectory(options(1_000_000, true));
  await first.start();
  while (statSync(snapshotFile, { throwIfNoEntry: false }) === undefined) await sleep(20);
  await first.stop();
  const saved = saving.end();

  const loading = watch();
  const second = new KeptDirectory(options(1_000_000, true));
  await second.start();
  const loaded = loading.end();
  if (second.state().from !== "snapshot" || second.state().recipients !== recipients) throw new Error("not loaded");
  await second.stop();
  const snapshotBytes = statSync(snapshotFile).size;
  rmSync(folder, { recursive: true });
  return {
    recipients,
    perSecond,
    missesPerSecond,
    baseRss,
    rss,
    peakRss: refresh.peakRss,
    builtMs: built.ms,
    buildBlockMs: built.blockMs,
    refreshMs: refresh.ms,
    refreshBlockMs: refresh.blockMs,
    snapshotBytes,
    saveBlockMs: saved.blockMs,
    loadedMs: loaded.ms,
    loadBlockMs: loaded.blockMs,
  };
}

const [size] = process.argv.slice(2);
if (size !== undefined) console.log(JSON.stringify(await measure(Number(size))));
else {
  const rows = SIZES.map((recipients) => {
    const answer = execFileSync(process.execPath, [fileURLToPath(import.meta.url), String(recipients)]).toString();
    return JSON.parse(answer) as Measured;
  });
  const mb = (bytes: number) => `${Math.round(bytes / MB)} MB`;
  const ms = (time: number) => `${time < 100 ? time.toFixed(1) : Math.round(time)} ms`;
  const million = (count: number) => `${(count / 1e6).toFixed(2)} M/s`;
  const table: [string, (row: Measured) => string][] = [
    ["look-ups of present keys, one core", (row) => million(row.perSecond)],
    ["look-ups of absent keys, one core", (row) => million(row.missesPerSecond)],
    ["RSS before", (row) => mb(row.baseRss)],
    ["RSS with one table", (row) => mb(row.rss)],
    ["peak RSS while refreshed beside it (three times)", (row) => mb(row.peakRss)],
    ["building: time", (row) => ms(row.builtMs)],
    ["building: longest block of the event loop", (row) => ms(row.buildBlockMs)],
    ["refreshing and comparing: longest block", (row) => ms(row.refreshBlockMs)],
    ["snapshot: size", (row) => mb(row.snapshotBytes)],
    ["snapshot: longest block while building and writing", (row) => ms(row.saveBlockMs)],
    ["snapshot: time to load", (row) => ms(row.loadedMs)],
    ["snapshot: longest block while loading", (row) => ms(row.loadBlockMs)],
  ];
  console.log(`Node ${process.version}; load average at the end: ${(loadavg()[0] as number).toFixed(1)}\n`);
  console.log(`| mailboxes, each with a primary address and two aliases | ${SIZES.join(" | ")} |`);
  console.log(`| --- | ${SIZES.map(() => "--: |").join(" ")}`);
  for (const [what, show] of table) console.log(`| ${what} | ${rows.map(show).join(" | ")} |`);
}
