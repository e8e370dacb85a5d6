/**
 * A migration day in small: five hundred people in one domain on two systems, looked up all
 * the time, while fifty of them move, in both directories, under the lookups' feet.
 */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Calendar, type MailboxRow } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import {
  ACTIVE_DIRECTORY_MISSING,
  type ActiveDirectory,
  DOMAIN_DN,
  hasActiveDirectory,
  SERVICE_DN,
  SERVICE_PASSWORD,
  startActiveDirectory,
} from "../support/active-directory.js";
import {
  ask,
  BACKEND_PASSWORD,
  CALLER_HASH,
  type RunningGateway,
  startGateway,
  told,
} from "../support/gateway-process.js";

const PEOPLE = 500;
const MOVED = 50;
const PEOPLE_DN = `OU=Staff,${DOMAIN_DN}`;
const people = Array.from({ length: PEOPLE }, (_, i) => `p${i}`);
const primary = (name: string) => `${name}@corp.example`;
const alias = (name: string) => `${name}@corp.awsapps.com`;
/** The first half is still on Exchange in the morning; its first fifty move. */
const morningOnExchange = (i: number) => i < PEOPLE / 2;
const moving = people.slice(0, MOVED);

const row = (name: string): MailboxRow => ({
  aliases: [alias(name)],
  events: [
    { start: "2026-07-01T09:00:00Z", end: "2026-07-01T10:00:00Z", busy: "Busy", subject: primary(name), location: "" },
  ],
});
const calendarOf = (names: readonly string[]) =>
  new Calendar(Object.fromEntries(names.map((name) => [primary(name), row(name)])));

if (!hasActiveDirectory) process.stderr.write(ACTIVE_DIRECTORY_MISSING);

describe.skipIf(!hasActiveDirectory)("on a migration day", () => {
  let ad: ActiveDirectory;
  let api: WorkMailApiSimulator;
  let exchange: EwsSimulator;
  let workmail: EwsSimulator;
  let gateway: RunningGateway;
  const exchangeCalendar = calendarOf(people.filter((_, i) => morningOnExchange(i)));
  const workmailCalendar = calendarOf(people.filter((_, i) => !morningOnExchange(i)));

  beforeAll(async () => {
    [ad, api, exchange, workmail] = await Promise.all([
      startActiveDirectory([
        { dn: PEOPLE_DN, objectClass: "organizationalUnit", ou: "Staff" },
        ...people.map((name, i) => ({
          dn: `CN=${name},${PEOPLE_DN}`,
          objectClass: "user",
          cn: name,
          sAMAccountName: name,
          mail: primary(name),
          proxyAddresses: [`SMTP:${primary(name)}`, `smtp:${alias(name)}`],
          ...(morningOnExchange(i)
            ? { msExchRecipientTypeDetails: "1" }
            : { msExchRecipientTypeDetails: "128", targetAddress: `SMTP:${alias(name)}` }),
        })),
      ]),
      startWorkMailApi({
        id: `m-${"0".repeat(32)}`,
        alias: "corp",
        state: "Active",
        interoperabilityEnabled: true,
        users: people.map((name, i) => ({
          id: `id-${name}-000000`,
          name,
          email: primary(name),
          aliases: [alias(name)],
          state: morningOnExchange(i) ? "DISABLED" : "ENABLED",
          role: "USER",
          enabledDate: 1_750_000_000,
        })),
        groups: [],
        foundByAlias: true,
      }),
      startSimulator({
        style: "exchange",
        calendar: exchangeCalendar,
        accounts: [{ username: "CORP\\svc", password: BACKEND_PASSWORD }],
      }),
      startSimulator({
        style: "workmail",
        calendar: workmailCalendar,
        accounts: [{ username: "svc@corp.example", password: BACKEND_PASSWORD }],
      }),
    ]);
    const caFile = join(mkdtempSync(join(tmpdir(), "migration-")), "ca.pem");
    writeFileSync(caFile, ad.ca);
    gateway = await startGateway(
      `
listen: { port: LISTEN_PORT }
management: { port: MANAGEMENT_PORT }
timeBudgetSeconds: 8
cache: { viewSeconds: 1, notFoundSeconds: 1 }
callers:
  - { name: exchange, usernames: ['CORP\\exchange'], passwordHash: 'env:CALLER_HASH', origin: exchange, maximumView: Detailed }
  - { name: workmail, usernames: [workmail@corp.example], passwordHash: 'env:CALLER_HASH', origin: workmail, maximumView: Detailed }
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
backends:
  exchange: { type: ews, url: '${exchange.url}', username: 'CORP\\svc', password: 'env:BACKEND_PASSWORD', timeoutSeconds: 5, allowPlainHttp: true }
  workmail: { type: workmail, url: '${workmail.url}', username: svc@corp.example, password: 'env:BACKEND_PASSWORD', timeoutSeconds: 5, allowPlainHttp: true }
directories:
  - { type: ldap, backend: exchange, url: '${ad.ldapsUrl}', caFile: '${caFile}', bindDn: '${SERVICE_DN}', password: 'env:LDAP_PASSWORD', baseDn: '${DOMAIN_DN}', refreshSeconds: 1 }
  - { type: workmail, backend: workmail, resourcesBackend: exchange, region: eu-west-1, organizationId: 'm-${"0".repeat(32)}', endpoint: '${api.url}', refreshSeconds: 1 }
whenOnBothSides: exchange
addressSpaces:
  - { domain: corp.example, backend: exchange }
  - { domain: corp.awsapps.com, backend: workmail, rewriteDomain: corp.example }
`,
      {
        CALLER_HASH,
        BACKEND_PASSWORD,
        LDAP_PASSWORD: SERVICE_PASSWORD,
        AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_EC2_METADATA_DISABLED: "true",
      },
    );
  }, 120_000);

  afterAll(async () => {
    await gateway?.stop();
    await Promise.all([ad?.remove(), api?.close(), exchange?.close(), workmail?.close()]);
  }, 60_000);

  const routeOf = async (address: string) =>
    ((await (await fetch(`${gateway.management}/routes/${address}`)).json()) as { decision: { backend?: string } })
      .decision.backend;

  it("nobody is answered wrongly or not at all, and nobody who has moved is asked about where they were", async () => {
    let going = true;
    let answered = 0;
    const wrong: string[] = [];
    const look = async (names: readonly string[], user: string) => {
      const asked = names.map((name) => (Math.random() < 0.5 ? primary(name) : alias(name)));
      const { text } = await ask(gateway.url, asked, {
        user,
        view: "Detailed",
        start: "2026-07-01T00:00:00",
        end: "2026-07-02T00:00:00",
      });
      told(text).forEach((entry, i) => {
        answered++;
        if (entry !== `Detailed ${primary(names[i] as string)}`) wrong.push(`${user} ${asked[i]}: ${entry}`);
      });
    };
    const some = (from: readonly string[], count: number) =>
      Array.from({ length: count }, () => from[Math.floor(Math.random() * from.length)] as string);
    const stayingOnExchange = people.slice(MOVED, PEOPLE / 2);
    const onWorkMail = people.slice(PEOPLE / 2);
    const worker = async (names: readonly string[], user: string) => {
      while (going) await look(some(names, 20), user);
    };
    const workers = [
      worker(people, "client@corp.example"),
      worker(people, "client@corp.example"),
      worker(onWorkMail, "CORP\\exchange"),
      worker(stayingOnExchange, "workmail@corp.example"),
    ];
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    try {
      await wait(1_000);
      // The mailboxes are copied and enabled in WorkMail: for a while both systems have them.
      for (const name of moving) workmailCalendar.set(primary(name), row(name));
      for (const user of api.organization.users) if (moving.includes(user.name)) user.state = "ENABLED";
      await wait(2_500);
      // Exchange makes them mail users that point to WorkMail, and its mailboxes are gone.
      await ad.modify(
        moving
          .map(
            (name) => `dn: CN=${name},${PEOPLE_DN}
changetype: modify
replace: msExchRecipientTypeDetails
msExchRecipientTypeDetails: 128
-
replace: targetAddress
targetAddress: SMTP:${alias(name)}
-
`,
          )
          .join("\n"),
      );
      for (const name of moving) exchangeCalendar.remove(primary(name));
      // From this moment on Exchange asks the gateway about them, whatever the gateway's copies still say.
      await look(moving, "CORP\\exchange");
      await expect
        .poll(async () => Promise.all(moving.map((name) => routeOf(primary(name)))), { timeout: 15_000 })
        .toEqual(moving.map(() => "workmail"));
      await wait(500);
      exchange.asked.length = 0;
      await wait(3_000);
    } finally {
      going = false;
      await Promise.all(workers);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(answered).toBeGreaterThan(1_000);
    const askedAfter = new Set(exchange.asked.flatMap(({ mailboxes }) => mailboxes));
    expect(askedAfter.size).toBeGreaterThan(50);
    expect(moving.filter((name) => askedAfter.has(primary(name)) || askedAfter.has(alias(name)))).toEqual([]);
    process.stdout.write(`migration day: ${answered} answers, 0 wrong, ${MOVED} moved\n`);
  }, 60_000);
});
