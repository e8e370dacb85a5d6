/**
 * The part of the composition root that builds the backends, each with its service accounts
 * and what they prove themselves with. Decides nothing but who is connected to whom.
 */

import { readFileSync } from "node:fs";
import { type MailboxAddress, parseMailboxAddress } from "./availability/mailbox-address.js";
import type { InstantMs } from "./availability/time-window.js";
import type { AccountChannel, AccountOptions } from "./backends/account-options.js";
import { BasicTransport } from "./backends/basic-transport.js";
import { BearerTransport } from "./backends/bearer-transport.js";
import { ClientCredentials, type ClientProof } from "./backends/client-credentials.js";
import { ConnectionBoundTransport } from "./backends/connection-bound-transport.js";
import { Endpoint } from "./backends/endpoint.js";
import { EndpointChannel } from "./backends/endpoint-channel.js";
import { EwsBackend, EXCHANGE, WORKMAIL, workMailUrl } from "./backends/ews-backend.js";
import type { HttpPoolOptions } from "./backends/http-pool.js";
import { identityPatience } from "./backends/identity-patience.js";
import { ImpersonationRole } from "./backends/impersonation-role.js";
import { KeptToken, LONGEST_FETCH_MS } from "./backends/kept-token.js";
import { KerberosTickets, useClientKeytab } from "./backends/kerberos-tickets.js";
import { NegotiateTransport } from "./backends/negotiate-transport.js";
import { ntlmScheme } from "./backends/ntlm-scheme.js";
import { ServiceAccounts } from "./backends/service-accounts.js";
import { SharedQuestions } from "./backends/shared-questions.js";
import type { TokenGrant } from "./backends/token-source.js";
import { steadyNow } from "./compose-clocks.js";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import { installedKerberos } from "./kerberos/installed-package.js";
import type { AccountsInCommon } from "./proxy/account-news.js";
import type { AccountObserver, AccountStanding } from "./proxy/account-observer.js";
import type { AvailabilityBackend } from "./proxy/availability-backend.js";
import type { EndpointObserver, EndpointStanding, QuestionCounts } from "./proxy/endpoint-observer.js";

type BackendSettings = Configuration["backends"][string];
type AccountSettings = NonNullable<BackendSettings["accounts"]>[number];

const MEGABYTE = 1024 * 1024;

/** A backend, and what is told of it and done with it besides asking. */
export interface ComposedBackend {
  /** As the policy asks it. */
  readonly asked: AvailabilityBackend;
  accounts(): readonly AccountStanding[];
  /** What other gateways that ask with the same accounts have to do with. */
  readonly inCommon: AccountsInCommon;
  endpoints(): readonly EndpointStanding[];
  counts(): QuestionCounts;
  close(): Promise<void>;
}

/** Connections to whichever endpoint, but for its address. */
type Pooled = Omit<HttpPoolOptions, "url">;

export function composeBackend(
  name: string,
  settings: BackendSettings,
  secrets: Secrets,
  now: () => InstantMs,
  observer: AccountObserver & EndpointObserver,
  alongside?: HttpPoolOptions["alongside"],
): ComposedBackend {
  const dialect = settings.type === "ews" ? EXCHANGE : WORKMAIL;
  const urls = urlsOf(settings);
  const endpoints = urls.map(
    (url) => new Endpoint(url, urls.length === 1, now, (standing) => observer.endpointChanged(name, standing)),
  );
  const pooled: Pooled = {
    ca: settings.caFile === undefined ? undefined : readFileSync(settings.caFile, "utf8"),
    connections: settings.connections,
    maximumAnswerBytes: Math.floor(settings.maximumAnswerMegabytes * MEGABYTE),
    alongside,
  };
  const accounts = new ServiceAccounts({
    accounts: accountsOf(name, settings).map(([path, account]) =>
      accountOptions(path, account, pooled, endpoints, settings, secrets, now),
    ),
    now: steadyNow,
    tell: (event) => observer.accountChanged(name, event),
  });
  const maximumMailboxes = settings.maximumMailboxes ?? dialect.maximumMailboxes;
  const maximumWindowDays = settings.maximumWindowDays ?? dialect.maximumWindowDays;
  const timeoutMs = settings.timeoutSeconds * 1000;
  const backend = new EwsBackend(
    { name, timeoutMs, endpoints, dialect: { ...dialect, maximumMailboxes, maximumWindowDays } },
    accounts,
  );
  backend.watchSecrets(settings.checkSecretsSeconds * 1000);
  const asked = new SharedQuestions(backend, accounts, {
    maximumMailboxes,
    maximumWaiting: settings.maximumWaiting,
    gatherMs: settings.gatherMilliseconds,
  });
  return {
    asked,
    accounts: () => backend.accounts(),
    inCommon: accounts,
    endpoints: () => backend.endpoints(),
    counts: () => asked.counts,
    close: () => backend.close(),
  };
}

/** The cross-checks have seen to it that there is one. */
export function urlsOf(settings: BackendSettings): URL[] {
  if (settings.urls !== undefined) return settings.urls.map((url) => new URL(url));
  if (settings.type === "workmail" && settings.region !== undefined) return [workMailUrl(settings.region)];
  return [new URL(settings.url as string)];
}

/** The names our backends know us by. */
export function serviceAccountNames({ backends }: Configuration): string[] {
  return Object.entries(backends).flatMap(([name, settings]) =>
    accountsOf(name, settings).flatMap(([, account]) => [
      ...("username" in account ? [account.username] : []),
      ...("principal" in account ? [account.principal] : []),
      ...("actsAs" in account && account.actsAs !== undefined ? [account.actsAs] : []),
    ]),
  );
}

/** The list, or the one account that stands beside the backend's other settings; each with the path of its settings. */
export function accountsOf(
  name: string,
  settings: BackendSettings,
): (readonly [path: string, account: AccountSettings])[] {
  const { accounts, username, password, nextPassword, scheme } = settings;
  if (accounts !== undefined) return accounts.map((account, i) => [`backends.${name}.accounts.${i}`, account] as const);
  // The cross-checks have seen to it that these are there.
  const single = { scheme, username: username as string, password: password as string, nextPassword };
  return [[`backends.${name}`, single]];
}

function accountOptions(
  path: string,
  account: AccountSettings,
  pooled: Pooled,
  endpoints: readonly Endpoint[],
  settings: BackendSettings,
  secrets: Secrets,
  now: () => InstantMs,
): AccountOptions {
  const timeoutMs = settings.timeoutSeconds * 1000;
  const maximumAtOnce = settings.connections;
  const provider = (setting: string) => () => secrets.now(`${path}.${setting}`);
  const optional = (setting: string, given: string | undefined) =>
    given === undefined ? undefined : provider(setting);
  const over = (make: (endpoint: HttpPoolOptions) => AccountChannel) =>
    new EndpointChannel(endpoints, (url) => make({ ...pooled, url }), timeoutMs);
  const patienceMs = identityPatience(timeoutMs, endpoints.length);
  const bearer = (grant: () => TokenGrant) =>
    over((endpoint) => {
      const tokens = new KeptToken({ grant: grant(), now: steadyNow });
      return new BearerTransport({ ...endpoint, tokens, patienceMs });
    });
  const { scheme } = account;
  switch (account.scheme) {
    case "basic":
    case "ntlm": {
      const { username } = account;
      const current = provider("password");
      const next = optional("nextPassword", account.nextPassword);
      const channel = (password: string) =>
        over((endpoint) =>
          account.scheme === "basic"
            ? new BasicTransport({ ...endpoint, username, password })
            : new ConnectionBoundTransport({ ...endpoint, scheme: ntlmScheme({ username, password }) }),
        );
      return { name: username, scheme, maximumAtOnce, current, next, channel };
    }
    case "negotiate": {
      const { principal, keytabFile } = account;
      useClientKeytab(keytabFile);
      const ticketsFor = ({ hostname: host }: URL) => new KerberosTickets({ principal, host }, installedKerberos());
      // Now, because that is when a missing package is told.
      const tickets = new Map(endpoints.map(({ url }) => [url, ticketsFor(url)]));
      return {
        name: principal,
        scheme,
        maximumAtOnce,
        // Never sent, only compared: a new keytab is tried at once.
        current: () => readFileSync(keytabFile).toString("base64"),
        channel: () =>
          over((endpoint) => {
            const ofHost = tickets.get(endpoint.url) as KerberosTickets;
            return new NegotiateTransport({ ...endpoint, tickets: ofHost, patienceMs });
          }),
      };
    }
    case "oauth": {
      const { tokenUrl, clientId, scope, actsAs, certificateFile } = account;
      const secret = provider(certificateFile === undefined ? "clientSecret" : "privateKey");
      // Key and certificate are one secret, so that either of them, renewed, is taken up.
      const current =
        certificateFile === undefined ? secret : () => `${secret()}\0${readFileSync(certificateFile, "utf8")}`;
      const proof = (text: string): ClientProof => {
        if (certificateFile === undefined) return { method: "client_secret_post", secret: text };
        const [privateKey = "", certificate = ""] = text.split("\0");
        return { method: "private_key_jwt", algorithm: "PS256", privateKey, certificate };
      };
      const options = { tokenUrl: new URL(tokenUrl), clientId, scope, now, allowPlainHttp: settings.allowPlainHttp };
      return {
        name: clientId,
        scheme,
        maximumAtOnce,
        actsAs: canonical(actsAs),
        current,
        next: optional("nextClientSecret", account.nextClientSecret),
        channel: (text) => bearer(() => new ClientCredentials({ ...options, proof: proof(text) })),
      };
    }
    case "impersonation": {
      const { organizationId, roleId, region, actsAs, endpoint: api } = account;
      return {
        name: roleId,
        scheme,
        maximumAtOnce,
        actsAs: canonical(actsAs),
        // Nothing of ours proves it: AWS's own credential chain does.
        current: () => "",
        channel: () =>
          bearer(() => {
            // Its second attempt has as much time as the first.
            const attemptMs = LONGEST_FETCH_MS / 2;
            return new ImpersonationRole({ organizationId, roleId, region, endpoint: api, timeoutMs: attemptMs });
          }),
      };
    }
  }
}

/** The schema has checked that it is an address. */
function canonical(text: string | undefined): MailboxAddress | undefined {
  return text === undefined ? undefined : (parseMailboxAddress(text) as MailboxAddress);
}
