/** What people copy works: every example passes the real `freebusy check`, with the secrets it names. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { CALLER_HASH, PROJECT } from "../support/gateway-process.js";
import { hasHelm, rendered } from "../support/helm.js";

const EXAMPLES = join(PROJECT, "examples");
const configurations = [
  join(PROJECT, "freebusy.example.yaml"),
  join(PROJECT, "docker/demonstration/freebusy.yaml"),
  ...readdirSync(EXAMPLES)
    .filter((file) => file.endsWith(".yaml") && file !== "values.yaml")
    .map((file) => join(EXAMPLES, file)),
];

/** On a machine that has the secrets and the folders the file names. */
function checked(text: string) {
  const machine = mkdtempSync(join(tmpdir(), "example-"));
  const moved = text
    .replaceAll("/run/secrets/freebusy/", `${machine}/secrets/`)
    .replaceAll("file:/etc/freebusy/", `file:${PROJECT}docker/demonstration/`)
    .replaceAll("/var/lib/freebusy/", `${machine}/state/`);
  mkdirSync(join(machine, "secrets"));
  mkdirSync(join(machine, "state"));
  const environment: Record<string, string> = {};
  for (const [, name = ""] of text.matchAll(/env:([A-Z_]+)/g)) {
    environment[name] = name.endsWith("_HASH") ? CALLER_HASH : "a secret";
  }
  for (const [, name = ""] of text.matchAll(/file:\/run\/secrets\/freebusy\/([A-Z_]+)/g)) {
    writeFileSync(join(machine, "secrets", name), "a secret");
  }
  const file = join(machine, "freebusy.yaml");
  writeFileSync(file, moved);
  const main = join(PROJECT, "dist/src/main.js");
  return spawnSync(process.execPath, [main, "check", "--config", file], { encoding: "utf8", env: environment });
}

describe("examples", () => {
  it.each(configurations.map((file) => [basename(file), file]))("%s passes the check", (_, file) => {
    const { status, stdout, stderr } = checked(readFileSync(file, "utf8"));
    expect(stderr).toBe("");
    expect(stdout).toContain("no problems");
    expect(status).toBe(0);
  });

  it("a typing mistake in one does not pass, so the check is one", () => {
    const text = readFileSync(join(EXAMPLES, "one-domain.yaml"), "utf8").replace("addressSpaces:", "adressSpaces:");
    const { status, stderr } = checked(text);
    expect(status).toBe(2);
    expect(stderr).toContain("adressSpaces: no such setting");
  });

  it("are all in the list", () => {
    const list = readFileSync(join(EXAMPLES, "README.md"), "utf8");
    for (const file of readdirSync(EXAMPLES)) if (file !== "README.md") expect(list).toContain(`(${file})`);
  });

  it.skipIf(!hasHelm)("the chart's values give a configuration that passes too", () => {
    const values = parse(readFileSync(join(EXAMPLES, "values.yaml"), "utf8"));
    expect(rendered(values).problem).toBe("");
    const { status, stderr } = checked(stringify(values.config));
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
