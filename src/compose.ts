/**
 * The composition root: builds every object once, from a configuration, and knows
 * everybody. It decides nothing but who is connected to whom.
 */

import { readFileSync } from "node:fs";
import fastify, { type FastifyInstance } from "fastify";
import pino, { type Logger } from "pino";
import type { ViewDetail } from "./availability/free-busy-view.js";
import { type MailboxAddress, parseDomain, parseMailboxAddress } from "./availability/mailbox-address.js";
import { EwsBackend, EXCHANGE, WORKMAIL, workMailUrl } from "./backends/ews-backend.js";
import { EwsTransport } from "./backends/ews-transport.js";
import { MemoryViewCache } from "./caches/memory-view-cache.js";
import type { Configuration } from "./config/configuration.js";
import type { LoadedConfiguration } from "./config/load-configuration.js";
import { BasicAuthenticator, type CallerAccount } from "./inbound/basic-authentication.js";
import { ewsRoutes } from "./inbound/ews-routes.js";
import { managementRoutes } from "./inbound/management-routes.js";
import { TlsFiles } from "./inbound/tls-files.js";
import { QueryAnswerer } from "./proxy/answer-query.js";
import { BackendAsker } from "./proxy/ask-backends.js";
import { MailboxRouter } from "./proxy/route-mailbox.js";
import { LookupLog } from "./telemetry/lookup-log.js";
import { Metrics } from "./telemetry/metrics.js";
import { Observers } from "./telemetry/observers.js";

export interface Gateway {
  /** Resolves, with the addresses bound, when both listeners accept connections. */
  start(): Promise<{ readonly ews: string; readonly management: string }>;
  /** Takes no new work, lets what is under way finish, then closes everything. */
  stop(): Promise<void>;
}

const DETAIL: Readonly<Record<Configuration["callers"][number]["maximumView"], ViewDetail>> = {
  MergedOnly: "merged",
  FreeBusy: "times",
  Detailed: "details",
};
const MEGABYTE = 1024 * 1024;

export function createLog(level: string): Logger {
  // Several lines are written at once, a quarter of a second late at most; on exit pino writes out what is left.
  const output = pino.destination({ dest: 1, sync: false, minLength: 16_000, periodicFlush: 250 });
  return pino({ level, base: { service: "freebusy-gateway" }, timestamp: isoTime() }, output);
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

export function compose({ configuration, secrets }: LoadedConfiguration, log: Logger): Gateway {
  // Monotonic, and finer than a millisecond.
  const now = () => performance.timeOrigin + performance.now();
  const metrics = new Metrics();
  const observer = new Observers(new LookupLog(log, configuration.log.addresses), metrics);
  const backends = new Map(
    Object.entries(configuration.backends).map(([name, settings]) => [name, createBackend(name, settings, secrets)]),
  );
  const cacheTimes = {
    viewTtlMs: configuration.cache.viewSeconds * 1000,
    notFoundTtlMs: configuration.cache.notFoundSeconds * 1000,
  };
  const cache = new MemoryViewCache(configuration.cache.maximumMegabytes * MEGABYTE);
  const answerer = new QueryAnswerer({
    router: createRouter(configuration),
    backends,
    asker: new BackendAsker(cache, cacheTimes, observer, now),
    observer,
    budgetMs: configuration.timeBudgetSeconds * 1000,
    now,
  });
  const authenticator = new BasicAuthenticator(createAccounts(configuration, secrets));

  const { listen, management } = configuration;
  const tls = listen.tls === undefined ? undefined : new TlsFiles(listen.tls, log);
  const ews = createListener(listen.bodyLimitBytes, tls);
  ews.register(ewsRoutes, {
    answer: (query, caller, id) => answerer.answer(query, caller, id),
    authenticator,
    observer,
    now,
  });
  tls?.watch(ews.server);

  let draining = false;
  const ops = createListener(1024, undefined);
  ops.register(managementRoutes, {
    draining: () => draining,
    backendHealth: async () =>
      new Map(await Promise.all([...backends].map(async ([name, backend]) => [name, await backend.health()] as const))),
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  });

  const stop = async () => {
    draining = true;
    tls?.unwatch();
    await drained(ews);
    await drained(ops);
    await Promise.all([...backends.values()].map((backend) => backend.close()));
  };
  return {
    stop,
    async start() {
      try {
        const operations = await ops.listen(management);
        return { ews: await ews.listen({ host: listen.host, port: listen.port }), management: operations };
      } catch (error) {
        await stop();
        throw error;
      }
    },
  };
}

function createListener(bodyLimit: number, tls: TlsFiles | undefined): FastifyInstance {
  const common = {
    bodyLimit,
    routerOptions: { caseSensitive: false },
    // A whole request has ten seconds to arrive; what has not is closed, checked every second.
    requestTimeout: 10_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: "idle" as const,
    genReqId: () => crypto.randomUUID(),
  };
  const limits = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 };
  const app =
    tls === undefined
      ? fastify({ ...common, http: limits })
      : (fastify({
          ...common,
          https: { ...limits, ...tls.read(), minVersion: "TLSv1.2" as const },
        }) as unknown as FastifyInstance);
  app.setNotFoundHandler((_, reply) => {
    reply
      .code(404)
      .type("text/plain; charset=utf-8")
      .send("Nothing is served here. EWS is at POST /EWS/Exchange.asmx.\n");
  });
  return app;
}

/** Closes a listener; connections kept alive are closed as soon as what is under way on them is answered. */
async function drained(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}

function createBackend(
  name: string,
  settings: Configuration["backends"][string],
  secrets: ReadonlyMap<string, string>,
): EwsBackend {
  const dialect = settings.type === "ews" ? EXCHANGE : WORKMAIL;
  const url =
    settings.url === undefined && settings.type === "workmail" && settings.region !== undefined
      ? workMailUrl(settings.region)
      : new URL(settings.url as string);
  const transport = new EwsTransport({
    url,
    username: settings.username,
    password: secretOf(secrets, `backends.${name}.password`),
    connections: settings.connections,
    maximumAnswerBytes: settings.maximumAnswerMegabytes * MEGABYTE,
    ca: settings.caFile === undefined ? undefined : readFileSync(settings.caFile, "utf8"),
  });
  return new EwsBackend(
    {
      name,
      serviceAccount: settings.username,
      timeoutMs: settings.timeoutSeconds * 1000,
      dialect: {
        ...dialect,
        maximumMailboxes: settings.maximumMailboxes ?? dialect.maximumMailboxes,
        maximumWindowDays: settings.maximumWindowDays ?? dialect.maximumWindowDays,
      },
    },
    transport,
  );
}

function createRouter({ mailboxes, addressSpaces }: Configuration): MailboxRouter {
  // The schema has checked that these are addresses and domains.
  const canonical = (text: string) => parseMailboxAddress(text) as MailboxAddress;
  return new MailboxRouter(
    mailboxes.map(({ address, aliases, backend }) => ({
      addresses: [address, ...aliases].map(canonical),
      backend,
      backendAddress: canonical(address),
    })),
    addressSpaces.map(({ domain, backend, rewriteDomain }) => ({
      domain: parseDomain(domain) as string,
      backend,
      rewriteDomain: rewriteDomain === undefined ? undefined : parseDomain(rewriteDomain),
    })),
  );
}

function createAccounts({ callers }: Configuration, secrets: ReadonlyMap<string, string>): CallerAccount[] {
  return callers.map(({ name, usernames, passwordHash, origin, maximumView }, i) => ({
    caller: { name, origin: origin === "none" ? undefined : origin, maximumDetail: DETAIL[maximumView] },
    usernames,
    passwordHash: secrets.get(`callers.${i}.passwordHash`) ?? passwordHash,
  }));
}

function secretOf(secrets: ReadonlyMap<string, string>, path: string): string {
  const secret = secrets.get(path);
  if (secret === undefined) throw new Error(`${path} was not resolved`);
  return secret;
}
