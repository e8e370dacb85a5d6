/**
 * The part of the composition root that connects the doctor: what it knows of the site, and how
 * it looks. Decides nothing but who is connected to whom. No listener is opened.
 */

import { readFileSync } from "node:fs";
import { parseDomain, parseMailboxAddress } from "./availability/mailbox-address.js";
import { instant } from "./availability/time-window.js";
import { accountsOf, type ComposedBackend, composeBackend, urlsOf } from "./compose-backends.js";
import { instantNow } from "./compose-clocks.js";

import type { Configuration } from "./config/configuration.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import type { Secrets } from "./config/secret-references.js";
import { askIndependently, ClientMissing } from "./diagnosis/independent-client.js";
import { ManagementClient } from "./diagnosis/management-client.js";
import { NameServers } from "./diagnosis/name-servers.js";
import { WebVisitor } from "./diagnosis/web-visitor.js";
import { LdapInspection } from "./directories/ldap-inspection.js";
import { WorkMailInspection } from "./directories/workmail-inspection.js";
import { allChecks } from "./operations/doctor/all-checks.js";
import { type Check, Impossible } from "./operations/doctor/finding.js";
import type { ClientAnswer, OwnClient } from "./operations/doctor/probes.js";
import type { AccountFacts, BackendFacts, SiteFacts } from "./operations/doctor/site-facts.js";

const CALL_MS = 8_000;

export interface Doctor {
  readonly checks: readonly Check[];
  /** What must not be in a report. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

/** `management`: where the running gateway is asked how it is. */
export function composeDoctor({ configuration, secrets }: LoadedConfiguration, management: string): Doctor {
  const organization = organizationOf(configuration);
  const workmail = organization && new WorkMailInspection({ ...organization, timeoutMs: CALL_MS });
  const own = ownClient(configuration, secrets);
  const checks = allChecks(siteFacts(configuration, secrets), {
    now: () => Date.now(),
    names: new NameServers(configuration.doctor.nameServers),
    web: new WebVisitor(),
    workmail,
    people: peopleOf(configuration, secrets),
    gateway: new ManagementClient(management),
    client: {
      ask: (question, signal) =>
        askIndependently(question, signal).catch((error: unknown) => {
          if (!(error instanceof ClientMissing)) throw error;
          const todo = [
            "npm install ews-javascript-api@0.15.3 beside the gateway (it is optional, and only the doctor uses it).",
          ];
          throw new Impossible(error.message, todo, "not-checked");
        }),
    },
    ownClient: own.ask,
  });
  const aws = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].flatMap((name) => process.env[name] ?? []);
  return {
    checks,
    secrets: [...secrets.all(), ...aws],
    close: async () => {
      await Promise.all([workmail?.close(), own.close()]);
    },
  };
}

export function siteFacts(configuration: Configuration, secrets: Secrets): SiteFacts {
  const { autodiscover, doctor } = configuration;
  const addresses = configuration.mailboxes.flatMap(({ address }) => address.split("@").at(-1) ?? []);
  const known = [...configuration.addressSpaces.map(({ domain }) => domain), ...addresses];
  const domains = [...new Set(known.flatMap((domain) => parseDomain(domain) ?? []))];
  const ofWorkMail = (domain: string) => domain.endsWith(".awsapps.com");
  const others = Object.entries(autodiscover?.urls ?? {}).map(([origin, url]) => ({ origin, url: new URL(url) }));
  return {
    domains: domains.filter((domain) => !ofWorkMail(domain)),
    forestDomains: domains.filter(ofWorkMail),
    published: autodiscover === undefined ? [] : [{ origin: undefined, url: new URL(autodiscover.url) }, ...others],
    backends: Object.entries(configuration.backends).map(([name, settings]) => backendFacts(name, settings, secrets)),
    callers: configuration.callers.map(({ name, usernames, origin, passwordHash }) => ({
      ...{ name, usernames, origin: origin === "none" ? undefined : origin, basic: passwordHash !== undefined },
    })),
    canaries: new Map(Object.entries(doctor.canaries)),
    signIns: new Map(
      Object.entries(doctor.signIns).map(([origin, { username }]) => [
        origin,
        { username, password: secrets.get(`doctor.signIns.${origin}.password`) },
      ]),
    ),
    organization: organizationNamed(configuration),
    lambda: configuration.lambda !== undefined,
    egressAddress: doctor.egressAddress,
    addressSpacesText: doctor.addressSpacesFile && textOf(doctor.addressSpacesFile),
    authorities: doctor.authoritiesFile && textOf(doctor.authoritiesFile),
    authoritiesFile: doctor.authoritiesFile,
    certificateDays: doctor.certificateDays,
    workmailEndsAt: Date.parse(doctor.workmailEndsOn),
    budgetMs: configuration.timeBudgetSeconds * 1000,
  };
}

/** As PowerShell 5 writes files too. */
function textOf(file: string): string {
  const bytes = readFileSync(file);
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.subarray(2).toString("utf16le") : bytes.toString("utf8");
}

function backendFacts(name: string, settings: Configuration["backends"][string], secrets: Secrets): BackendFacts {
  const accounts = accountsOf(name, settings).map(([path, account]): AccountFacts => {
    const named =
      "username" in account
        ? account.username
        : "principal" in account
          ? account.principal
          : "roleId" in account
            ? account.roleId
            : account.clientId;
    return {
      name: named,
      scheme: account.scheme,
      password: account.scheme === "basic" ? secrets.get(`${path}.password`) : undefined,
      actsAs: "actsAs" in account ? account.actsAs : undefined,
    };
  });
  const { type, caFile } = settings;
  return { name, type, urls: urlsOf(settings), caFile, ca: caFile && readFileSync(caFile, "utf8"), accounts };
}

interface Organization {
  readonly organizationId: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
}

/** The doctor's own setting, a directory's, or an account's. */
function organizationOf({ doctor, directories, backends }: Configuration): Organization | undefined {
  const accounts = Object.values(backends).flatMap(({ accounts = [] }) => accounts);
  const role = accounts.flatMap((account) => (account.scheme === "impersonation" ? [account] : []))[0];
  const directory = directories.flatMap((one) => (one.type === "workmail" ? [one] : []))[0];
  const named = doctor.organization ?? directory ?? role;
  return named && { organizationId: named.organizationId, region: named.region, endpoint: named.endpoint };
}

export function organizationNamed(configuration: Configuration): SiteFacts["organization"] {
  const organization = organizationOf(configuration);
  return organization && { id: organization.organizationId, region: organization.region };
}

function peopleOf({ directories }: Configuration, secrets: Secrets): LdapInspection | undefined {
  const found = [...directories.entries()].flatMap(([i, one]) => (one.type === "ldap" ? [{ i, one }] : []))[0];
  if (found === undefined) return undefined;
  const { url, startTls, caFile, bindDn, baseDn, pageSize } = found.one;
  return new LdapInspection({
    ...{ url, startTls, bindDn, baseDn, pageSize, timeoutMs: CALL_MS },
    password: secrets.get(`directories.${found.i}.password`) as string,
    ...(caFile !== undefined && { tls: { ca: readFileSync(caFile, "utf8") } }),
  });
}

/** Backends are composed when one is asked, which most examinations never do. */
function ownClient(configuration: Configuration, secrets: Secrets) {
  const composed = new Map<string, ComposedBackend>();
  const observer = { accountChanged: () => {}, endpointChanged: () => {} };
  const ask: OwnClient = async (name, mailbox, from, to, signal): Promise<ClientAnswer> => {
    const began = performance.now();
    const ms = () => Math.round(performance.now() - began);
    const settings = configuration.backends[name];
    const address = parseMailboxAddress(mailbox);
    if (settings === undefined || address === undefined) return { kind: "failed", problem: "no such backend", ms: 0 };
    const backend = composed.get(name) ?? composeBackend(name, settings, secrets, instantNow, observer);
    composed.set(name, backend);
    const window = { start: instant(Date.parse(from)), end: instant(Date.parse(to)) };
    const [answer] = await backend.asked.ask({ mailboxes: [address], window, detail: "times" }, signal);
    if (answer?.kind === "view") {
      const events = answer.view.detail === "merged" ? [] : answer.view.events;
      const iso = (at: number) => new Date(at).toISOString();
      return {
        kind: "view",
        events: events.map(({ start, end, busyType }) => `${iso(start)} ${iso(end)} ${busyType}`).sort(),
        ms: ms(),
      };
    }
    const { reason = "no answer", code } = answer?.failure ?? {};
    return code === undefined ? { kind: "failed", problem: reason, ms: ms() } : { kind: "refused", code, ms: ms() };
  };
  const close = async () => void (await Promise.all([...composed.values()].map((backend) => backend.close())));
  return { ask, close };
}
