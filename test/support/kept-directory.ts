/** A kept directory over a fake source, with a clock and timers that are moved by hand; files and turns of the event loop are real. */

import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { KeptDirectory, type KeptDirectoryOptions } from "../../src/directories/kept-directory.js";
import { FakeDirectorySource } from "./fake-directory-source.js";
import { address, mailbox } from "./recipient-records.js";

export const REFRESH_MS = 60_000;
/** What the clock shows when a test begins. */
export const BEGIN = 1_000_000;
export const never = new AbortController().signal;

export const bob = () => mailbox("workmail", "bob", "bob@corp.awsapps.com", "robert");
export const ann = () => mailbox("exchange", "ann");
export const numbered = (count: number) => Array.from({ length: count }, (_, i) => mailbox("exchange", `u${i}`));
export const people = (...names: string[]) =>
  names.map((name) => address(name.includes("@") ? name : `${name}@corp.example`));

export interface Reading {
  readonly recipients: number;
  readonly changed: number;
  readonly durationMs: number;
  readonly problem: string | undefined;
}

export const clock = { now: BEGIN };
const started: KeptDirectory[] = [];

/** For a file's tests: fakes the timers, and stops at the end what a test has made. */
export function moveTimeByHand(): void {
  beforeEach(() => {
    clock.now = BEGIN;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
    vi.useRealTimers();
  });
}

export function make(source: FakeDirectorySource, options: Partial<KeptDirectoryOptions> = {}) {
  const readings: Reading[] = [];
  const changes: (readonly MailboxAddress[] | "all")[] = [];
  const directory = new KeptDirectory({
    name: "ad",
    home: "exchange",
    source,
    refreshMs: REFRESH_MS,
    observer: { directoryRead: (reading) => void readings.push(reading) },
    now: () => instant(clock.now),
    random: () => 0.5,
    ...options,
  });
  directory.onChange((changed) => changes.push(changed));
  started.push(directory);
  const find = (name: string) => directory.find(address(`${name}@corp.example`));
  const look = (name: string, signal = never) => directory.lookAgain(address(`${name}@corp.example`), signal);
  return { source, directory, readings, changes, find, look };
}

export async function start(records: DirectoryRecord[], options: Partial<KeptDirectoryOptions> = {}) {
  const made = make(new FakeDirectorySource(records), options);
  await made.directory.start();
  made.changes.length = 0;
  return made;
}

export function pass(ms: number): void {
  clock.now += ms;
  vi.advanceTimersByTime(ms);
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Lets the time for the next reading come, and waits for what comes of it. */
export async function refresh({ readings }: { readings: Reading[] }, ms = REFRESH_MS): Promise<Reading> {
  const before = readings.length;
  await until(() => vi.getTimerCount() > 0);
  pass(ms);
  await until(() => readings.length > before);
  return readings.at(-1) as Reading;
}
