/** How the real process proves who it is to backends, each scheme to a server that insists on it. */

import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { calendarFromFile } from "../../simulators/calendar.js";
import { startSimulator } from "../../simulators/ews-simulator.js";
import { startWorkMailApi } from "../../simulators/workmail-api-simulator.js";
import { APACHE_MISSING, GSS_NTLM_MISSING, hasApache, hasGssNtlm, startApache } from "../support/apache.js";
import { ask, CALLER_HASH, PROJECT, type RunningGateway, startGateway, told } from "../support/gateway-process.js";
import { startTokenEndpoint } from "../support/token-endpoint.js";

if (!hasApache) process.stderr.write(APACHE_MISSING);
else if (!hasGssNtlm) process.stderr.write(GSS_NTLM_MISSING);

const ORGANIZATION = `m-${"0".repeat(32)}`;
const CALENDAR = join(PROJECT, "simulators/demo-calendar.yaml");
const SECRETS = {
  RIGHT: "right-canary-1",
  WRONG: "wrong-canary-2",
  NTLM: "Secret-canary-3",
  CLIENT: "client-canary-4",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "aws-canary-5",
};
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

/** The gateway with these backends; alice and carol are asked about at exchange, bob and erin at workmail. */
async function gatewayWith(backends: string): Promise<RunningGateway> {
  const gateway = await startGateway(
    `
listen: { port: LISTEN_PORT }
management: { port: MANAGEMENT_PORT }
log: { level: debug }
timeBudgetSeconds: 18
cache: { viewSeconds: 0, notFoundSeconds: 0 }
callers:
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
backends:
${backends}
addressSpaces: [{ domain: corp.example, backend: asked }]
`,
    { ...SECRETS, CALLER_HASH, AWS_EC2_METADATA_DISABLED: "true" },
  );
  cleanUp.push(() => gateway.stop());
  return gateway;
}

const answers = async (gateway: RunningGateway, mailbox = "alice@corp.example") =>
  told((await ask(gateway.url, [mailbox])).text);
const view = [expect.stringMatching(/^DetailedMerged/)];

async function accountsOf(gateway: RunningGateway) {
  const text = await (await fetch(`${gateway.management}/readyz`)).text();
  const metrics = await (await fetch(`${gateway.management}/metrics`)).text();
  for (const secret of Object.values(SECRETS).filter((one) => one.includes("canary"))) {
    expect(text + metrics + gateway.output()).not.toContain(secret);
  }
  return (JSON.parse(text) as { backends: { asked: { accounts: Record<string, unknown>[] } } }).backends.asked.accounts;
}

describe("the running gateway", () => {
  it.skipIf(!hasGssNtlm)("signs in with NTLM where Basic is not offered, once for many questions", async () => {
    const account = { username: "CORP\\proxy", password: "upstream" };
    const exchange = await startSimulator({
      style: "exchange",
      calendar: calendarFromFile(CALENDAR, "exchange"),
      accounts: [account],
    });
    cleanUp.push(() => exchange.close());
    const apache = await startApache({
      upstream: new URL(exchange.url),
      upstreamAuthorization: `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`,
      gssapi: ["GssapiAllowedMech ntlmssp", "GssapiConnectionBound On"],
      files: { users: `CORP:svc:${SECRETS.NTLM}\n` },
      environment: { NTLM_USER_FILE: "FOLDER/users" },
    });
    cleanUp.push(() => apache.remove());
    const caFile = join(mkdtempSync(join(tmpdir(), "identity-")), "ca.pem");
    writeFileSync(caFile, apache.ca);
    const gateway = await gatewayWith(
      `  asked: { type: ews, url: '${apache.https}', caFile: '${caFile}', scheme: ntlm, username: 'CORP\\svc', password: 'env:NTLM' }`,
    );
    for (let i = 0; i < 5; i++) expect(await answers(gateway)).toEqual(view);
    expect(await accountsOf(gateway)).toMatchObject([{ name: "CORP\\svc", scheme: "ntlm", secret: "current" }]);
  });

  it("asks WorkMail with an impersonation role, in the name of its mailbox", async () => {
    const api = await startWorkMailApi({
      id: ORGANIZATION,
      alias: "corp",
      state: "Active",
      interoperabilityEnabled: true,
      users: [],
      groups: [],
      foundByAlias: true,
      impersonationRoles: [{ id: "role-1" }],
    });
    cleanUp.push(() => api.close());
    const workmail = await startSimulator({
      style: "workmail",
      calendar: calendarFromFile(CALENDAR, "workmail"),
      accounts: [{ bearer: (token) => api.organization.impersonationTokens?.has(token) ?? false }],
    });
    cleanUp.push(() => workmail.close());
    const gateway = await gatewayWith(`  asked:
    type: workmail
    url: '${workmail.url}'
    allowPlainHttp: true
    accounts:
      - { scheme: impersonation, organizationId: ${ORGANIZATION}, roleId: role-1, region: eu-west-1, actsAs: erin@corp.example, endpoint: '${api.url}' }`);
    expect(await answers(gateway, "bob@corp.example")).toEqual(view);
    expect(await answers(gateway, "bob@corp.example")).toEqual(view);
    expect(workmail.asked.map(({ impersonated, scheme }) => [scheme, impersonated])).toEqual([
      ["Bearer", "erin@corp.example"],
      ["Bearer", "erin@corp.example"],
    ]);
    expect(api.calls().AssumeImpersonationRole).toBe(1);
    expect(await accountsOf(gateway)).toMatchObject([{ scheme: "impersonation", expiresAt: expect.any(Number) }]);
  });

  it("asks with an application's token, and gets another when it is refused", async () => {
    const tokens = await startTokenEndpoint();
    cleanUp.push(() => tokens.close());
    let accepted = "token-1";
    const exchange = await startSimulator({
      style: "exchange",
      calendar: calendarFromFile(CALENDAR, "exchange"),
      accounts: [{ bearer: (token) => token === accepted }],
    });
    cleanUp.push(() => exchange.close());
    const gateway = await gatewayWith(`  asked:
    type: ews
    url: '${exchange.url}'
    allowPlainHttp: true
    accounts:
      - { scheme: oauth, tokenUrl: '${tokens.url}', clientId: gateway, clientSecret: 'env:CLIENT', scope: ews/.default, actsAs: alice@corp.example }`);
    expect(await answers(gateway)).toEqual(view);
    accepted = "token-2";
    expect(await answers(gateway)).toEqual(view);
    expect(tokens.asked).toHaveLength(2);
    expect(tokens.asked[0]?.form.get("grant_type")).toBe("client_credentials");
    await accountsOf(gateway);
  });

  it("proves itself with a renewed certificate, in whichever order its two files are replaced", async () => {
    const folder = mkdtempSync(join(tmpdir(), "identity-"));
    const file = (name: string) => join(folder, name);
    for (const name of ["old", "new"]) {
      const form = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${name}`];
      const files = ["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`)];
      execFileSync("openssl", ["req", "-x509", ...form, ...files], { stdio: "ignore" });
    }
    const use = (name: "old" | "new", ...ends: readonly ("key" | "crt")[]) => {
      for (const end of ends) copyFileSync(file(`${name}.${end}`), file(`used.${end}`));
    };
    const thumbprintOf = (name: "old" | "new") => {
      const { fingerprint256 } = new X509Certificate(readFileSync(file(`${name}.crt`)));
      return Buffer.from(fingerprint256.replaceAll(":", ""), "hex").toString("base64url");
    };
    use("old", "key", "crt");
    const tokens = await startTokenEndpoint();
    cleanUp.push(() => tokens.close());
    const exchange = await startSimulator({
      style: "exchange",
      calendar: calendarFromFile(CALENDAR, "exchange"),
      accounts: [{ bearer: () => true }],
    });
    cleanUp.push(() => exchange.close());
    const gateway = await gatewayWith(`  asked:
    type: ews
    url: '${exchange.url}'
    allowPlainHttp: true
    checkSecretsSeconds: 1
    accounts:
      - { scheme: oauth, tokenUrl: '${tokens.url}', clientId: gateway, privateKey: 'file:${file("used.key")}', certificateFile: '${file("used.crt")}', scope: ews/.default, actsAs: alice@corp.example }`);
    const shown = () => {
      const [header = ""] = tokens.asked.at(-1)?.form.get("client_assertion")?.split(".") ?? [];
      return (JSON.parse(Buffer.from(header, "base64url").toString()) as Record<string, string>)["x5t#S256"];
    };
    expect(await answers(gateway)).toEqual(view);
    expect(shown()).toBe(thumbprintOf("old"));
    for (const [name, first, second] of [
      ["new", "key", "crt"],
      ["old", "crt", "key"],
    ] as const) {
      use(name, first);
      // Asked between the two, it cannot prove itself.
      await expect.poll(() => answers(gateway), { timeout: 10_000 }).toEqual(["backend-unreachable"]);
      use(name, second);
      await expect.poll(() => answers(gateway), { timeout: 10_000 }).toEqual(view);
      expect(shown()).toBe(thumbprintOf(name));
    }
  });

  it("goes on with the other account when one is refused, and leaves that one alone", async () => {
    const exchange = await startSimulator({
      style: "exchange",
      calendar: calendarFromFile(CALENDAR, "exchange"),
      accounts: [
        { username: "one", password: SECRETS.RIGHT },
        { username: "two", password: SECRETS.RIGHT },
      ],
    });
    cleanUp.push(() => exchange.close());
    const gateway = await gatewayWith(`  asked:
    type: ews
    url: '${exchange.url}'
    allowPlainHttp: true
    accounts:
      - { scheme: basic, username: one, password: 'env:WRONG' }
      - { scheme: basic, username: two, password: 'env:WRONG', nextPassword: 'env:RIGHT' }`);
    for (let i = 0; i < 6; i++) expect(await answers(gateway)).toEqual(view);
    expect(exchange.refused).toBe(2);
    expect(await accountsOf(gateway)).toMatchObject([
      { name: "one", setAsideUntil: expect.any(Number), problem: "HTTP 401" },
      { name: "two", secret: "next" },
    ]);
    await expect.poll(() => gateway.output()).toContain("set aside so that it is not locked");
  });
});
