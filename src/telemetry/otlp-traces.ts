/**
 * Decides how spans leave: in batches, over OTLP/HTTP in JSON, from a queue of bounded
 * length. When the receiver is slow or away they are dropped, and that is said once when it
 * begins and once when it ends: nobody who asks for free/busy time waits for a trace.
 */

import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { TraceWatcher } from "./trace-watcher.js";

export interface OtlpTraceOptions {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM; the usual authorities when undefined. */
  readonly ca: string | undefined;
  readonly sampleRatio: number;
  readonly version: string;
  /** Told of every batch: how many spans, and whether they arrived. */
  readonly exported: (spans: number, arrived: boolean) => void;
  /** Told when they do not arrive any more (the problem), and when they do again (undefined). */
  readonly changed: (problem: string | undefined) => void;
}

export interface OtlpTraces {
  readonly watcher: TraceWatcher;
  /** Sends what is left, for a short while at most. */
  close(): Promise<void>;
}

const QUEUED_SPANS = 4096;
const BATCH_SPANS = 512;
const EVERY_MS = 1_000;
const EXPORT_WITHIN_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;

export function openOtlpTraces(options: OtlpTraceOptions): OtlpTraces {
  const { endpoint, headers, ca, sampleRatio, version } = options;
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    headers: { ...headers },
    timeoutMillis: EXPORT_WITHIN_MS,
    concurrencyLimit: 2,
    ...(ca !== undefined && { httpAgentOptions: { ca } }),
  });
  const processor = new BatchSpanProcessor(told(exporter, options), {
    maxQueueSize: QUEUED_SPANS,
    maxExportBatchSize: BATCH_SPANS,
    scheduledDelayMillis: EVERY_MS,
    exportTimeoutMillis: EXPORT_WITHIN_MS,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "freebusy-gateway", "service.version": version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [processor],
    // A hundred mailboxes in one request have at most as many reasons as there are.
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256 },
  });
  return {
    watcher: new TraceWatcher(provider.getTracer("freebusy-gateway", version)),
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(resolve, CLOSE_WITHIN_MS);
        const closed = () => {
          clearTimeout(late);
          resolve();
        };
        provider.shutdown().then(closed, closed);
      }),
  };
}

/** The exporter, telling how it fares. */
function told(exporter: OTLPTraceExporter, { exported, changed }: OtlpTraceOptions): SpanExporter {
  let failing = false;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        const arrived = result.code === ExportResultCode.SUCCESS;
        exported(spans.length, arrived);
        if (arrived === failing) {
          failing = !arrived;
          changed(arrived ? undefined : whatHappened(result.error));
        }
        // Said already; OpenTelemetry's own way of saying it is not ours.
        done({ code: ExportResultCode.SUCCESS });
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}

function whatHappened(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return `${code ?? ""} ${message ?? ""}`.trim().slice(0, 200) || "no answer";
}
