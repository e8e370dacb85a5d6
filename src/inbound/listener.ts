/**
 * Decides how connections are kept within bounds, whoever is served on them: ten seconds
 * for a whole request to arrive, headers of at most 16 KiB, bodies of at most what is
 * configured, and an end that lets what is under way finish.
 */

import fastify, { type FastifyInstance } from "fastify";
import type { TlsFiles } from "./tls-files.js";

export function createListener(bodyLimit: number, tls: TlsFiles | undefined): FastifyInstance {
  const common = {
    bodyLimit,
    // Addresses stand in paths, and may be longer than the hundred characters a router allows.
    routerOptions: { caseSensitive: false, maxParamLength: 1000 },
    // What has not arrived in time is closed, checked every second.
    requestTimeout: 10_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: "idle" as const,
    genReqId: requestIds(),
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
export async function drained(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
  }
}

/** Distinct across processes and restarts, in order within one. */
function requestIds(): () => string {
  const process = crypto.randomUUID().slice(0, 13);
  let count = 0;
  return () => `${process}-${(++count).toString(36)}`;
}
