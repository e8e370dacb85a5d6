/** On real descriptors: a file, a disk without room, a pipe that nobody reads. */

import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogOutput } from "../../src/telemetry/log-output.js";
import { until } from "../support/until.js";

let folder: string;
const descriptors: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-output-"));
});
afterEach(() => {
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
  rmSync(folder, { recursive: true, force: true });
});
const opened = (path: string, flags: string | number) => {
  const descriptor = openSync(path, flags);
  descriptors.push(descriptor);
  return descriptor;
};
const silent = () => {};
/** As long as a batch, and told apart. */
const batch = (i: number) => `${String(i).padStart(6, "0")} ${"x".repeat(64_000)}\n`;

/** Both ends of a pipe, of which the one that is written to never blocks. */
function pipe() {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const from = opened(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { from, to: opened(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}
/** All there is just now. */
function read(from: number): string {
  const buffer = Buffer.alloc(1_048_576);
  try {
    return buffer.toString("utf8", 0, readSync(from, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
    throw error;
  }
}

describe("a log's output", () => {
  it("is all that was written, in order, the last words included", async () => {
    const file = join(folder, "log");
    const output = new LogOutput(opened(file, "a"), silent);
    for (let i = 0; i < 20; i++) output.write(batch(i));
    await until(() => readFileSync(file, "utf8").length === 20 * batch(0).length);
    // It is on the disk; that it is comes back a little later.
    await new Promise((resolve) => setTimeout(resolve, 50));
    output.flushSync("last words\n");
    expect(readFileSync(file, "utf8")).toBe(`${Array.from({ length: 20 }, (_, i) => batch(i)).join("")}last words\n`);
    expect(output.lostLines).toBe(0);
  });

  it("on a disk without room keeps a few megabytes, counts what it loses, and ends", async () => {
    const output = new LogOutput(opened("/dev/full", "w"), silent);
    for (let i = 0; i < 400; i++) output.write(batch(i));
    expect(output.lostLines).toBe(400 - Math.floor((8 * 1024 * 1024) / batch(0).length));
    await new Promise((resolve) => setTimeout(resolve, 300));
    output.flushSync("last words\n");
    expect(output.lostLines).toBeGreaterThan(200);
  });

  it("into a pipe waits for whoever reads, loses what has no room, and tells of it once there is", async () => {
    const { from, to } = pipe();
    const told: unknown[] = [];
    const output = new LogOutput(to, (...loss) => void told.push(loss));
    for (let i = 0; i < 200; i++) output.write(batch(i));
    const { lostLines } = output;
    expect(lostLines).toBeGreaterThan(50);
    let text = "";
    await until(() => {
      text += read(from);
      return told.length > 0;
    });
    text += read(from);
    expect(text).toBe(Array.from({ length: 200 - lostLines }, (_, i) => batch(i)).join(""));
    expect(told).toEqual([[lostLines, "too slow a reader"]]);
  });

  it("lets the process end, though nobody reads", () => {
    const { to, from } = pipe();
    const output = new LogOutput(to, silent);
    // More than a pipe holds.
    const text = batch(1).repeat(4);
    output.flushSync(text);
    const written = read(from);
    expect(written.length).toBeGreaterThan(0);
    expect(text.startsWith(written) && written.length < text.length).toBe(true);
  });
});
