/** The part of the composition root that connects what keeps callers' work within bounds, and what is told of it. */

import type { FastifyInstance } from "fastify";
import type { Configuration } from "./config/configuration.js";
import type { ListenerLimits } from "./inbound/listener.js";
import { ProcessStrain } from "./inbound/process-strain.js";
import { refuseWork } from "./inbound/refused-work.js";
import type { TrustedProxies } from "./inbound/trusted-proxies.js";
import { WorkGate } from "./inbound/work-gate.js";
import type { LookupObserver } from "./proxy/lookup-observer.js";
import type { Metrics } from "./telemetry/metrics.js";
import { watchWork } from "./telemetry/work-metrics.js";

export interface ComposedOverload {
  readonly gate: WorkGate;
  /** Bounds what comes to this listener; before its routes are registered. */
  guard(app: FastifyInstance, proxies: TrustedProxies, draining: () => boolean): void;
  stop(): void;
}

export function listenerLimits({ overload }: Configuration, bodyBytes: number): ListenerLimits {
  return { bodyBytes, requestMs: overload.requestSeconds * 1000, idleMs: overload.idleSeconds * 1000 };
}

export function composeOverload(
  { overload }: Configuration,
  metrics: Metrics,
  observer: LookupObserver,
  now: () => number,
): ComposedOverload {
  const { maximumRequests, maximumConnections, maximumDelaySeconds, maximumHeapShare } = overload;
  const strain = new ProcessStrain({ maximumDelayMs: maximumDelaySeconds * 1000, maximumHeapShare });
  const gate = new WorkGate({
    maximumRequests,
    strain: () => strain.now,
    roomBytes: () => strain.roomBytes,
    took: (durationMs) => metrics.requestTook(durationMs),
    now,
  });
  return {
    gate,
    guard(app, proxies, draining) {
      refuseWork(app, { gate, maximumConnections, proxies, observer, draining, random: Math.random });
      const connections = () =>
        new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count ?? 0)));
      watchWork(metrics.registry, {
        now: () => ({
          requests: gate.requests,
          lookups: gate.lookups,
          refusing: gate.refusal !== undefined,
          delaySeconds: strain.seen.delayMs / 1000,
          heapShare: strain.seen.heapShare,
        }),
        connections,
      });
    },
    stop: () => strain.stop(),
  };
}
