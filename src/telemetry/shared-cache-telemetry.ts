/** Decides what logs and metrics tell of the cache that gateways share: when it comes and goes, once each, and how much it helps. */

import type { Logger } from "pino";
import { Counter, Gauge, type Registry } from "prom-client";
import type { GatewayCount, GatewayCountObserver } from "../proxy/account-news.js";
import type { SharedCacheObserver, SharedCacheState } from "../proxy/shared-cache-observer.js";

export class SharedCacheTelemetry implements SharedCacheObserver, GatewayCountObserver {
  readonly #log: Logger;
  readonly #joined: Gauge;
  readonly #gateways: Gauge;
  readonly #reads: Counter<"result">;
  readonly #failures: Counter<"what">;
  readonly #forgotten: Counter<"what">;

  constructor(log: Logger, registry: Registry) {
    this.#log = log;
    const registers = [registry];
    this.#joined = new Gauge({
      name: "freebusy_shared_cache_joined",
      help: "1 while the shared cache is used; 0: this gateway goes on alone",
      registers,
    });
    this.#gateways = new Gauge({
      name: "freebusy_gateways",
      help: "Gateways that share service accounts, this one included, as last counted; 0: never counted",
      registers,
    });
    this.#reads = new Counter({
      name: "freebusy_shared_cache_reads_total",
      help: "Mailboxes looked for in the shared cache, by result (found, missing); unreadable: values of another version or key",
      labelNames: ["result"],
      registers,
    });
    this.#failures = new Counter({
      name: "freebusy_shared_cache_failures_total",
      help: "Times the shared cache did not do as asked, or not in time, by what it was (read, write, forget)",
      labelNames: ["what"],
      registers,
    });
    this.#forgotten = new Counter({
      name: "freebusy_shared_cache_forgotten_total",
      help: "Times memory was cleared of some or all mailboxes because of other gateways",
      labelNames: ["what"],
      registers,
    });
  }

  sharedCacheChanged({ joined, problem }: SharedCacheState): void {
    this.#joined.set(joined ? 1 : 0);
    if (!joined) this.#log.warn({ problem }, "shared cache cannot be used; going on alone");
    else if (problem !== undefined) this.#log.warn({ problem }, "shared cache is used, but refuses what it is told");
    else this.#log.info("shared cache is used");
  }

  gatewaysCounted({ gateways, counted }: GatewayCount, crowded: readonly string[]): void {
    if (!counted) {
      this.#log.warn({ gateways }, "gateways cannot be counted; this one asks no more than its part of them");
      return;
    }
    this.#gateways.set(gateways);
    this.#log.info({ gateways }, "gateways counted; they share what accounts may do");
    if (crowded.length > 0) {
      this.#log.warn({ gateways, accounts: crowded }, "there are more gateways than an account's connections");
    }
  }

  sharedCacheRead(result: "found" | "missing" | "unreadable", count: number): void {
    this.#reads.inc({ result }, count);
  }

  sharedCacheFailed(what: "read" | "write" | "forget"): void {
    this.#failures.inc({ what });
  }

  sharedCacheForgot(what: "some" | "all"): void {
    this.#forgotten.inc({ what });
  }
}
