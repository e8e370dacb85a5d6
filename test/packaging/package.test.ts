/** The packed package, installed as a site would: without development packages and without install scripts. */

import { execFileSync, execSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PROJECT } from "../support/gateway-process.js";

let installed: string;
beforeAll(() => {
  installed = mkdtempSync(join(tmpdir(), "packed-"));
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", installed], { cwd: PROJECT });
  execFileSync("tar", ["-xzf", "freebusy-gateway-0.1.0.tgz", "--strip-components=1"], { cwd: installed });
  cpSync(join(PROJECT, "package-lock.json"), join(installed, "package-lock.json"));
  cpSync(join(PROJECT, ".npmrc"), join(installed, ".npmrc"));
  execFileSync("npm", ["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--silent"], { cwd: installed });
}, 120_000);

describe("the packed package", () => {
  it("holds the program, its documents and examples, and no test, secret or source map of a test", () => {
    const files = ["docs/configuration.md", "docs/operators-guide.md", "examples/one-domain.yaml", "CHANGELOG.md"];
    for (const file of [...files, "dist/src/main.js", "freebusy.schema.json"]) {
      expect(existsSync(join(installed, file)), file).toBe(true);
    }
    for (const file of ["test", "dist/test", "dist/bench", "src", "node_modules/vitest", "helm"]) {
      expect(existsSync(join(installed, file)), file).toBe(false);
    }
  });

  it("runs as freebusy, without install scripts", () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(installed, "dist/src/main.js"), ...args], { encoding: "utf8", input: "demo" });
    const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(run("--version").stdout.trim()).toBe(version);
    expect(run("hash-password").stdout).toMatch(/^\$argon2id\$/);
    expect(JSON.parse(run("schema").stdout)).toEqual(
      JSON.parse(readFileSync(join(installed, "freebusy.schema.json"), "utf8")),
    );
  });

  it("has a list of every package in it, in the words of the image's build", () => {
    const words = /^RUN (npm pkg .* npm sbom .*) > app/m.exec(
      readFileSync(join(PROJECT, "docker/Dockerfile"), "utf8"),
    )?.[1];
    // npm finds fault with a lock file here, and not only when somebody builds the image.
    const bom = JSON.parse(execSync(words as string, { cwd: installed, encoding: "utf8" }));
    const listed: string[] = bom.components.map(({ purl }: { purl: string }) => decodeURIComponent(purl)).sort();
    const lock = JSON.parse(readFileSync(join(installed, "node_modules/.package-lock.json"), "utf8"));
    const there = Object.entries<{ version: string }>(lock.packages).map(
      ([path, { version }]) => `pkg:npm/${path.replace(/^.*node_modules\//, "")}@${version}`,
    );
    expect(listed).toEqual([...new Set(there)].sort());
    expect(listed.length).toBeGreaterThan(100);
  });

  it("answers: its demonstration is asked about both systems, and says so when it is asked how it is", async () => {
    const demo = spawn(process.execPath, [join(installed, "dist/simulators/demo.js")], {
      env: { ...process.env, DEMO_PORT: "0", DEMO_MANAGEMENT_PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => demo.once("exit", resolve));
    onTestFinished(() => void demo.kill("SIGKILL"));
    let output = "";
    await new Promise<void>((resolve, reject) => {
      demo.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes("Ctrl-C ends it")) resolve();
      });
      void ended.then((code) => reject(new Error(`ended with ${code}: ${output}`)));
    });
    const url = /EWS +(http:\/\/[^/]+)/.exec(output)?.[1] ?? "";
    const management = /Operations +(http:\/\/[^/]+)/.exec(output)?.[1] ?? "";
    const reply = await fetch(
      `${url}/v1/availability?mailbox=alice@corp.example&mailbox=bob@corp.example&from=2026-07-01&to=2026-07-02`,
      { headers: { authorization: `Basic ${Buffer.from("client@corp.example:demo").toString("base64")}` } },
    );
    const { mailboxes } = (await reply.json()) as { mailboxes: { view?: unknown }[] };
    expect(mailboxes.map(({ view }) => view !== undefined)).toEqual([true, true]);

    const main = join(installed, "dist/src/main.js");
    const health = () =>
      spawnSync(process.execPath, [main, "health", "--management", management], { encoding: "utf8" });
    expect(health()).toMatchObject({ status: 0, stdout: "alive\n" });
    demo.kill("SIGTERM");
    await ended;
    expect(health()).toMatchObject({ status: 1, stderr: expect.stringContaining("no gateway answers") });
  });
});

describe("the build", () => {
  it("gives the same bytes in another folder and another time zone", () => {
    const run = spawnSync(join(PROJECT, "packaging/reproducible.sh"), { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.stdout).toMatch(/^\d{3,} files, the same twice: [0-9a-f]{64}\n$/);
  }, 300_000);
});
