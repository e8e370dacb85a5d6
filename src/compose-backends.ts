/**
 * The part of the composition root that builds the backends, each with its service accounts
 * and what they prove themselves with. Decides nothing but who is connected to whom.
 */

import { readFileSync } from "node:fs";
import { type MailboxAddress, parseMailboxAddress } from "./availability/mailbox-address.js";
import type { InstantMs } from "./availability/time-window.js";
import type { AccountOptions } from "./backends/account-options.js";
import { BasicTransport } from "./backends/basic-transport.js";
import { BearerTransport } from "./backends/bearer-transport.js";
import { ClientCredentials, type ClientProof } from "./backends/client-credentials.js";
import { ConnectionBoundTransport } from "./backends/connection-bound-transport.js";
import { EwsBackend, EXCHANGE, WORKMAIL, workMailUrl } from "./backends/ews-backend.js";
import type { HttpPoolOptions } from "./backends/http-pool.js";
import { ImpersonationRole } from "./backends/impersonation-role.js";
import { KeptToken } from "./backends/kept-token.js";
import { KerberosTickets, useClientKeytab } from "./backends/kerberos-tickets.js";
import { NegotiateTransport } from "./backends/negotiate-transport.js";
import { ntlmScheme } from "./backends/ntlm-scheme.js";
import { ServiceAccounts } from "./backends/service-accounts.js";
import type { TokenGrant } from "./backends/token-source.js";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import { installedKerberos } from "./kerberos/installed-package.js";
import type { AccountChange } from "./proxy/account-observer.js";

type BackendSettings = Configuration["backends"][string];
type AccountSettings = NonNullable<BackendSettings["accounts"]>[number];

const MEGABYTE = 1024 * 1024;

export function composeBackend(
  name: string,
  settings: BackendSettings,
  secrets: Secrets,
  now: () => InstantMs,
  tell: (backend: string, event: AccountChange) => void,
  alongside?: HttpPoolOptions["alongside"],
): EwsBackend {
  const dialect = settings.type === "ews" ? EXCHANGE : WORKMAIL;
  const url =
    settings.url === undefined && settings.type === "workmail" && settings.region !== undefined
      ? workMailUrl(settings.region)
      : new URL(settings.url as string);
  const endpoint: HttpPoolOptions = {
    url,
    ca: settings.caFile === undefined ? undefined : readFileSync(settings.caFile, "utf8"),
    connections: settings.connections,
    maximumAnswerBytes: settings.maximumAnswerMegabytes * MEGABYTE,
    alongside,
  };
  const accounts = new ServiceAccounts({
    accounts: accountsOf(name, settings).map(([path, account]) =>
      accountOptions(path, account, endpoint, settings, secrets, now),
    ),
    now,
    tell: (event) => tell(name, event),
  });
  const backend = new EwsBackend(
    {
      name,
      timeoutMs: settings.timeoutSeconds * 1000,
      dialect: {
        ...dialect,
        maximumMailboxes: settings.maximumMailboxes ?? dialect.maximumMailboxes,
        maximumWindowDays: settings.maximumWindowDays ?? dialect.maximumWindowDays,
      },
    },
    accounts,
  );
  backend.watchSecrets(settings.checkSecretsSeconds * 1000);
  return backend;
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
function accountsOf(name: string, settings: BackendSettings): (readonly [path: string, account: AccountSettings])[] {
  const { accounts, username, password, nextPassword, scheme } = settings;
  if (accounts !== undefined) return accounts.map((account, i) => [`backends.${name}.accounts.${i}`, account] as const);
  // The cross-checks have seen to it that these are there.
  const single = { scheme, username: username as string, password: password as string, nextPassword };
  return [[`backends.${name}`, single]];
}

function accountOptions(
  path: string,
  account: AccountSettings,
  endpoint: HttpPoolOptions,
  settings: BackendSettings,
  secrets: Secrets,
  now: () => InstantMs,
): AccountOptions {
  const provider = (setting: string) => () => secrets.now(`${path}.${setting}`);
  const optional = (setting: string, given: string | undefined) =>
    given === undefined ? undefined : provider(setting);
  const bearer = (grant: TokenGrant) =>
    new BearerTransport({
      ...endpoint,
      tokens: new KeptToken({ grant, now, timeoutMs: settings.timeoutSeconds * 1000 }),
    });
  const { scheme } = account;
  switch (account.scheme) {
    case "basic":
    case "ntlm": {
      const { username } = account;
      const current = provider("password");
      const next = optional("nextPassword", account.nextPassword);
      const channel = (password: string) =>
        account.scheme === "basic"
          ? new BasicTransport({ ...endpoint, username, password })
          : new ConnectionBoundTransport({ ...endpoint, scheme: ntlmScheme({ username, password }) });
      return { name: username, scheme, current, next, channel };
    }
    case "negotiate": {
      const { principal, keytabFile } = account;
      useClientKeytab(keytabFile);
      const tickets = new KerberosTickets({ principal, host: endpoint.url.hostname }, installedKerberos());
      return {
        name: principal,
        scheme,
        // Never sent, only compared: a new keytab is tried at once.
        current: () => readFileSync(keytabFile).toString("base64"),
        channel: () => new NegotiateTransport({ ...endpoint, tickets }),
      };
    }
    case "oauth": {
      const { tokenUrl, clientId, scope, actsAs, certificateFile } = account;
      const proof = (secret: string): ClientProof =>
        certificateFile === undefined
          ? { method: "client_secret_post", secret }
          : {
              method: "private_key_jwt",
              algorithm: "PS256",
              privateKey: secret,
              certificate: readFileSync(certificateFile, "utf8"),
            };
      const options = { tokenUrl: new URL(tokenUrl), clientId, scope, now, allowPlainHttp: settings.allowPlainHttp };
      return {
        name: clientId,
        scheme,
        actsAs: canonical(actsAs),
        current: provider(certificateFile === undefined ? "clientSecret" : "privateKey"),
        next: optional("nextClientSecret", account.nextClientSecret),
        channel: (secret) => bearer(new ClientCredentials({ ...options, proof: proof(secret) })),
      };
    }
    case "impersonation": {
      const { organizationId, roleId, region, actsAs, endpoint: api } = account;
      const timeoutMs = settings.timeoutSeconds * 1000;
      return {
        name: roleId,
        scheme,
        actsAs: canonical(actsAs),
        // Nothing of ours proves it: AWS's own credential chain does.
        current: () => "",
        channel: () => bearer(new ImpersonationRole({ organizationId, roleId, region, endpoint: api, timeoutMs })),
      };
    }
  }
}

/** The schema has checked that it is an address. */
function canonical(text: string | undefined): MailboxAddress | undefined {
  return text === undefined ? undefined : (parseMailboxAddress(text) as MailboxAddress);
}
