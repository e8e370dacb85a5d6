/**
 * What a run of a real client is: which client, what it asks, and what it must have read
 * when the gateway answers rightly. The tests hold the runs to it, `npm run clients` prints
 * how they went; there is one list for both.
 *
 * Everything is read back by the client itself and brought into one form here: times in UTC.
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface Endpoint {
  /** Where EWS is posted. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

export interface ClientRun {
  readonly client: string;
  readonly operation: string;
  /** What it means when the client read what it must have read, in a few words for the table. */
  readonly outcome: string;
  /** What to install where it is missing; undefined where it is there. */
  readonly missing: string | undefined;
  readonly run: (endpoint: Endpoint) => Promise<unknown>;
  readonly expected: unknown;
}

/** What one mailbox's answer was read as: its events, or the code of its error. */
export type Read = readonly (readonly [start: string, end: string, subject: string])[] | string;

export const ALICE = "alice@corp.example";
export const BOB = "bob@corp.example";
export const NOBODY = "nobody@corp.example";
/** One mailbox of each system, and one that does not exist. */
export const ASKED = [ALICE, BOB, NOBODY];
/** One day in summer time and one in winter time in Berlin, where the two live. */
export const DAYS = ["2026-07-01", "2026-12-02"] as const;

const [SUMMER, WINTER] = DAYS;
const at = (day: string, from: string, to: string, subject: string) =>
  [`${day}T${from}:00Z`, `${day}T${to}:00Z`, subject] as const;

/** What the simulators' calendars hold for {@link ASKED} on each of {@link DAYS}. */
export const EXPECTED: readonly (readonly Read[])[] = [
  [
    [at(SUMMER, "07:00", "07:30", "Stand-up"), at(SUMMER, "12:00", "13:00", "Summer review")],
    [at(SUMMER, "07:00", "08:00", "Project Gemini"), at(SUMMER, "09:00", "09:30", "Sync")],
    "ErrorMailRecipientNotFound",
  ],
  [
    [at(WINTER, "08:00", "08:30", "Stand-up"), at(WINTER, "13:00", "14:00", "Winter review")],
    [at(WINTER, "08:00", "09:00", "Project Gemini"), at(WINTER, "10:00", "10:30", "Sync")],
    "ErrorMailRecipientNotFound",
  ],
];
export const EXPECTED_PEOPLE = EXPECTED.map((answers) => answers.slice(0, 2));
/** Windows has this many zones, as far as the mapping the gateway is built with knows. */
export const EVERY_ZONE = 139;

/** "2026-07-01T07:00:00Z", as all runs write it. */
export const utc = (time: Date): string => time.toISOString().replace(".000Z", "Z");
export const nextDay = (day: string): string => utc(new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000)).slice(0, 10);

/** A script beside this file, wherever the compiled one lies. */
export function scriptPath(name: string): string {
  const up = import.meta.url.includes("/dist/clients/") ? "../../clients/" : "./";
  return fileURLToPath(new URL(up + name, import.meta.url));
}

const start = promisify(execFile);

/** What a client in another language printed as JSON. */
export async function printed(command: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await start(command, [...args], { timeout: 60_000, maxBuffer: 32 * 1024 * 1024 });
  return JSON.parse(stdout);
}

export const PYTHON = "/usr/bin/python3";

/** `name`, when the file that it installs is not there. */
export const unlessThere = (name: string, ...files: readonly string[]): string | undefined =>
  files.every((file) => existsSync(file)) ? undefined : name;
