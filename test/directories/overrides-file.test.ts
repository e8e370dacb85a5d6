import { chmod, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { OverridesFile } from "../../src/directories/overrides-file.js";
import type { DirectoryObserver } from "../../src/proxy/mailbox-directory.js";
import { mailboxDirectoryContract } from "../contracts/mailbox-directory-contract.js";

type Reading = Parameters<DirectoryObserver["directoryRead"]>[0];

const at = (name: string) => `${name}@corp.example` as MailboxAddress;
const CHECK_MS = 5;
const NOW = instant(1000);
const SOON = { timeout: 10_000, interval: 2 };

let folder: string;
let file: string;
let readings: Reading[];
let directory: OverridesFile;

async function open(name = "overrides.csv"): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "overrides-"));
  file = join(folder, name);
  readings = [];
  directory = new OverridesFile({
    name: "overrides",
    file,
    backends: ["exchange", "workmail"],
    checkMs: CHECK_MS,
    now: () => NOW,
    observer: { directoryRead: (reading) => readings.push(reading) },
  });
}
async function close(): Promise<void> {
  directory.stop();
  await rm(folder, { recursive: true });
}
/** As it should be done: the file is there whole, or not at all. */
async function put(...lines: string[]): Promise<void> {
  await writeFile(`${file}.new`, lines.join("\n"));
  await rename(`${file}.new`, file);
}
/** Puts the file, and waits until it has been read. */
async function change(...lines: string[]): Promise<Reading> {
  const before = readings.length;
  await put(...lines);
  return nextReading(before);
}
async function nextReading(before: number): Promise<Reading> {
  await vi.waitFor(() => expect(readings.length).toBeGreaterThan(before), SOON);
  return readings.at(-1) as Reading;
}
const owner = (name: string) => directory.find(at(name), NOW)?.backend;

mailboxDirectoryContract("a file of overrides", async () => {
  await open("overrides.yaml");
  await put(
    "- {address: bob@corp.example, owner: workmail, aliases: [b.smith@corp.example]}",
    "- {address: eve@corp.example, owner: exchange}",
  );
  await directory.start();
  return {
    directory,
    known: [[at("bob"), at("b.smith")], [at("eve")]],
    now: () => NOW,
    change: async () => void (await change("- {address: bob@corp.example, owner: exchange}")),
    close,
  };
});

describe("a file of overrides", () => {
  beforeEach(() => open());
  afterEach(close);

  it("counts once start has come back, and says which line a claim comes from", async () => {
    await put("address,owner", "# Bob has moved", "bob@corp.example,workmail");
    await directory.start();
    expect(directory.find(at("bob"), NOW)).toEqual({
      kind: "mailbox",
      backend: "workmail",
      address: at("bob"),
      rule: "overrides: line 3",
      learntAt: NOW,
    });
    expect(directory.state()).toEqual({ from: "live", recipients: 1, readAt: NOW, problem: undefined });
    expect(readings).toEqual([
      { directory: "overrides", recipients: 1, changed: 1, durationMs: expect.any(Number), problem: undefined },
    ]);
  });

  it("counts anew when it has changed, and tells whom it concerns", async () => {
    await put("address,owner", "bob@corp.example,workmail", "eve@corp.example,workmail");
    await directory.start();
    const told: unknown[] = [];
    directory.onChange((changed) => told.push(changed));
    const reading = await change("address,owner", "dan@corp.example,exchange", "bob@corp.example,workmail");
    expect(reading).toMatchObject({ recipients: 2, changed: 2, problem: undefined });
    expect(told).toEqual([expect.arrayContaining([at("eve"), at("dan")])]);
    expect(["bob", "eve", "dan"].map(owner)).toEqual(["workmail", undefined, "exchange"]);
  });

  it("is not read again while it stays the same", async () => {
    await put("address,owner", "bob@corp.example,workmail");
    await directory.start();
    await new Promise((resolve) => setTimeout(resolve, 20 * CHECK_MS));
    expect(readings).toHaveLength(1);
  });

  it("changes nothing while anything in it is wrong, says what, and counts again once it is right", async () => {
    await put("address,owner", "bob@corp.example,workmail");
    await directory.start();
    const lines = ["bob@corp.example,exchange", ...Array(4).fill("eve@corp.example,workmial")];
    const reading = await change("address,owner", ...lines);
    expect(owner("bob")).toBe("workmail");
    const { from, recipients, readAt, problem } = directory.state();
    expect([from, recipients, readAt]).toEqual(["live", 1, NOW]);
    const line = (n: number) => `overrides.csv line ${n}: owner 'workmial' is no backend. Known: exchange, workmail.`;
    expect(problem).toBe(`4 problems, so the last good list stays. ${line(3)} ${line(4)} ${line(5)} And 1 more.`);
    expect(directory.problems()).toEqual([3, 4, 5, 6].map(line));
    expect(reading).toMatchObject({ recipients: 1, changed: 0, problem });

    await change("address,owner", "bob@corp.example,exchange");
    expect(owner("bob")).toBe("exchange");
    expect(directory.state().problem).toBeUndefined();
    expect(directory.problems()).toEqual([]);
  });

  it("leaves every claim as it was, wherever the bad line stands", async () => {
    await put("address,owner", "bob@corp.example,workmail");
    await directory.start();
    const good = fc.nat(99).map((n) => `user${n}@corp.example,exchange`);
    const bad = fc.constantFrom(
      "bob@corp.example",
      "bob@corp.example,nobody",
      '"bob@corp.example,exchange',
      "@,exchange",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(good, { maxLength: 10 }), bad, fc.nat(), async (lines, wrong, where) => {
        const position = where % (lines.length + 1);
        const all = ["bob@corp.example,exchange", ...lines].toSpliced(position, 0, wrong);
        const reading = await change("address,owner", ...all);
        expect(reading.problem).toMatch(`overrides.csv line ${position + 2}: `);
        expect(reading.changed).toBe(0);
        expect(directory.state()).toMatchObject({ from: "live", recipients: 1 });
        expect([owner("bob"), ...lines.map((line) => owner(line.split("@")[0] as string))]).toEqual([
          "workmail",
          ...lines.map(() => undefined),
        ]);
      }),
      { numRuns: 20 },
    );
  });

  it("that is bad from the start leaves nothing to go by", async () => {
    await put("address,owner", "bob@corp.example,workmail", "eve@corp.example,");
    await directory.start();
    expect(owner("bob")).toBeUndefined();
    expect(directory.state()).toEqual({
      from: "none",
      recipients: 0,
      readAt: undefined,
      problem: "1 problem, so no override counts. overrides.csv line 3: owner is missing. Known: exchange, workmail.",
    });
    await change("address,owner", "bob@corp.example,workmail");
    expect(directory.state()).toMatchObject({ from: "live", problem: undefined });
  });

  it("that is missing is reported once, and read when it comes", async () => {
    await directory.start();
    expect(directory.state()).toMatchObject({
      from: "none",
      problem: `1 problem, so no override counts. ${file} cannot be read (ENOENT). Expected a file that this process may read.`,
    });
    await new Promise((resolve) => setTimeout(resolve, 20 * CHECK_MS));
    expect(readings).toHaveLength(1);
    await change("address,owner", "bob@corp.example,workmail");
    expect(owner("bob")).toBe("workmail");
  });

  it("that goes missing stays in force", async () => {
    await put("address,owner", "bob@corp.example,workmail");
    await directory.start();
    await rm(file);
    expect((await nextReading(1)).problem).toMatch(/^1 problem, so the last good list stays\. .*ENOENT/);
    expect(owner("bob")).toBe("workmail");
    expect(directory.state().from).toBe("live");
  });

  it.each([
    ["is a directory", async () => void (await symlink(folder, file)), /EISDIR/],
    [
      "is no UTF-8",
      async () => writeFile(file, Buffer.from("address,owner\nj\xf6rg@corp.example,workmail", "latin1")),
      /UTF-8/,
    ],
    [
      "is no UTF-8 but what a spreadsheet calls Unicode",
      async () => writeFile(file, Buffer.from("\uFEFFaddress,owner", "utf16le")),
      /UTF-8/,
    ],
  ])("that %s is a problem, not a crash", async (_, make, problem) => {
    await make();
    await directory.start();
    expect(directory.state().problem).toMatch(problem);
  });

  it.skipIf(process.getuid?.() === 0)("is read once this process may, though nothing in it has changed", async () => {
    await put("address,owner", "bob@corp.example,workmail");
    await chmod(file, 0);
    await directory.start();
    expect(directory.state().problem).toContain("EACCES");
    await chmod(file, 0o600);
    await nextReading(1);
    expect(owner("bob")).toBe("workmail");
  });

  it("is followed when a link is turned to another file", async () => {
    for (const [name, backend] of [
      ["one", "exchange"],
      ["two", "workmail"],
    ]) {
      await writeFile(join(folder, `${name}.csv`), `address,owner\nbob@corp.example,${backend}\n`);
      await symlink(`${name}.csv`, join(folder, `${name}.link`));
    }
    await rename(join(folder, "one.link"), file);
    await directory.start();
    expect(owner("bob")).toBe("exchange");
    await rename(join(folder, "two.link"), file);
    await nextReading(1);
    expect(owner("bob")).toBe("workmail");
  });

  it("is read again when it has been written in place, as long as before and dated back", async () => {
    const date = new Date(0);
    await writeFile(file, "address,owner\nbob@corp.example,exchange");
    await utimes(file, date, date);
    await directory.start();
    await writeFile(file, "address,owner\nbob@corp.example,workmail");
    await utimes(file, date, date);
    await vi.waitFor(() => expect(owner("bob")).toBe("workmail"), SOON);
  });

  it("is left alone for as long as it looks different each time, and read once it does not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      /** One look at the file: the next one is planned when it is over. */
      const look = async () => {
        vi.runOnlyPendingTimers();
        while (vi.getTimerCount() === 0) await new Promise(setImmediate);
      };
      await put("address,owner", "bob@corp.example,workmail");
      await directory.start();
      for (const line of ["b", "bob@corp.example,exch"]) {
        await put("address,owner", line);
        await look();
      }
      await put("address,owner", "bob@corp.example,exchange");
      await look();
      expect([readings.length, owner("bob")]).toEqual([1, "workmail"]);
      await look();
      expect([readings.length, owner("bob")]).toEqual([2, "exchange"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is read no more after stop, not even to the end of a reading under way", async () => {
    await put("address,owner", ...Array.from({ length: 50_000 }, (_, i) => `user${i}@corp.example,workmail`));
    const starting = directory.start();
    directory.stop();
    await starting;
    await put("address,owner", "bob@corp.example,workmail");
    await new Promise((resolve) => setTimeout(resolve, 20 * CHECK_MS));
    expect(readings).toEqual([]);
    expect(directory.state()).toMatchObject({ from: "none", recipients: 0 });
  });

  it("of many lines is taken up whole: at no moment do some of them count and others not", async () => {
    const lines = (backend: string) => Array.from({ length: 20_000 }, (_, i) => `user${i}@corp.example,${backend}`);
    await put("address,owner", ...lines("exchange"));
    await directory.start();
    const seen = new Set<string>();
    let watching = true;
    const watch = () => {
      seen.add(`${owner("user0")} ${owner("user19999")}`);
      if (watching) setImmediate(watch);
    };
    watch();
    await change("address,owner", ...lines("workmail"));
    watching = false;
    seen.add(`${owner("user0")} ${owner("user19999")}`);
    expect([...seen]).toEqual(["exchange exchange", "workmail workmail"]);
  });
});
