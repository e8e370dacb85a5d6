/** Directories are taken away, stopped and slowed while mailboxes are asked about: what was known of them goes on counting. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import { DOMAIN_DN, SERVICE_DN, SERVICE_PASSWORD } from "../support/active-directory.js";
import * as ber from "../support/ber.js";
import { disturbed } from "../support/chaos.js";
import { type Site, startSite } from "../support/gateway-process.js";
import { replacement } from "../support/impostor.js";
import { hasSlapd, SLAPD_MISSING, type Slapd, startSlapd } from "../support/slapd.js";

if (!hasSlapd) process.stderr.write(SLAPD_MISSING);

const ORGANIZATION = `m-${"0".repeat(32)}`;
let api: WorkMailApiSimulator;
let slapd: Slapd | undefined;
let site: Site;

beforeAll(async () => {
  api = await startWorkMailApi({
    id: ORGANIZATION,
    alias: "corp",
    state: "Active",
    interoperabilityEnabled: true,
    users: (["alice", "bob"] as const).map((name) => ({
      id: `id-${name}-000000`,
      name,
      email: `${name}@corp.example`,
      aliases: [`${name}@corp.awsapps.com`],
      state: name === "bob" ? "ENABLED" : "DISABLED",
      role: "USER",
      enabledDate: 1_750_000_000,
    })),
    groups: [],
    foundByAlias: true,
  });
  const person = (name: string, details: string) => ({
    dn: `CN=${name},${DOMAIN_DN}`,
    objectClass: ["user", "mailRecipient"],
    cn: name,
    mail: `${name}@corp.example`,
    proxyAddresses: `SMTP:${name}@corp.example`,
    msExchRecipientTypeDetails: details,
    ...(details === "128" && { targetAddress: `SMTP:${name}@corp.awsapps.com` }),
  });
  if (hasSlapd) slapd = await startSlapd([person("alice", "1"), person("bob", "128")]);
  const caFile = join(mkdtempSync(join(tmpdir(), "chaos-")), "ca.pem");
  if (slapd) writeFileSync(caFile, slapd.ca);
  const kept = "refreshSeconds: 1, timeoutSeconds: 1";
  const ldap = slapd
    ? `\n  - { type: ldap, backend: exchange, url: '${slapd.url}', startTls: true, caFile: '${caFile}', bindDn: '${SERVICE_DN}', password: 'env:LDAP_PASSWORD', baseDn: '${DOMAIN_DN}', ${kept} }`
    : "";
  site = await startSite(
    (text) =>
      `${text.slice(0, text.indexOf("mailboxes:"))}directories:\n  - { type: workmail, backend: workmail, resourcesBackend: exchange, region: eu-west-1, organizationId: ${ORGANIZATION}, endpoint: '${api.url}', ${kept} }${ldap}\n`,
    {
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret-canary",
      AWS_EC2_METADATA_DISABLED: "true",
      LDAP_PASSWORD: SERVICE_PASSWORD,
    },
  );
});
afterAll(async () => {
  await site?.close();
  await Promise.all([api?.close(), slapd?.remove()]);
});

/** What readiness says is wrong with directories. */
async function problems(): Promise<string[]> {
  const reply = await fetch(`${site.gateway.management}/readyz`);
  const { directories } = (await reply.json()) as {
    directories: Record<string, { problem: string | null; from: string }>;
  };
  return Object.entries(directories).flatMap(([name, { problem, from }]) =>
    problem === null && from !== "none" ? [] : [`${name}: ${problem ?? from}`],
  );
}

/** Both are answered for all the time, because what was read of directories goes on counting; and the problem is told, and ends. */
async function disturbDirectory(row: string, what: string, begin: () => unknown, end: () => unknown): Promise<void> {
  await expect.poll(problems, { timeout: 20_000 }).toEqual([]);
  let seen: string[] = [];
  const answers = await disturbed(site.gateway.url, {
    row,
    what,
    unharmed: [0, 1],
    begin,
    end: async () => {
      // Throttled calls are repeated, later each time, before a reading is given up: that alone takes ten seconds.
      await expect.poll(async () => (seen = await problems()), { timeout: 30_000 }).not.toEqual([]);
      await end();
    },
  });
  for (const { said } of answers) {
    expect(said.slice(0, 2)).toEqual(["DetailedMerged Stand-up", "DetailedMerged Sync"]);
  }
  expect(seen.join()).not.toMatch(/canary|CN=/i);
  await expect.poll(problems, { timeout: 20_000 }).toEqual([]);
}

describe("WorkMail's control API", () => {
  it.each([
    ["down", "resets every connection", {}],
    ["throttle", "throttles every call", { every: 1 }],
    ["deny", "denies every call", { denied: [] }],
    ["slow", "takes longer than it is given", { latencyMs: 3_000 }],
  ] as const)("%s", { timeout: 60_000 }, async (mode, what, more) => {
    const begin = () => Object.assign(api.behaviour, { mode, ...more });
    await disturbDirectory("AWS", what, begin, () => Object.assign(api.behaviour, { mode: "normal" }));
  });
});

describe.skipIf(!hasSlapd)("the LDAP server", () => {
  it("is killed, and started again", { timeout: 60_000 }, async () => {
    await disturbDirectory(
      "LDAP",
      "killed",
      () => slapd?.server.kill(),
      () => slapd?.server.start(),
    );
  });

  it("is stopped, and goes on", { timeout: 60_000 }, async () => {
    await disturbDirectory(
      "LDAP",
      "stopped (SIGSTOP)",
      () => slapd?.server.pause(),
      () => slapd?.server.resume(),
    );
  });

  it.each([
    ["sends random bytes", () => Buffer.from("c3289f00ff0d0a2b2d24", "hex")],
    ["answers with a value longer than its attribute", (id: number) => ber.message(id, ber.ENDLESS_ENTRY)],
    ["names a message of four gigabytes", () => Buffer.from("3084ffffffff", "hex")],
  ])("is replaced by what %s", { timeout: 60_000 }, async (what, says) => {
    const { begin, end } = replacement(slapd as Slapd, (socket) => {
      socket.on("data", (asked) => socket.write(says(ber.idOf(asked))));
    });
    await disturbDirectory("LDAP", `replaced by what ${what}`, begin, end);
  });
});
