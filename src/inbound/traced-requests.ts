/**
 * Decides what of a request is traced, from its header to the end of its answer, and whose
 * `traceparent` is believed: that of callers who have signed in and are named for it. Anybody
 * else could join foreign traces, or have everything sampled.
 *
 * A request that never gets as far as a handler has a span of its own, without a parent.
 */

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RequestSpan, RequestTracer } from "../proxy/request-tracer.js";

declare module "fastify" {
  interface FastifyRequest {
    /** In milliseconds since 1970; 0 where nothing is traced. */
    arrivedAt: number;
    span: RequestSpan | null;
  }
}

export interface TracedRequestOptions {
  readonly tracer: RequestTracer;
  /** Names of callers. */
  readonly acceptFrom: readonly string[];
}

/** Before any route is registered: hooks hold for those that come after. */
export function traceRequests(app: FastifyInstance, { tracer, acceptFrom }: TracedRequestOptions): void {
  const believed = new Set(acceptFrom);
  // On the request itself: maps of what lives so briefly cost the collector more than all the rest.
  app.decorateRequest("arrivedAt", 0);
  app.decorateRequest("span", null);

  app.addHook("onRequest", (request, reply, done) => {
    request.arrivedAt = Date.now();
    reply.raw.once("close", () => {
      const status = reply.raw.statusCode;
      const span = request.span ?? begin(request, undefined);
      const { caller } = request;
      span.end(
        {
          "http.request.method": request.method,
          "http.response.status_code": status,
          request_id: request.id,
          ...(caller && { caller: caller.name, origin: caller.origin ?? "none" }),
          // What was not sent to the end.
          ...(!reply.raw.writableFinished && { "error.type": "aborted" }),
        },
        status >= 500 || !reply.raw.writableFinished,
      );
    });
    done();
  });

  // By now the caller is known and the body is there; whatever comes next is done within the span.
  app.addHook("preHandler", (request, _, done) => {
    const { traceparent } = request.headers;
    const parent =
      believed.has(request.caller?.name ?? "") && typeof traceparent === "string" ? traceparent : undefined;
    request.span = begin(request, parent);
    request.span.run(done);
  });

  function begin(request: FastifyRequest, parent: string | undefined): RequestSpan {
    // The route, not the path: a path is a stranger's text.
    const route = request.routeOptions.url ?? "elsewhere";
    return tracer.begin(`${request.method} ${route}`, request.arrivedAt, parent);
  }
}
