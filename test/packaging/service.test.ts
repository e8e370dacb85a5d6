/** The systemd unit, as systemd itself reads and judges it. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../support/gateway-process.js";

const UNIT = join(PROJECT, "packaging/freebusy.service");
const analyze = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8" });
const hasSystemd = analyze("--version").status === 0;
if (!hasSystemd) process.stderr.write("SKIPPED: the service's tests, there is no systemd-analyze\n");

it("the service and the image give the process the same number of threads, more than Node does by itself", () => {
  const threads = ["packaging/freebusy.service", "docker/Dockerfile"].map((file) =>
    Number(/^(?:ENV |Environment=).*\bUV_THREADPOOL_SIZE=(\d+)$/m.exec(readFileSync(join(PROJECT, file), "utf8"))?.[1]),
  );
  expect(threads[0]).toBeGreaterThan(4);
  expect(threads[1]).toBe(threads[0]);
});

describe.skipIf(!hasSystemd)("the service", () => {
  it("is a unit without mistakes", () => {
    const { stderr } = analyze("verify", "--man=no", UNIT);
    // Complaints about other units of this machine are not ours.
    expect(stderr.split("\n").filter((line) => line.includes("freebusy"))).toEqual([]);
  });

  it("is exposed as little as a network service can be that compiles while it runs", () => {
    const { stdout } = analyze("security", "--offline=yes", "--no-pager", UNIT);
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(1.5);
  });
});
