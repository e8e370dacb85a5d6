/** The systemd unit, as systemd itself reads and judges it. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../support/gateway-process.js";

const UNIT = join(PROJECT, "packaging/freebusy.service");
const analyze = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8" });
const hasSystemd = analyze("--version").status === 0;
if (!hasSystemd) process.stderr.write("SKIPPED: the service's tests, there is no systemd-analyze\n");

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
