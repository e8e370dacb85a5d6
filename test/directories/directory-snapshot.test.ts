import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type InstantMs, instant } from "../../src/availability/time-window.js";
import { readSnapshot, writeSnapshot } from "../../src/directories/directory-snapshot.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { RecipientTable } from "../../src/directories/recipient-table.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { anyRecords, fill, group, mailbox, owners } from "../support/recipient-records.js";

const folder = mkdtempSync(join(tmpdir(), "snapshot-"));
afterAll(() => rmSync(folder, { recursive: true }));
let file = "";
let count = 0;
beforeEach(() => {
  file = join(folder, `${count++}.ndjson`);
});

const NOW = instant(1_000_000);
const never = new AbortController().signal;
const table = (records: Iterable<DirectoryRecord>) => fill(new RecipientTable("ad", instant(500)), records);
const all = (one: RecipientTable) => [...one.positions()].map((position) => one.recordAt(position));
const read = (now: InstantMs = NOW) => readSnapshot(file, "ad", now, never);
const write = (one: RecipientTable) => writeSnapshot(file, one, instant(900), never);

const SOME = [
  mailbox("workmail", "bob@corp.awsapps.com", "bob"),
  { ...mailbox(undefined, "jürgen"), legacyDns: ["/o=corp/cn=日本"] },
  group("team"),
];

describe("a snapshot of a directory", () => {
  it("gives back the table that was written, and when it was read", async () => {
    await write(table(SOME));
    const reading = await read();
    if (reading.kind !== "read") throw new Error(JSON.stringify(reading));
    expect(all(reading.table)).toEqual(SOME);
    expect(reading.readAt).toBe(900);
    expect(reading.table.find(legacyKey("/O=Corp/CN=日本"))).toEqual({
      kind: "mailbox",
      backend: undefined,
      address: "jürgen@corp.example",
      rule: "ad: type of undefined",
      learntAt: 500,
    });
  });

  it("gives back any table", async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const one = table(records);
        await write(one);
        const reading = await read();
        if (reading.kind !== "read") throw new Error(JSON.stringify(reading));
        expect(all(reading.table)).toEqual(all(one));
        for (const key of owners(records).keys()) expect(reading.table.find(key)).toEqual(one.find(key));
      }),
      { numRuns: 100 },
    );
  });

  it("holds more than is written or read at once, and a record larger than that", async () => {
    const large = Array.from({ length: 20_000 }, (_, i) => `alias${i}`) as [string, ...string[]];
    const many = Array.from({ length: 3_000 }, (_, i) => mailbox("exchange", `u${i}`, `ü${i}`));
    await write(table([...many, mailbox("exchange", ...large), mailbox("exchange", "last")]));
    const reading = await read();
    if (reading.kind !== "read") throw new Error(JSON.stringify(reading));
    expect(all(reading.table)).toHaveLength(3_002);
    expect(all(reading.table)[3_000]?.addresses).toHaveLength(20_000);
  });

  it("is recognised as cut wherever it was cut", async () => {
    await write(table(SOME));
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const reading = await read();
      expect(reading, `${length} bytes`).toEqual({ kind: "unusable", problem: "is cut short" });
    }
  });

  it("is never taken for another table when a byte of it has changed", async () => {
    await write(table(SOME));
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = 0;
      writeFileSync(file, changed);
      expect((await read()).kind, `byte ${at}`).toBe("unusable");
    }
  });

  it.each<[string, (lines: string[]) => string[], string]>([
    ["no JSON", (lines) => lines.with(2, "{"), "is damaged: line 3 cannot be read"],
    ["no object", (lines) => lines.with(2, "null"), "is damaged: line 3 cannot be read"],
    ["another file", () => ["{}"], "is no snapshot of a directory"],
    ["another version", (lines) => lines.with(0, (lines[0] as string).replace(":1,", ":2,")), "is of version 2"],
    ["another directory's", (lines) => lines.with(0, (lines[0] as string).replace("ad", "ae")), 'directory, "ae"'],
    ["without its age", (lines) => lines.with(0, (lines[0] as string).replace("900", "null")), "does not say its age"],
    ["from the future", (lines) => lines.with(0, (lines[0] as string).replace("900", "1e9")), "check the clock"],
    ["short of a record", (lines) => lines.toSpliced(2, 1), "it has 2 records instead of 3"],
    ["longer than its end", (lines) => [...lines, lines[2] as string], "line 6 comes after its end"],
    ["a record without a type", (lines) => lines.with(1, "{}"), "line 2 is no record"],
  ])("says what is wrong with one that is %s", async (_, change, problem) => {
    await write(table(SOME));
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    writeFileSync(file, `${change(lines).join("\n")}\n`);
    expect(await read()).toEqual({ kind: "unusable", problem: expect.stringContaining(problem) });
  });

  it("is not believed when something lies behind its end", async () => {
    await write(table(SOME));
    writeFileSync(file, "x", { flag: "a" });
    expect((await read()).kind).toBe("unusable");
  });

  it.each<[string, object]>([
    ["of an unknown kind", { kind: "room" }],
    ["of a group that a backend has", { kind: "group", backend: "workmail" }],
    ["with a backend that is no name", { backend: 7 }],
    ["without an address", { addresses: [] }],
    ["with an address in another spelling", { addresses: ["Bob@corp.example"] }],
    ["with something else for an address", { addresses: ["bob@corp.example", "<script>"] }],
    ["with a number for an address", { addresses: [7] }],
    ["with text for its addresses", { addresses: "bob@corp.example" }],
    ["with a name that is none", { legacyDns: [null] }],
    ["without evidence", { evidence: undefined }],
  ])("is refused as a whole for a record %s", async (_, change) => {
    await write(table(SOME));
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    lines[1] = JSON.stringify({ ...SOME[0], ...change });
    writeFileSync(file, `${lines.join("\n")}\n`);
    expect(await read()).toEqual({ kind: "unusable", problem: "is damaged: line 2 is no record" });
  });

  it("is absent where there is no file, and unusable where there is something else", async () => {
    expect(await read()).toEqual({ kind: "absent" });
    mkdirSync(file);
    expect(await read()).toEqual({ kind: "unusable", problem: "cannot be read (EISDIR)" });
  });

  it("may be read by its owner only, also in place of a file that others could read", async () => {
    writeFileSync(file, "old", { mode: 0o644 });
    writeFileSync(`${file}.partial`, "left behind", { mode: 0o644 });
    await write(table(SOME));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await read()).kind).toBe("read");
  });

  it("is not written through a link that lies in its way", async () => {
    const elsewhere = join(folder, "elsewhere");
    writeFileSync(elsewhere, "precious");
    symlinkSync(elsewhere, `${file}.partial`);
    await write(table(SOME));
    expect(readFileSync(elsewhere, "utf8")).toBe("precious");
    expect((await read()).kind).toBe("read");
  });

  it("stays as it was when another cannot be written whole, and nothing is left behind", async () => {
    await write(table(SOME));
    const abort = new AbortController();
    const many = Array.from({ length: 5_000 }, (_, i) => mailbox("exchange", `u${i}`));
    const writing = writeSnapshot(file, table(many), NOW, abort.signal);
    setImmediate(() => abort.abort());
    await expect(writing).rejects.toThrow();
    expect(existsSync(`${file}.partial`)).toBe(false);
    expect(await read()).toMatchObject({ kind: "read", readAt: 900 });
  });

  it("cannot be written where there is no folder", async () => {
    file = join(folder, "nowhere", "file");
    await expect(write(table(SOME))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is given up on when whoever starts has given up", async () => {
    await write(table(SOME));
    expect(await readSnapshot(file, "ad", NOW, AbortSignal.abort())).toMatchObject({ kind: "unusable" });
  });
});
