/**
 * The part of the composition root that connects traces, when they are configured. Loaded
 * only then: OpenTelemetry costs nobody else anything.
 */

import { readFileSync } from "node:fs";
import type { Logger } from "pino";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import type { Metrics } from "./telemetry/metrics.js";
import { type OtlpTraces, openOtlpTraces } from "./telemetry/otlp-traces.js";
import { VERSION } from "./version.js";

export function composeTraces(
  settings: NonNullable<Configuration["traces"]>,
  secrets: Secrets,
  metrics: Metrics,
  log: Logger,
): OtlpTraces {
  const { endpoint, headers, caFile, sampleRatio } = settings;
  return openOtlpTraces({
    endpoint,
    headers: Object.fromEntries(
      Object.keys(headers).map((name) => [name, secrets.get(`traces.headers.${name}`) as string]),
    ),
    ca: caFile === undefined ? undefined : readFileSync(caFile, "utf8"),
    sampleRatio,
    version: VERSION,
    exported: (spans, arrived) => metrics.spansExported(spans, arrived),
    changed: (problem) =>
      problem === undefined
        ? log.info("traces arrive again")
        : log.warn({ problem }, "traces do not arrive; they are dropped, and nothing else is affected"),
  });
}
