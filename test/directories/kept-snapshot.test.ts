/** A snapshot on a disk that hangs: nobody waits for it for long, and what is wrong is said. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { readSnapshot, writeSnapshot } from "../../src/directories/directory-snapshot.js";
import { KeptSnapshot } from "../../src/directories/kept-snapshot.js";
import { RecipientTable } from "../../src/directories/recipient-table.js";

vi.mock("../../src/directories/directory-snapshot.js", async (original) => {
  const module = await original<typeof import("../../src/directories/directory-snapshot.js")>();
  return { readSnapshot: vi.fn(module.readSnapshot), writeSnapshot: vi.fn(module.writeSnapshot) };
});
const [reading, writing] = [vi.mocked(readSnapshot), vi.mocked(writeSnapshot)];

const never = new AbortController().signal;
const whole = { table: new RecipientTable("ad", instant(0)), readAt: instant(1_000) };
let file: string;
let snapshot: KeptSnapshot;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "snapshot-")), "ad.snapshot");
  snapshot = new KeptSnapshot(file, 50);
});

describe("a snapshot on a disk that hangs", () => {
  it("is not waited for at the start, and counts as one that cannot be used", async () => {
    reading.mockImplementationOnce(() => new Promise(() => {}));
    expect(await snapshot.load("ad", instant(2_000), never)).toBeUndefined();
    expect(snapshot.problem).toBe(
      `the snapshot ${file} cannot be read: its disk does not answer; it is written anew after a reading`,
    );
    await snapshot.save(whole, true, never);
    expect(snapshot.problem).toBeUndefined();
    expect(await new KeptSnapshot(file).load("ad", instant(2_000), never)).toMatchObject({ readAt: 1_000 });
  });

  it("is not waited for when it is written, and not written a second time meanwhile", async () => {
    let goOn = () => {};
    const hanging = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const before = writing.mock.calls.length;
    writing.mockImplementationOnce(() => hanging);
    await snapshot.save(whole, true, never);
    const problem = `the snapshot ${file} cannot be written (its disk does not answer)`;
    expect(snapshot.problem).toContain(problem);
    await snapshot.save(whole, true, never);
    expect(snapshot.problem).toContain(problem);
    expect(writing.mock.calls.length - before).toBe(1);
    goOn();
    await hanging;
    await new Promise((resolve) => setImmediate(resolve));
    await snapshot.save(whole, false, never);
    expect([snapshot.problem, writing.mock.calls.length - before]).toEqual([undefined, 2]);
  });
});
