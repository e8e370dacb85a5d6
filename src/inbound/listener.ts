/**
 * Decides how connections are kept within bounds, whoever is served on them: so many seconds
 * for a whole request to arrive, headers of at most 16 KiB, bodies of at most what is
 * configured, nothing that stands still, and an end that lets what is under way finish.
 */

import { once } from "node:events";
import { Server as NetServer } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import type { TlsFiles } from "./tls-files.js";

export interface ListenerLimits {
  readonly bodyBytes: number;
  /** For a request's header and body to arrive. */
  readonly requestMs: number;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleMs: number;
}

export function createListener(limits: ListenerLimits, tls: TlsFiles | undefined): FastifyInstance {
  const common = {
    bodyLimit: limits.bodyBytes,
    // Addresses stand in paths, and may be longer than the hundred characters a router allows.
    routerOptions: { caseSensitive: false, maxParamLength: 1000 },
    // What has not arrived in time is closed, checked every second.
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.idleMs + 5_000,
    forceCloseConnections: "idle" as const,
    // What arrives on a kept connection during the end is answered like the rest.
    return503OnClosing: false,
    genReqId: requestIds(),
  };
  const http = { headersTimeout: limits.requestMs, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 };
  const app =
    tls === undefined
      ? fastify({ ...common, http })
      : (fastify({
          ...common,
          https: { ...http, ...tls.read(), minVersion: "TLSv1.2" as const },
        }) as unknown as FastifyInstance);
  app.setNotFoundHandler((_, reply) => {
    reply
      .code(404)
      .type("text/plain; charset=utf-8")
      .send("Nothing is served here. EWS is at POST /EWS/Exchange.asmx.\n");
  });
  return app;
}

/** So long a request may have been on its way when its connection seemed to be idle. */
const LINGER_MS = 250;
const SWEEP_MS = 50;

/**
 * Closes a listener: no new connections at once, those kept alive when nothing has come on them for a moment, and after
 * `withinMs` whatever is left.
 */
export async function drained(app: FastifyInstance, withinMs: number): Promise<void> {
  const { server } = app;
  if (server.listening) {
    const ended = once(server, "close");
    // Not HTTP's own close: it cuts idle connections before a request on its way has arrived, and stops looking for slow ones.
    NetServer.prototype.close.call(server);
    let sweep: NodeJS.Timeout | undefined;
    const linger = setTimeout(() => {
      sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    }, LINGER_MS);
    const end = setTimeout(() => server.closeAllConnections(), withinMs);
    await ended;
    clearTimeout(linger);
    clearInterval(sweep);
    clearTimeout(end);
  }
  await app.close();
}

/** Distinct across processes and restarts, in order within one. */
function requestIds(): () => string {
  const process = crypto.randomUUID().slice(0, 13);
  let count = 0;
  return () => `${process}-${(++count).toString(36)}`;
}
