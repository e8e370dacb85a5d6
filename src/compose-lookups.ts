/**
 * The part of the composition root that answers, whoever brings the questions: backends, the
 * cache, directories, policy, and who is told. Listeners, or none, are composed around it.
 */

import type { Logger } from "pino";
import { parseDomain } from "./availability/mailbox-address.js";
import { MemoryViewCache } from "./caches/memory-view-cache.js";
import { type ComposedBackend, composeBackend } from "./compose-backends.js";
import { composeDirectories, type Directories, instantNow } from "./compose-directories.js";
import { composePolicy, type Policy } from "./compose-policy.js";
import type { Configuration } from "./config/configuration.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import type { AddressSpace } from "./proxy/route-mailbox.js";
import { openAuditDestination } from "./telemetry/audit-file.js";
import { AuditLog } from "./telemetry/audit-log.js";
import { LookupLog } from "./telemetry/lookup-log.js";
import { type Observer, Observers } from "./telemetry/observers.js";

export interface Lookups extends Pick<Policy, "router" | "answerer"> {
  readonly observer: Observers;
  readonly backends: ReadonlyMap<string, ComposedBackend>;
  readonly directories: Directories;
  /** Tells and writes what is still to be told. */
  flush(): void;
  /** For when nothing is under way any more. */
  stop(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;

/** `watchers` are told beside the logs. Directories are not started yet. */
export function composeLookups(
  { configuration, secrets }: LoadedConfiguration,
  log: Logger,
  watchers: readonly Observer[],
): Lookups {
  const now = () => performance.now();
  const { audit } = configuration;
  const auditFile =
    audit && openAuditDestination(audit.to, (error) => log.error({ err: error }, "the audit log cannot be written"));
  const auditLog = auditFile && new AuditLog({ stream: auditFile.stream, hmacKey: secrets.get("audit.hashKey") });
  const observer = new Observers(
    ...[new LookupLog(log, configuration.log.addresses), ...watchers, ...(auditLog === undefined ? [] : [auditLog])],
  );
  const backends = new Map(
    Object.entries(configuration.backends).map(([name, settings]) => [
      name,
      composeBackend(name, settings, secrets, instantNow, observer),
    ]),
  );
  const cacheTimes = {
    viewTtlMs: configuration.cache.viewSeconds * 1000,
    notFoundTtlMs: configuration.cache.notFoundSeconds * 1000,
  };
  const cache = new MemoryViewCache(configuration.cache.maximumMegabytes * MEGABYTE);
  const directories = composeDirectories(configuration, secrets, observer, instantNow);
  const { router, answerer } = composePolicy({
    directories: directories.all,
    winners: directories.winners,
    whenOnBothSides: configuration.whenOnBothSides,
    addressSpaces: addressSpacesOf(configuration),
    backends: [...backends.values()].map(({ asked }) => asked),
    cache,
    cacheTimes,
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
    flush,
    async stop() {
      await directories.stop();
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
