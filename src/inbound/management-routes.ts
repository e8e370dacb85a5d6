/**
 * Decides what operators may ask: is it alive, can it answer, how is it doing, why does a
 * mailbox go where it goes, and what does a reason mean. On a listener of its own, without authentication, so it says
 * nothing about anybody's time and is meant for the inside of a network only.
 *
 * Ready means that some backend could answer: one that is down is no reason to take the
 * gateway away from the mailboxes of the other, and a directory that cannot be reached is
 * none as long as there is anything to go by. `?backend=NAME` asks about one alone.
 */

import type { FastifyInstance } from "fastify";
import type { InstantMs } from "../availability/time-window.js";
import type { GatewayCount } from "../proxy/account-news.js";
import type { BackendHealth } from "../proxy/availability-backend.js";
import type { RouteExplanation } from "../proxy/explain-route.js";
import type { MailboxDirectory } from "../proxy/mailbox-directory.js";
import type { SharedCacheState } from "../proxy/shared-cache-observer.js";
import type { ProbeStanding } from "../proxy/synthetic-probes.js";

export interface ManagementRouteOptions {
  readonly backendHealth: () => Promise<ReadonlyMap<string, BackendHealth>>;
  readonly directories: () => readonly MailboxDirectory[];
  /** What the gateway finds out by asking by itself. Nobody is less ready for it. */
  readonly probes: () => readonly ProbeStanding[];
  readonly state: () => "serving" | "reading directories" | "draining";
  /** Why new work is refused at the moment; undefined: it is not. */
  readonly refusing: () => string | undefined;
  /** `origin`: the backend that asks, or undefined; `ask`: whether to ask the backend too. */
  readonly explain: (address: string, origin: string | undefined, ask: boolean) => Promise<RouteExplanation>;
  /** The page about a reason, as text; undefined when there is no such reason. */
  readonly reason: (id: string) => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly now: () => InstantMs;
  /** Undefined where no cache is shared. Without it nobody is less ready. */
  readonly sharedCache: () => (SharedCacheState & Partial<GatewayCount>) | undefined;
}

export async function managementRoutes(app: FastifyInstance, options: ManagementRouteOptions): Promise<void> {
  app.get("/healthz", async () => ({ status: "alive" }));

  app.get<{ Querystring: { backend?: string } }>("/readyz", async (request, reply) => {
    const health = await options.backendHealth();
    const wanted = request.query.backend;
    if (wanted !== undefined && !health.has(wanted)) {
      return reply.code(404).send({ status: "unknown backend", known: [...health.keys()] });
    }
    const states = wanted === undefined ? [...health.values()] : [health.get(wanted) as BackendHealth];
    const state = options.state();
    const ready = state === "serving" && states.some(({ usable }) => usable);
    const status = state !== "serving" ? state : ready ? "ready" : "no backend is usable";
    const probes = options.probes();
    const sharedCache = options.sharedCache();
    return reply.code(ready ? 200 : 503).send({
      status,
      // For people only: who is sent away here for a moment is not served better elsewhere by all being sent away.
      refusing: options.refusing() ?? null,
      backends: Object.fromEntries(health),
      directories: Object.fromEntries(options.directories().map((directory) => [directory.name, stateOf(directory)])),
      ...(probes.length > 0 && { probes: Object.fromEntries(probes.map((probe) => [probe.name, probed(probe)])) }),
      ...(sharedCache && { sharedCache: { ...sharedCache, problem: sharedCache.problem ?? null } }),
    });
  });

  app.get<{ Params: { address: string }; Querystring: { as?: string; ask?: string } }>(
    "/routes/:address",
    async (request, reply) => {
      const { as, ask } = request.query;
      const known = [...(await options.backendHealth()).keys()];
      if (as !== undefined && as !== "none" && !known.includes(as)) {
        return reply.code(400).send({ status: "unknown system", known: [...known, "none"] });
      }
      const asking = ask !== undefined && ask !== "false" && ask !== "0";
      return options.explain(request.params.address, as === "none" ? undefined : as, asking);
    },
  );

  app.get<{ Params: { id: string } }>("/reasons/:id", async (request, reply) => {
    const text = options.reason(request.params.id);
    reply.type("text/plain; charset=utf-8");
    return text ?? reply.code(404).send("There is no such reason. See docs/reasons.md.\n");
  });

  app.get("/metrics", async (_, reply) => {
    const { contentType, text } = await options.metrics();
    return reply.type(contentType).send(text);
  });

  function probed({ origin, result, reason, durationMs, askedAt, succeededAt }: ProbeStanding) {
    const ageOf = (at: InstantMs | undefined) =>
      at === undefined ? null : Math.max(0, Math.round((options.now() - at) / 1000));
    return {
      as: origin ?? "none",
      result,
      reason: reason ?? null,
      ms: durationMs === undefined ? null : Math.round(durationMs),
      ageSeconds: ageOf(askedAt),
      lastSuccessSeconds: ageOf(succeededAt),
    };
  }

  function stateOf(directory: MailboxDirectory) {
    const { from, recipients, readAt, problem } = directory.state();
    const ageSeconds = readAt === undefined ? null : Math.max(0, Math.round((options.now() - readAt) / 1000));
    return { from, recipients, ageSeconds, problem: problem ?? null };
  }
}
