import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../support/gateway-process.js";

const MAIN = join(PROJECT, "dist/src/main.js");
const reason = (...words: string[]) => spawnSync(process.execPath, [MAIN, "reason", ...words], { encoding: "utf8" });

describe("freebusy reason", () => {
  it("explains a word from a log, with or without its brackets, and lists all words without one", () => {
    for (const word of ["backend-busy", "[backend-busy]"]) {
      const { status, stdout } = reason(word);
      expect([status, stdout.split("\n")[0]]).toEqual([0, "backend-busy"]);
      expect(stdout).toContain("Remedy (the gateway's operator)");
    }
    const all = reason();
    expect(all.status).toBe(0);
    expect(all.stdout).toMatch(/^ntlm-stale +The client's time/m);
  });

  it("says that there is no such word, with exit code 2, and does not mind a reader that has seen enough", () => {
    const { status, stderr } = reason("hash-marks");
    expect([status, stderr]).toEqual([2, "freebusy: there is no reason 'hash-marks'. freebusy reason lists all.\n"]);
    const piped = spawnSync("bash", ["-c", `set -o pipefail; "${process.execPath}" "${MAIN}" reason | head -1`], {
      encoding: "utf8",
    });
    expect([piped.status, piped.stderr]).toEqual([0, ""]);
  });
});
