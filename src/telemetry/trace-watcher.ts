/**
 * Decides what a trace holds: one span for each request, its lookup and every step of that,
 * beneath one another as they were waited for. Names are fixed, or configured; facts are
 * what {@link HopWatcher} tells.
 *
 * Steps outside of a request that is sampled have none.
 *
 * Only loaded when traces are configured. Keeps to itself: no global of OpenTelemetry's is set.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Hop, HopFacts, HopWatcher } from "../proxy/hop-watcher.js";
import type { RequestSpan, RequestTracer } from "../proxy/request-tracer.js";

const W3C = new W3CTraceContextPropagator();

export class TraceWatcher implements HopWatcher, RequestTracer {
  readonly #tracer: Tracer;
  readonly #within = new AsyncLocalStorage<Context>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  begin(name: string, startedAt: number, traceparent: string | undefined): RequestSpan {
    const parent =
      traceparent === undefined ? ROOT_CONTEXT : W3C.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: startedAt }, parent);
    return {
      // What is not sampled costs nothing further: there is nothing for its steps to be beneath.
      run: (work) => (span.isRecording() ? this.#within.run(trace.setSpan(parent, span), work) : work()),
      end: (facts, failed) => {
        span.setAttributes(attributesOf(facts));
        if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(Date.now());
      },
    };
  }

  around<Result>(hop: Hop, work: () => Result, outcome: (result: Awaited<Result>) => HopFacts): Result {
    const parent = this.#within.getStore();
    if (parent === undefined) return work();
    const { kind, step, party } = hop;
    const span = this.#tracer.startSpan(
      party === undefined ? `${kind} ${step}` : `${kind} ${party} ${step}`,
      { kind: kind === "backend" ? SpanKind.CLIENT : SpanKind.INTERNAL },
      parent,
    );
    const ended = (facts: HopFacts) => {
      span.setAttributes(attributesOf(facts));
      const { failures } = facts;
      if (Array.isArray(failures) && failures.length > 0) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    };
    const threw = (span: Span) => {
      // Not its message: it may quote what was asked.
      span.setStatus({ code: SpanStatusCode.ERROR, message: "threw" });
      span.end();
    };
    try {
      const result = this.#within.run(trace.setSpan(parent, span), work);
      if (result instanceof Promise) {
        result.then(
          (late) => ended(outcome(late as Awaited<Result>)),
          () => threw(span),
        );
      } else ended(outcome(result as Awaited<Result>));
      return result;
    } catch (error) {
      threw(span);
      throw error;
    }
  }

  /** What tells another system of the trace under way: `traceparent`, or nothing outside of one. */
  headers(): Record<string, string> {
    const context = this.#within.getStore();
    const carrier: Record<string, string> = {};
    if (context !== undefined) W3C.inject(context, carrier, defaultTextMapSetter);
    const { traceparent } = carrier;
    return traceparent === undefined ? {} : { traceparent };
  }
}

function attributesOf(facts: HopFacts): Attributes {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name.includes(".") ? name : `freebusy.${name}`,
      typeof value === "object" ? [...value] : value,
    ]),
  );
}
