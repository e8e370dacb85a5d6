/**
 * The part of the composition root that answers, whoever brings the questions: backends, the
 * cache, directories, policy, and who is told. Listeners, or none, are composed around it.
 */

import type { Logger } from "pino";
import { parseDomain } from "./availability/mailbox-address.js";
import type { HttpPoolOptions } from "./backends/http-pool.js";
import type { SharedViewCache } from "./caches/shared-view-cache.js";
import { type ComposedBackend, composeBackend } from "./compose-backends.js";
import { cacheTimesOf, composeCache } from "./compose-cache.js";
import { instantNow } from "./compose-clocks.js";
import { composeDirectories, type Directories } from "./compose-directories.js";
import { composePolicy, type Policy } from "./compose-policy.js";
import type { Configuration } from "./config/configuration.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import type { GatewayCountObserver } from "./proxy/account-news.js";
import type { AddressSpace } from "./proxy/route-mailbox.js";
import type { SharedCacheObserver } from "./proxy/shared-cache-observer.js";
import type { SharedAccounts } from "./replicas/shared-accounts.js";
import { openAuditFile } from "./telemetry/audit-file.js";
import { AuditLog, type AuditLogParts } from "./telemetry/audit-log.js";
import { LookupLog } from "./telemetry/lookup-log.js";
import { type Observer, Observers } from "./telemetry/observers.js";
import type { WatchedParts } from "./telemetry/watched-ports.js";

export interface Lookups extends Pick<Policy, "router" | "answerer" | "asker"> {
  readonly observer: Observers;
  readonly backends: ReadonlyMap<string, ComposedBackend>;
  readonly directories: Directories;
  /** The cache, where it is shared with other gateways; to be started. */
  readonly shared: SharedViewCache | undefined;
  /** Service accounts, where they are shared; to be begun before that. */
  readonly sharedAccounts: SharedAccounts | undefined;
  /** Tells and writes what is still to be told. */
  flush(): void;
  /** Its file has been moved away. */
  reopenAudit(): void;
  /** For when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Who looks on, and where; nothing of it decides anything. */
export interface LookupWatching {
  /** For an audit log that has no file. */
  readonly standardOutput: AuditLogParts["stream"];
  /** Told beside the logs. */
  readonly observers?: readonly Observer[];
  readonly sharedCacheTelemetry: () => SharedCacheObserver & GatewayCountObserver;
  /** Headers that go along with every question to a backend. */
  readonly alongside?: HttpPoolOptions["alongside"];
  /** The same parts, watched. */
  readonly watched?: (parts: WatchedParts) => WatchedParts;
}

/** Directories are not started yet. */
export function composeLookups(
  { configuration, secrets }: LoadedConfiguration,
  log: Logger,
  { standardOutput, observers = [], sharedCacheTelemetry, alongside, watched = (parts) => parts }: LookupWatching,
): Lookups {
  const now = () => performance.now();
  const { audit } = configuration;
  const auditFile =
    audit === undefined || audit.to === "stdout"
      ? undefined
      : openAuditFile(audit.to.file, (error) => log.error({ err: error }, "the audit log cannot be written"));
  const auditLog =
    audit && new AuditLog({ stream: auditFile?.stream ?? standardOutput, hmacKey: secrets.get("audit.hashKey") });
  const observer = new Observers(
    ...[new LookupLog(log, configuration.log.addresses), ...observers, ...(auditLog === undefined ? [] : [auditLog])],
  );
  const backends = new Map(
    Object.entries(configuration.backends).map(([name, settings]) => [
      name,
      composeBackend(name, settings, secrets, instantNow, observer, alongside),
    ]),
  );
  const { cache, shared, sharedAccounts } = composeCache(
    configuration,
    secrets,
    sharedCacheTelemetry,
    instantNow,
    (keys) => asker.outdate(keys),
    (what, error) => observer.unexpected(what, error),
    new Map([...backends].map(([name, { inCommon }]) => [name, inCommon])),
  );
  const directories = composeDirectories(configuration, secrets, observer, instantNow);
  const { router, answerer, asker } = composePolicy({
    ...watched({
      directories: directories.all,
      backends: [...backends.values()].map(({ asked }) => asked),
      cache,
    }),
    winners: directories.winners,
    whenOnBothSides: configuration.whenOnBothSides,
    addressSpaces: addressSpacesOf(configuration),
    cacheTimes: cacheTimesOf(configuration),
    observer,
    budgetMs: configuration.timeBudgetSeconds * 1000,
    now,
    clock: instantNow,
  });
  const flush = () => {
    observer.flush();
    auditFile?.flush();
  };
  return {
    observer,
    backends,
    directories,
    router,
    answerer,
    asker,
    shared,
    sharedAccounts,
    flush,
    reopenAudit() {
      observer.flush();
      auditFile?.reopen();
    },
    async stop() {
      await directories.stop();
      await sharedAccounts?.stop();
      await shared?.stop();
      flush();
      await Promise.all([...backends.values()].map((backend) => backend.close()));
    },
  };
}

function addressSpacesOf({ addressSpaces }: Configuration): AddressSpace[] {
  return addressSpaces.map(({ domain, backend, rewriteDomain }) => ({
    // The schema has checked that these are domains.
    domain: parseDomain(domain) as string,
    backend,
    rewriteDomain: rewriteDomain === undefined ? undefined : parseDomain(rewriteDomain),
  }));
}
