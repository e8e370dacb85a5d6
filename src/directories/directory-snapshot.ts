/**
 * A directory's reading on disk, so that a gateway that starts while the directory cannot be
 * asked still knows what was last read. Decides the file's form (lines of JSON: a head, one per
 * record, and their number at the end, so that a file cut short is known by it) and that a file
 * is believed whole or not at all: every line must be one that could have been written here,
 * with canonical addresses. This keeps damage out; whoever may write to the file can still lie,
 * which is why only its owner may.
 *
 * Works in pieces, so that nobody waits long for a file of a million records. Must not know when
 * a snapshot is worth writing, nor what is done without one.
 */

import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { parseMailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type { DirectoryRecord } from "./directory-source.js";
import { RecipientTable } from "./recipient-table.js";

export type SnapshotReading =
  | { readonly kind: "read"; readonly table: RecipientTable; readonly readAt: InstantMs }
  | { readonly kind: "absent" }
  /** `problem` says what is wrong with the file. */
  | { readonly kind: "unusable"; readonly problem: string };

const FORMAT = "free/busy directory snapshot";
const VERSION = 1;
const RECORDS_AT_ONCE = 500;
const PIECE_BYTES = 128 * 1024;
const LONGEST_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/**
 * Replaces the file in one step, by way of `<file>.partial`; only its owner may read it. `readAt` is when the reading
 * ended. Rejects when the file cannot be written or the signal is aborted; what was there before is then still there.
 */
export async function writeSnapshot(
  file: string,
  table: RecipientTable,
  readAt: InstantMs,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  // Created here, never opened: its mode is ours, and it is no link to somewhere else.
  const handle = await open(partial, "wx", 0o600);
  try {
    try {
      for (const piece of pieces(table, readAt)) {
        signal.throwIfAborted();
        await handle.appendFile(piece);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Never rejects, whatever the file holds. A snapshot of another directory, or from after `now`, is not usable. */
export async function readSnapshot(
  file: string,
  directory: string,
  now: InstantMs,
  signal: AbortSignal,
): Promise<SnapshotReading> {
  try {
    const handle = await open(file, "r");
    try {
      return await readLines(handle, directory, now, signal);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "absent" };
    return { kind: "unusable", problem: error instanceof Damage ? message : `cannot be read (${code ?? message})` };
  }
}

function* pieces(table: RecipientTable, readAt: InstantMs): Generator<string> {
  const { name, learntAt, recipients } = table;
  let lines = [JSON.stringify({ format: FORMAT, version: VERSION, directory: name, learntAt, readAt })];
  for (const position of table.positions()) {
    lines.push(JSON.stringify(table.recordAt(position)));
    if (lines.length < RECORDS_AT_ONCE) continue;
    yield `${lines.join("\n")}\n`;
    lines = [];
  }
  lines.push(JSON.stringify({ records: recipients }));
  yield `${lines.join("\n")}\n`;
}

class Damage extends Error {}

async function readLines(
  handle: FileHandle,
  directory: string,
  now: InstantMs,
  signal: AbortSignal,
): Promise<SnapshotReading> {
  let table: RecipientTable | undefined;
  let readAt = now;
  let written: number | undefined;
  let line = 0;
  for await (const lines of linesOf(handle)) {
    signal.throwIfAborted();
    for (const text of lines) {
      line++;
      const value = objectOf(text, line);
      if (written !== undefined) throw new Damage(`is damaged: line ${line} comes after its end`);
      if (table === undefined) {
        const head = headOf(value, directory, now);
        readAt = head.readAt;
        table = new RecipientTable(directory, head.learntAt);
      } else if ("records" in value) {
        written = Number(value.records);
        if (written !== line - 2) throw new Damage(`is damaged: it has ${line - 2} records instead of ${written}`);
      } else {
        const record = recordOf(value);
        if (record === undefined) throw new Damage(`is damaged: line ${line} is no record`);
        table.add(record);
      }
    }
  }
  if (table === undefined || written === undefined) throw new Damage("is cut short");
  return { kind: "read", table, readAt };
}

/** Whole lines, as many as a piece of the file ends. Each piece is a read of its own, and lets others run. */
async function* linesOf(handle: FileHandle): AsyncGenerator<string[]> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let begun = Buffer.alloc(0);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) break;
    const last = piece.lastIndexOf(NEWLINE, bytesRead - 1);
    if (last !== -1 && last < bytesRead) {
      const whole = Buffer.concat([begun, piece.subarray(0, last)]).toString("utf8");
      begun = Buffer.from(piece.subarray(last + 1, bytesRead));
      yield whole.split("\n");
    } else begun = Buffer.concat([begun, piece.subarray(0, bytesRead)]);
    if (begun.length > LONGEST_LINE_BYTES) throw new Damage("is damaged: a line of it does not end");
  }
  if (begun.length > 0) throw new Damage("is cut short");
}

function objectOf(text: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Damage(`is damaged: line ${line} cannot be read`);
}

function headOf(value: Record<string, unknown>, directory: string, now: InstantMs) {
  const { format, version, directory: name, learntAt, readAt } = value;
  if (format !== FORMAT) throw new Damage("is no snapshot of a directory");
  if (version !== VERSION) throw new Damage(`is of version ${version}; this program reads version ${VERSION}`);
  if (name !== directory) throw new Damage(`is of another directory, ${JSON.stringify(name)}`);
  if (!Number.isFinite(learntAt) || !Number.isFinite(readAt)) throw new Damage("is damaged: it does not say its age");
  if (Math.max(learntAt as number, readAt as number) > now) throw new Damage("is from the future: check the clock");
  return { learntAt: instant(learntAt as number), readAt: instant(readAt as number) };
}

/** Undefined for what no table would have written. */
function recordOf(value: Record<string, unknown>): DirectoryRecord | undefined {
  const { kind, backend, addresses, legacyDns, evidence } = value;
  const isOwned = kind === "mailbox" && (backend === undefined || typeof backend === "string");
  if (!isOwned && !(kind === "group" && backend === undefined)) return undefined;
  if (typeof evidence !== "string" || !isTexts(addresses) || !isTexts(legacyDns)) return undefined;
  const [first, ...others] = addresses.flatMap((text) => {
    const address = parseMailboxAddress(text);
    return address === text ? address : [];
  });
  if (first === undefined || others.length + 1 < addresses.length) return undefined;
  return { kind, backend, addresses: [first, ...others], legacyDns, evidence };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
