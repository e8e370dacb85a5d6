/**
 * The part of the composition root that builds the directories, in the configured order.
 * Decides nothing but who is connected to whom.
 */

import { readFileSync } from "node:fs";
import { type MailboxAddress, parseDomain, parseMailboxAddress } from "./availability/mailbox-address.js";
import type { InstantMs } from "./availability/time-window.js";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import type { DirectorySource } from "./directories/directory-source.js";
import { KeptDirectory } from "./directories/kept-directory.js";
import { LdapDirectory } from "./directories/ldap-directory.js";
import { OverridesFile } from "./directories/overrides-file.js";
import type { PinnedMailbox } from "./directories/pinned-index.js";
import { PinnedMailboxes } from "./directories/pinned-mailboxes.js";
import { ProbeMemory } from "./directories/probe-memory.js";
import { WorkMailDirectory } from "./directories/workmail-directory.js";
import type { DirectoryObserver, MailboxDirectory } from "./proxy/mailbox-directory.js";
import type { ProbeWinners } from "./proxy/second-chance.js";

export interface Directories {
  /** In the order in which their word counts. */
  readonly all: readonly MailboxDirectory[];
  /** Absent when nobody is to be probed. */
  readonly winners: ProbeWinners | undefined;
  /** Resolves when each has read its source, or a snapshot, or has failed to for the first time. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Settings = Configuration["directories"][number];

export function composeDirectories(
  configuration: Configuration,
  secrets: Secrets,
  observer: DirectoryObserver,
  now: () => InstantMs,
): Directories {
  const pinned = pinnedByConfiguration(configuration, now);
  const backends = Object.keys(configuration.backends);
  const started: { start?(): Promise<void>; stop?(): Promise<void> | void }[] = [pinned];
  const all: MailboxDirectory[] = [pinned];
  let winners: ProbeMemory | undefined;
  configuration.directories.forEach((settings, i) => {
    switch (settings.type) {
      case "overrides": {
        const { name, file, checkSeconds } = settings;
        const overrides = new OverridesFile({ name, file, backends, checkMs: checkSeconds * 1000, now, observer });
        all.push(overrides);
        started.push(overrides);
        break;
      }
      case "probe":
        winners = new ProbeMemory({ rememberMs: settings.rememberSeconds * 1000, now });
        all.push(winners);
        break;
      default: {
        const source =
          settings.type === "workmail"
            ? workMailSource(settings)
            : ldapSource(settings, () => secrets.now(`directories.${i}.password`), configuration);
        const kept = new KeptDirectory({
          name: settings.name,
          home: settings.backend,
          source,
          refreshMs: settings.refreshSeconds * 1000,
          snapshotFile: settings.snapshotFile,
          observer,
          now,
        });
        all.push(kept);
        started.push(kept);
      }
    }
  });
  return {
    all,
    winners,
    start: async () => void (await Promise.all(started.map((one) => one.start?.()))),
    stop: async () => void (await Promise.all(started.map((one) => one.stop?.()))),
  };
}

/** The configuration's own list counts like an override, and before all of them. */
function pinnedByConfiguration({ mailboxes }: Configuration, now: () => InstantMs): PinnedMailboxes {
  // The schema has checked that these are addresses.
  const canonical = (text: string) => parseMailboxAddress(text) as MailboxAddress;
  const rows = mailboxes.map(
    ({ address, aliases, backend }, i): PinnedMailbox => ({
      addresses: [canonical(address), ...aliases.map(canonical)],
      backend,
      rule: `configuration: mailboxes.${i}`,
    }),
  );
  return new PinnedMailboxes({ name: "configuration", rows, now });
}

function workMailSource(settings: Settings & { type: "workmail" }): DirectorySource {
  const { organizationId, region, endpoint, backend, resourcesBackend, timeoutSeconds } = settings;
  return new WorkMailDirectory({
    organizationId,
    region,
    endpoint,
    workmailBackend: backend,
    resourceBackend: resourcesBackend,
    timeoutMs: timeoutSeconds * 1000,
  });
}

function ldapSource(
  settings: Settings & { type: "ldap" },
  password: () => string,
  { addressSpaces }: Configuration,
): DirectorySource {
  const { url, startTls, caFile, bindDn, baseDn, pageSize, timeoutSeconds, backend } = settings;
  const owners = new Map(addressSpaces.map(({ domain, backend: owner }) => [parseDomain(domain) as string, owner]));
  return new LdapDirectory({
    url,
    startTls,
    ...(caFile !== undefined && { tls: { ca: readFileSync(caFile, "utf8") } }),
    bindDn,
    // As it is when somebody binds: a new one counts from the next connection on.
    get password() {
      return password();
    },
    baseDn,
    pageSize,
    timeoutMs: timeoutSeconds * 1000,
    mailboxBackend: backend,
    backendOfDomain: (domain) => owners.get(domain),
  });
}
