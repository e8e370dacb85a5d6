/** What a gateway does with the files another version, or another machine, has left it, between real sockets. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import { type Site, startSite, told } from "../support/gateway-process.js";

const ORGANIZATION = `m-${"0".repeat(32)}`;
let api: WorkMailApiSimulator;
let site: Site | undefined;
beforeEach(async () => {
  const bob = { id: "id-bob-000000", name: "bob", email: "bob@corp.example", aliases: ["bob@corp.awsapps.com"] };
  api = await startWorkMailApi({
    id: ORGANIZATION,
    alias: "corp",
    state: "Active",
    interoperabilityEnabled: true,
    users: [{ ...bob, state: "ENABLED", role: "USER", enabledDate: 1_750_000_000 }],
    groups: [],
    foundByAlias: true,
  });
});
afterEach(async () => {
  await Promise.all([site?.close(), api.close()]);
  site = undefined;
});

/** Bob's owner is for the directory to say, whose snapshot lies in the file. */
async function startWith(snapshotFile: string): Promise<Site> {
  const directory = `{ type: workmail, backend: workmail, resourcesBackend: exchange, region: eu-west-1, organizationId: ${ORGANIZATION}, endpoint: '${api.url}', refreshSeconds: 1, snapshotFile: '${snapshotFile}' }`;
  site = await startSite((text) => `${text.slice(0, text.indexOf("mailboxes:"))}directories: [${directory}]\n`, {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret-canary",
    AWS_EC2_METADATA_DISABLED: "true",
  });
  return site;
}
const stateOf = async (running: Site) => {
  const reply = await fetch(`${running.gateway.management}/readyz`);
  const { directories } = (await reply.json()) as {
    directories: Record<string, { problem: string | null; recipients: number }>;
  };
  return directories["workmail-directory"];
};
const headOf = (file: string) => JSON.parse(readFileSync(file, "utf8").split("\n")[0] ?? "");

describe("a rollback", () => {
  it("refuses a newer version's snapshot with a clear line, reads the directory anew and writes its own", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "snapshot-")), "workmail.snapshot");
    const newer = { format: "free/busy directory snapshot", version: 99, directory: "workmail-directory", wisdom: [1] };
    writeFileSync(file, `${JSON.stringify(newer)}\n`);
    const running = await startWith(file);
    expect(running.gateway.output()).toContain("is of version 99; this program reads version 1");
    expect(told((await running.ask(["bob@corp.example"])).text)[0]).toMatch(/^Detailed/);
    await expect.poll(() => headOf(file).version, { timeout: 10_000 }).toBe(1);
    await expect.poll(async () => (await stateOf(running))?.problem, { timeout: 10_000 }).toBeNull();
  });

  it("neither routes by a newer version's snapshot while the directory cannot be reached, nor stays down for it", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "snapshot-")), "workmail.snapshot");
    const newer = { format: "free/busy directory snapshot", version: 2, directory: "workmail-directory" };
    writeFileSync(file, `${JSON.stringify(newer)}\n{"who":"knows"}\n{"records":1}\n`);
    await api.close();
    const running = await startWith(file);
    expect(running.gateway.output()).toContain("is of version 2; this program reads version 1");
    expect((await stateOf(running))?.recipients).toBe(0);
    expect(headOf(file).version).toBe(2);
  });
});

describe("a snapshot that cannot be written", () => {
  it("is said, with what to do, and the gateway answers all the same", async () => {
    // Nobody can make files there, not even root.
    const running = await startWith("/proc/workmail.snapshot");
    expect(told((await running.ask(["bob@corp.example"])).text)[0]).toMatch(/^Detailed/);
    const problem = async () => (await stateOf(running))?.problem;
    await expect
      .poll(problem, { timeout: 10_000 })
      .toMatch(
        /the snapshot \/proc\/workmail\.snapshot cannot be written \(E[A-Z]+\): check its folder, the rights and the space/,
      );
    expect(running.gateway.output()).toContain("cannot be written");
  });
});
