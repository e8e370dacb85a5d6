/**
 * The composition root: builds every object once, from a configuration, and knows
 * everybody. It decides nothing but who is connected to whom.
 */

import pino, { type Logger } from "pino";
import { publishedUrls } from "./compose-autodiscover.js";
import { serviceAccountNames } from "./compose-backends.js";
import { composeCallers } from "./compose-callers.js";
import { instantNow, steadyNow, watchForSetBack } from "./compose-clocks.js";
import { composeConsole } from "./compose-console.js";

import { composeLookups, type LookupWatching } from "./compose-lookups.js";
import { composeOverload, listenerLimits } from "./compose-overload.js";
import { composeProbes } from "./compose-probes.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import { autodiscoverRoutes } from "./inbound/autodiscover-routes.js";
import { capRoutes } from "./inbound/cap-routes.js";
import { consoleRoutes } from "./inbound/console-routes.js";
import { ewsRoutes } from "./inbound/ews-routes.js";
import { freeBusyUrlRoutes } from "./inbound/free-busy-url-routes.js";
import { createListener, drained } from "./inbound/listener.js";
import { type LookupRouteOptions, lookupRoutes } from "./inbound/lookup-routes.js";
import { managementRoutes } from "./inbound/management-routes.js";
import { OwnMarks } from "./inbound/own-marks.js";
import { purgeRoute } from "./inbound/purge-route.js";
import { TlsFiles } from "./inbound/tls-files.js";
import { traceRequests } from "./inbound/traced-requests.js";
import type { Overview } from "./operations/console/overview-page.js";
import { reasonPage } from "./operations/reason-catalogue.js";
import { reasonText } from "./operations/reason-page.js";
import { explainRoute } from "./proxy/explain-route.js";
import { purge } from "./proxy/purge.js";
import { watchCertificate } from "./telemetry/certificate-metrics.js";
import { standardLogLines } from "./telemetry/log-lines.js";
import { LookupMemory } from "./telemetry/lookup-memory.js";
import { Metrics } from "./telemetry/metrics.js";
import { SharedCacheTelemetry } from "./telemetry/shared-cache-telemetry.js";
import { watchedLookup, watchedParts } from "./telemetry/watched-ports.js";

export interface Gateway {
  /** Resolves, with the addresses bound, when both listeners accept connections. */
  start(): Promise<{ readonly ews: string; readonly management: string }>;
  /** The audit log's file has been moved away: another one is begun. */
  reopenAudit(): void;
  /** Takes no new work, lets what is under way finish, then closes everything. */
  stop(): Promise<void>;
}

/** An event of several questions waits this much longer than a lookup may take, so that what lookups know at their end is given. */
const CAP_GRACE_MS = 500;
/** How long a start waits for directories; after that it goes on with what there is, and says so. */
const DIRECTORIES_WITHIN_MS = 60_000;
/** How long what is under way at the end may take, so that all else fits into the time a stop has. */
const DRAINED_WITHIN_MS = 21_000;
const AFTER_BUDGET_MS = 2_000;
const OPERATIONS_END_WITHIN_MS = 1_000;

export interface WrittenLog {
  readonly log: Logger;
  /** How many lines could not be written, until now. */
  readonly lost: () => number;
  /** For lines that stand beside the log's. */
  readonly standardOutput: LookupWatching["standardOutput"];
}

export function createLog(level: string): WrittenLog {
  const { lines, lost } = standardLogLines((count, problem) =>
    log.warn({ lines: count, problem }, "lines of this log were lost: they could not be written"),
  );
  const log = pino({ level, base: { service: "freebusy-gateway" }, timestamp: isoTime() }, lines);
  return { log, lost, standardOutput: { write: (line) => lines.writeSoon(line) } };
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

export async function compose(
  { configuration, secrets }: LoadedConfiguration,
  { log, lost, standardOutput }: WrittenLog,
): Promise<Gateway> {
  const metrics = new Metrics();
  metrics.watchLog(lost);
  const { console: consoleSettings } = configuration.management;
  const recent =
    consoleSettings && new LookupMemory(consoleSettings.recentLookups, configuration.log.addresses, instantNow);
  const traces =
    configuration.traces &&
    (await import("./compose-traces.js")).composeTraces(configuration.traces, secrets, metrics, log);
  const lookups = composeLookups({ configuration, secrets }, log, {
    standardOutput,
    observers: recent === undefined ? [metrics] : [metrics, recent],
    sharedCacheTelemetry: () => new SharedCacheTelemetry(log, metrics.registry),
    alongside: configuration.traces?.sendToBackends ? () => traces?.watcher.headers() ?? {} : undefined,
    watched: (parts) => watchedParts(parts, metrics.hops, traces?.watcher),
  });
  const { observer, backends, directories, router, answerer, asker, shared, sharedAccounts } = lookups;
  metrics.watchAccounts(() => new Map([...backends].map(([name, backend]) => [name, backend.accounts()])), steadyNow);
  metrics.watchBackends(backends);
  metrics.watchDirectories(directories.all, instantNow);
  const probes = composeProbes(configuration, lookups, log, metrics.registry, instantNow);
  const callers = await composeCallers(configuration, secrets, (problem) => log.error({ problem }, "sign-in"));

  // What is kept would count as fresh for so much longer.
  const unwatchClock = watchForSetBack((byMs) => {
    log.warn({ byMs }, "the clock was set back: what was kept here is forgotten");
    void asker.forget("all", "here");
  });

  const { listen, management } = configuration;
  let draining = false;
  const tls = listen.tls === undefined ? undefined : new TlsFiles(listen.tls, log);
  const answer = watchedLookup(answerer, traces?.watcher);
  watchCertificate(metrics.registry, () => tls?.expiresAt, instantNow);
  const overload = composeOverload(configuration, metrics, observer, () => performance.now());
  const ews = createListener(listenerLimits(configuration, listen.bodyLimitBytes), tls);
  overload.guard(ews, callers.proxies, () => draining);
  if (configuration.traces && traces) {
    traceRequests(ews, { tracer: traces.watcher, acceptFrom: configuration.traces.acceptFrom });
  }
  const callerRoutes: LookupRouteOptions = {
    answer: (query, asking, id) => overload.gate.counting(answer(query, asking, id)),
    authenticator: callers.authenticator,
    proxies: callers.proxies,
    ownMarks: new OwnMarks(serviceAccountNames(configuration)),
    observer,
    seen: (caller) => metrics.callerSeen(caller),
    now: instantNow,
  };
  ews.register(ewsRoutes, callerRoutes);
  ews.register(lookupRoutes, callerRoutes);
  ews.register(freeBusyUrlRoutes, callerRoutes);
  ews.register(capRoutes, { ...callerRoutes, withinMs: configuration.timeBudgetSeconds * 1000 + CAP_GRACE_MS });
  ews.register(autodiscoverRoutes, {
    ...callerRoutes,
    urls: publishedUrls(configuration),
    told: (discovery) => log[discovery.result === "settings" ? "info" : "warn"](discovery, "autodiscover"),
    now: instantNow,
  });
  tls?.watch(ews.server);

  let directoriesSettled = false;
  const ops = createListener(listenerLimits(configuration, 1024), undefined);
  const state = (): Overview["state"] =>
    draining ? "draining" : directoriesSettled ? "serving" : "reading directories";
  const backendHealth = async () =>
    new Map(
      await Promise.all([...backends].map(async ([name, backend]) => [name, await backend.asked.health()] as const)),
    );
  ops.register(managementRoutes, {
    state,
    probes: () => probes.standings(),
    directories: () => directories.all,
    refusing: () => overload.gate.refusal,
    explain: (address, origin, ask) => explainRoute(address, origin, router, ask ? answerer : undefined, instantNow),
    reason: (id) => {
      const page = reasonPage(id);
      return page && reasonText(id, page);
    },
    now: instantNow,
    sharedCache: () => shared && { ...shared.state, ...sharedAccounts?.count },
    backendHealth,
    metrics: async () => {
      observer.flush();
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
  });

  const purged = {
    router,
    asker,
    backends: [...backends.values()].map(({ asked }) => asked),
    winners: directories.winners,
  };
  ops.register(purgeRoute, { purge: (what) => purge(what, purged), shared: shared !== undefined });

  if (consoleSettings !== undefined && recent !== undefined) {
    const overview = async () => ({
      state: state(),
      backends: await backendHealth(),
      directories: directories.all.map((directory) => ({ name: directory.name, ...directory.state() })),
      probes: probes.standings(),
      sharedCache: shared?.state,
    });
    ops.register(consoleRoutes, composeConsole(consoleSettings, secrets, recent, lookups, overview, instantNow));
  }

  const stop = async () => {
    draining = true;
    probes.stop();
    tls?.unwatch();
    const withinMs = Math.min(configuration.timeBudgetSeconds * 1000 + AFTER_BUDGET_MS, DRAINED_WITHIN_MS);
    await drained(ews, withinMs);
    await drained(ops, OPERATIONS_END_WITHIN_MS);
    overload.stop();
    unwatchClock();
    await lookups.stop();
    await traces?.close();
    await callers.close();
  };
  return {
    stop,
    reopenAudit: () => lookups.reopenAudit(),
    async start() {
      try {
        const operations = await ops.listen(management);
        sharedAccounts?.begin();
        await shared?.start();
        await sharedAccounts?.ready();
        // Nobody is routed by a directory that has not been read yet, if it can be helped.
        await settledWithin(directories.start(), DIRECTORIES_WITHIN_MS);
        directoriesSettled = true;
        const address = await ews.listen({ host: listen.host, port: listen.port });
        probes.start();
        return { ews: address, management: operations };
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
