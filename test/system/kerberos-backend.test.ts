/** The real process signs in with Kerberos at Apache with mod_auth_gssapi, with tickets of MIT's distribution centre. */

import { chmodSync, copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { calendarFromFile } from "../../simulators/calendar.js";
import { startSimulator } from "../../simulators/ews-simulator.js";
import { installedKerberos } from "../../src/kerberos/installed-package.js";
import { APACHE_MISSING, type Apache, hasApache, startApache } from "../support/apache.js";
import { ask, CALLER_HASH, PROJECT, type RunningGateway, startGateway, told } from "../support/gateway-process.js";
import { hasKerberosRealm, KERBEROS_MISSING, type KerberosRealm, startRealm } from "../support/kerberos-realm.js";
import { ownLoopbackAddress } from "../support/server-process.js";
import { until } from "../support/until.js";

const hasAll = hasApache && hasKerberosRealm && installedKerberos() !== undefined;
if (!hasApache) process.stderr.write(APACHE_MISSING);
else if (!hasAll) process.stderr.write(KERBEROS_MISSING);

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

interface Site {
  readonly realm: KerberosRealm;
  readonly apache: Apache;
  readonly folder: string;
}

async function startSite(gssapi: readonly string[]): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "kerberos-backend-"));
  const account = { username: "CORP\\proxy", password: "upstream" };
  const exchange = await startSimulator({
    style: "exchange",
    calendar: calendarFromFile(join(PROJECT, "simulators/demo-calendar.yaml"), "exchange"),
    accounts: [account],
  });
  cleanUp.push(() => exchange.close());
  const realm = await startRealm([`HTTP/${ownLoopbackAddress()}`], ["svc-one", "svc-two"]);
  cleanUp.push(() => realm.remove());
  // Apache's workers are not root, and those who own the key of the service.
  const serviceKeytab = join(folder, "service.keytab");
  copyFileSync(realm.keytab, serviceKeytab);
  chmodSync(folder, 0o755);
  chmodSync(serviceKeytab, 0o644);
  const apache = await startApache({
    upstream: new URL(exchange.url),
    upstreamAuthorization: `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`,
    gssapi: ["GssapiAllowedMech krb5", `GssapiCredStore keytab:${serviceKeytab}`, ...gssapi],
    files: {},
    environment: { KRB5RCACHENAME: "none:" },
  });
  cleanUp.push(() => apache.remove());
  writeFileSync(join(folder, "ca.pem"), apache.ca);
  return { realm, apache, folder };
}

async function gatewayAt({ realm, apache, folder }: Site, principals: readonly string[], keytab = realm.clientKeytab) {
  const accounts = principals.map(
    (name) => `      - { scheme: negotiate, principal: ${name}@CORP.EXAMPLE, keytabFile: '${keytab}' }\n`,
  );
  const gateway = await startGateway(
    `
listen: { port: LISTEN_PORT }
management: { port: MANAGEMENT_PORT }
cache: { viewSeconds: 0, notFoundSeconds: 0 }
callers:
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
backends:
  asked:
    type: ews
    url: '${apache.https}'
    caFile: '${join(folder, "ca.pem")}'
    maximumMailboxes: 1
    accounts:
${accounts.join("")}
addressSpaces: [{ domain: corp.example, backend: asked }]
`,
    { ...realm.environment, CALLER_HASH },
  );
  cleanUp.push(() => gateway.stop());
  return gateway;
}

const answers = async (gateway: RunningGateway, mailbox = "alice@corp.example") =>
  told((await ask(gateway.url, [mailbox])).text);
const view = [expect.stringMatching(/^DetailedMerged/)];
const accountsOf = async (gateway: RunningGateway) => {
  const text = await (await fetch(`${gateway.management}/readyz`)).text();
  return (JSON.parse(text) as { backends: { asked: { accounts: Record<string, unknown>[] } } }).backends.asked.accounts;
};

describe.skipIf(!hasAll)("the running gateway, whose backend insists on Kerberos", () => {
  it.each([
    ["asks each time", "GssapiConnectionBound Off"],
    ["remembers the connection", "GssapiConnectionBound On"],
  ])("asks as two accounts of one keytab, where the server %s", async (_, bound) => {
    const site = await startSite([bound]);
    const gateway = await gatewayAt(site, ["svc-one", "svc-two"]);
    for (let round = 0; round < 3; round++) {
      // Different ones, one a request: those who ask the same at the same time share one question.
      const asked = ["alice", "carol", ...Array.from({ length: 6 }, (_, i) => `nobody-${round}-${i}`)];
      const all = await Promise.all(asked.map((name) => answers(gateway, `${name}@corp.example`)));
      expect(all.slice(0, 2)).toEqual([view, view]);
    }
    const served = () => site.apache.requests().filter(({ status }) => status === 200);
    await until(() => served().length >= 24);
    const users = new Map<number, Set<string>>();
    for (const { connection, user } of served()) users.set(connection, (users.get(connection) ?? new Set()).add(user));
    expect([...users.values()].every((names) => names.size === 1)).toBe(true);
    expect(new Set([...users.values()].flatMap((names) => [...names]))).toEqual(
      new Set(["svc-one@CORP.EXAMPLE", "svc-two@CORP.EXAMPLE"]),
    );
  });

  it("says who gets no ticket, sets that account aside, and asks with the other one", async () => {
    const site = await startSite([]);
    const gateway = await gatewayAt(site, ["nobody", "svc-one"]);
    for (let i = 0; i < 4; i++) expect(await answers(gateway)).toEqual(view);
    expect(await accountsOf(gateway)).toMatchObject([
      { name: "nobody@CORP.EXAMPLE", problem: expect.stringContaining("gets no ticket for HTTP/") },
      { name: "svc-one@CORP.EXAMPLE", secret: "current" },
    ]);
  });
});
