/** What an image holds, run from a folder that has nothing else of the project in it. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDoctorSite } from "../support/doctor-site.js";
import { PROJECT } from "../support/gateway-process.js";

describe("the image's files", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
    execFileSync(process.execPath, [join(PROJECT, "dist/packaging/bundle.js"), folder]);
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(PROJECT, "node_modules/@node-rs"), join(folder, "node_modules/@node-rs"));
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are the gateway, the doctor's independent client and the licences of what is in them", () => {
    expect(readdirSync(folder).sort()).toEqual([
      "freebusy.mjs",
      "independent-client-process.js",
      "licences.txt",
      "node_modules",
    ]);
  });

  it("examine a site like the program they were made from, round trips by the independent client included", async () => {
    const site = await startDoctorSite(join(folder, "freebusy.mjs"));
    try {
      const { code, stdout, findings } = await site.examine();
      expect(code, stdout).toBe(0);
      const trip = findings.filter(({ check }) => check === "round-trip-exchange-workmail");
      expect(trip.map(({ verdict }) => verdict)).toEqual(["fine", "fine", "fine", "fine"]);
      expect(stdout).not.toContain("by the gateway's own code");
    } finally {
      await site.close();
    }
  }, 60_000);
});
