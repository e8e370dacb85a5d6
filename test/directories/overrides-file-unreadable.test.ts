/** A file of overrides that cannot be read for a while, though it looks the same all the time: no descriptors, a disk that errs. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { OverridesFile } from "../../src/directories/overrides-file.js";

vi.mock("node:fs/promises", async (original) => {
  const module = await original<typeof import("node:fs/promises")>();
  return { ...module, readFile: vi.fn(module.readFile) };
});

let directory: OverridesFile | undefined;
afterEach(() => directory?.stop());

it("a file of overrides is read when that has passed, and the problem is told once", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "overrides-")), "overrides.csv");
  writeFileSync(file, "address,owner\nbob@corp.example,workmail\n");
  const told: (string | undefined)[] = [];
  directory = new OverridesFile({
    name: "overrides",
    file,
    backends: ["exchange", "workmail"],
    checkMs: 5,
    observer: { directoryRead: ({ problem }) => void told.push(problem) },
  });
  const reading = vi.mocked(readFile);
  for (let i = 0; i < 5; i++)
    reading.mockRejectedValueOnce(Object.assign(new Error("no descriptor"), { code: "EMFILE" }));
  await directory.start();
  expect(directory.state()).toMatchObject({ from: "none", problem: expect.stringContaining("(EMFILE)") });
  await expect.poll(() => directory?.state().from, { timeout: 10_000 }).toBe("live");
  expect(directory.find("bob@corp.example" as MailboxAddress, instant(0))?.backend).toBe("workmail");
  expect(told).toEqual([expect.stringContaining("(EMFILE)"), undefined]);
  const { calls } = reading.mock;
  expect(calls).toHaveLength(6);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(calls).toHaveLength(6);
});
