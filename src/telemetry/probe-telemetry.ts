/**
 * Decides how synthetic probes are told: three numbers for each, worked out when somebody
 * looks, and a line in the log when a result changes; one that stays is in the metrics.
 */

import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import type { ProbeStanding } from "../proxy/synthetic-probes.js";

export function watchProbes(registry: Registry, standings: () => readonly ProbeStanding[]): void {
  const gauge = (name: string, help: string, value: (standing: ProbeStanding) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ["probe", "as"],
      registers: [registry],
      collect() {
        for (const standing of standings()) {
          const number = value(standing);
          if (number !== undefined) this.set({ probe: standing.name, as: standing.origin ?? "none" }, number);
        }
      },
    });
  // Before the first question there is no series: neither an alarm nor a false calm.
  gauge("freebusy_probe_success", "1 when the last synthetic probe was answered as expected, else 0", ({ result }) =>
    result === "not asked yet" ? undefined : Number(result === "success"),
  );
  gauge("freebusy_probe_seconds", "How long the last synthetic probe took", ({ durationMs }) =>
    durationMs === undefined ? undefined : durationMs / 1000,
  );
  gauge(
    "freebusy_probe_last_success_timestamp_seconds",
    "When a synthetic probe was last answered as expected, in seconds since 1970",
    ({ succeededAt }) => (succeededAt === undefined ? undefined : succeededAt / 1000),
  );
}

export function tellProbe(log: Logger, { name, origin, result, reason, durationMs }: ProbeStanding): void {
  const fields = { probe: name, as: origin ?? "none", reason, ms: durationMs && Math.round(durationMs) };
  if (result === "success") log.info(fields, "probe succeeds");
  else log.error(fields, "probe fails");
}
