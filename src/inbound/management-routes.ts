/**
 * Decides what operators may ask: is it alive, can it answer, how is it doing. On a
 * listener of its own, without authentication, so it says nothing about anybody's time
 * and is meant for the inside of a network only.
 *
 * Ready means that some backend could answer: one that is down is no reason to take the
 * gateway away from the mailboxes of the other. `?backend=NAME` asks about one alone.
 */

import type { FastifyInstance } from "fastify";
import type { BackendHealth } from "../proxy/availability-backend.js";

export interface ManagementRouteOptions {
  readonly backendHealth: () => Promise<ReadonlyMap<string, BackendHealth>>;
  readonly draining: () => boolean;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
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
    const ready = !options.draining() && states.some(({ usable }) => usable);
    const status = options.draining() ? "draining" : ready ? "ready" : "no backend is usable";
    return reply.code(ready ? 200 : 503).send({ status, backends: Object.fromEntries(health) });
  });

  app.get("/metrics", async (_, reply) => {
    const { contentType, text } = await options.metrics();
    return reply.type(contentType).send(text);
  });
}
