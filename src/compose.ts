/**
 * The composition root: builds every object once, from a configuration, and knows
 * everybody. It decides nothing but who is connected to whom.
 */

import pino, { type Logger } from "pino";
import { parseDomain } from "./availability/mailbox-address.js";
import { MemoryViewCache } from "./caches/memory-view-cache.js";
import { publishedUrls } from "./compose-autodiscover.js";
import { composeBackend, serviceAccountNames } from "./compose-backends.js";
import { composeCallers } from "./compose-callers.js";
import { composeDirectories, instantNow } from "./compose-directories.js";
import { composeOverload, listenerLimits } from "./compose-overload.js";
import { composePolicy } from "./compose-policy.js";
import type { Configuration } from "./config/configuration.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import { autodiscoverRoutes } from "./inbound/autodiscover-routes.js";
import { ewsRoutes } from "./inbound/ews-routes.js";
import { createListener, drained } from "./inbound/listener.js";
import { managementRoutes } from "./inbound/management-routes.js";
import { OwnMarks } from "./inbound/own-marks.js";
import { TlsFiles } from "./inbound/tls-files.js";
import { traceRequests } from "./inbound/traced-requests.js";
import { reasonPage } from "./operations/reason-catalogue.js";
import { reasonText } from "./operations/reason-page.js";
import { explainRoute } from "./proxy/explain-route.js";
import type { AddressSpace } from "./proxy/route-mailbox.js";
import { openAuditDestination } from "./telemetry/audit-file.js";
import { AuditLog } from "./telemetry/audit-log.js";
import { watchCertificate } from "./telemetry/certificate-metrics.js";
import { standardLogLines } from "./telemetry/log-lines.js";
import { LookupLog } from "./telemetry/lookup-log.js";
import { Metrics } from "./telemetry/metrics.js";
import { Observers } from "./telemetry/observers.js";
import { watchedLookup, watchedParts } from "./telemetry/watched-ports.js";

export interface Gateway {
  /** Resolves, with the addresses bound, when both listeners accept connections. */
  start(): Promise<{ readonly ews: string; readonly management: string }>;
  /** Takes no new work, lets what is under way finish, then closes everything. */
  stop(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
/** How long a start waits for directories; after that it goes on with what there is, and says so. */
const DIRECTORIES_WITHIN_MS = 60_000;
/** How long what is under way at the end may take, so that all else fits into the time a stop has. */
const DRAINED_WITHIN_MS = 21_000;
const AFTER_BUDGET_MS = 2_000;
const OPERATIONS_END_WITHIN_MS = 1_000;

export function createLog(level: string): Logger {
  return pino({ level, base: { service: "freebusy-gateway" }, timestamp: isoTime() }, standardLogLines());
}

/** pino's isoTime, writing each millisecond's text once. */
function isoTime(): () => string {
  let written = 0;
  let text = "";
  return () => {
    const now = Date.now();
    if (now !== written) {
      written = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

export async function compose({ configuration, secrets }: LoadedConfiguration, log: Logger): Promise<Gateway> {
  const now = () => performance.now();
  const metrics = new Metrics();
  const { audit } = configuration;
  const auditFile =
    audit && openAuditDestination(audit.to, (error) => log.error({ err: error }, "the audit log cannot be written"));
  const auditLog = auditFile && new AuditLog({ stream: auditFile.stream, hmacKey: secrets.get("audit.hashKey") });
  const observer = new Observers(
    ...[new LookupLog(log, configuration.log.addresses), metrics, ...(auditLog === undefined ? [] : [auditLog])],
  );
  const traces =
    configuration.traces &&
    (await import("./compose-traces.js")).composeTraces(configuration.traces, secrets, metrics, log);
  const alongside = configuration.traces?.sendToBackends ? () => traces?.watcher.headers() ?? {} : undefined;
  const backends = new Map(
    Object.entries(configuration.backends).map(([name, settings]) => [
      name,
      composeBackend(
        name,
        settings,
        secrets,
        instantNow,
        (backend, event) => observer.accountChanged(backend, event),
        alongside,
      ),
    ]),
  );
  const cacheTimes = {
    viewTtlMs: configuration.cache.viewSeconds * 1000,
    notFoundTtlMs: configuration.cache.notFoundSeconds * 1000,
  };
  const cache = new MemoryViewCache(configuration.cache.maximumMegabytes * MEGABYTE);
  const directories = composeDirectories(configuration, secrets, observer, instantNow);
  metrics.watchAccounts(() => new Map([...backends].map(([name, backend]) => [name, backend.accounts()])), instantNow);
  metrics.watchDirectories(directories.all, instantNow);
  const { router, answerer } = composePolicy({
    ...watchedParts(
      { directories: directories.all, backends: [...backends.values()], cache },
      metrics.hops,
      traces?.watcher,
    ),
    winners: directories.winners,
    whenOnBothSides: configuration.whenOnBothSides,
    addressSpaces: addressSpacesOf(configuration),
    cacheTimes,
    observer,
    budgetMs: configuration.timeBudgetSeconds * 1000,
    now,
    clock: instantNow,
  });
  const callers = await composeCallers(configuration, secrets, (problem) => log.error({ problem }, "sign-in"));

  const { listen, management } = configuration;
  let draining = false;
  const tls = listen.tls === undefined ? undefined : new TlsFiles(listen.tls, log);
  const answer = watchedLookup(answerer, traces?.watcher);
  watchCertificate(metrics.registry, () => tls?.expiresAt, instantNow);
  const overload = composeOverload(configuration, metrics, observer, now);
  const ews = createListener(listenerLimits(configuration, listen.bodyLimitBytes), tls);
  overload.guard(ews, callers.proxies, () => draining);
  if (configuration.traces && traces) {
    traceRequests(ews, { tracer: traces.watcher, acceptFrom: configuration.traces.acceptFrom });
  }
  ews.register(ewsRoutes, {
    answer: (query, asking, id) => overload.gate.counting(answer(query, asking, id)),
    authenticator: callers.authenticator,
    proxies: callers.proxies,
    ownMarks: new OwnMarks(serviceAccountNames(configuration)),
    observer,
    now: instantNow,
  });
  ews.register(autodiscoverRoutes, {
    urls: publishedUrls(configuration),
    authenticator: callers.authenticator,
    proxies: callers.proxies,
    observer,
    told: (discovery) => log[discovery.result === "settings" ? "info" : "warn"](discovery, "autodiscover"),
    now: instantNow,
  });
  tls?.watch(ews.server);

  let directoriesSettled = false;
  const ops = createListener(listenerLimits(configuration, 1024), undefined);
  ops.register(managementRoutes, {
    state: () => (draining ? "draining" : directoriesSettled ? "serving" : "reading directories"),
    directories: () => directories.all,
    refusing: () => overload.gate.refusal,
    explain: (address, origin, ask) => explainRoute(address, origin, router, ask ? answerer : undefined, instantNow),
    reason: (id) => {
      const page = reasonPage(id);
      return page && reasonText(id, page);
    },
    now: instantNow,
    backendHealth: async () =>
      new Map(await Promise.all([...backends].map(async ([name, backend]) => [name, await backend.health()] as const))),
    metrics: async () => {
      observer.flush();
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
  });

  const stop = async () => {
    draining = true;
    tls?.unwatch();
    const withinMs = Math.min(configuration.timeBudgetSeconds * 1000 + AFTER_BUDGET_MS, DRAINED_WITHIN_MS);
    await drained(ews, withinMs);
    await drained(ops, OPERATIONS_END_WITHIN_MS);
    overload.stop();
    await directories.stop();
    observer.flush();
    auditFile?.flush();
    await traces?.close();
    await callers.close();
    await Promise.all([...backends.values()].map((backend) => backend.close()));
  };
  return {
    stop,
    async start() {
      try {
        const operations = await ops.listen(management);
        // Nobody is routed by a directory that has not been read yet, if it can be helped.
        await settledWithin(directories.start(), DIRECTORIES_WITHIN_MS);
        directoriesSettled = true;
        return { ews: await ews.listen({ host: listen.host, port: listen.port }), management: operations };
      } catch (error) {
        await stop();
        throw error;
      }
    },
  };
}

async function settledWithin(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function addressSpacesOf({ addressSpaces }: Configuration): AddressSpace[] {
  return addressSpaces.map(({ domain, backend, rewriteDomain }) => ({
    // The schema has checked that these are domains.
    domain: parseDomain(domain) as string,
    backend,
    rewriteDomain: rewriteDomain === undefined ? undefined : parseDomain(rewriteDomain),
  }));
}
