/** Decides which numbers tell how much is under way on the callers' listener, worked out when somebody looks. */

import { Gauge, type Registry } from "prom-client";

export interface WorkUnderWay {
  readonly requests: number;
  readonly lookups: number;
  /** Whether a request that came now would be refused. */
  readonly refusing: boolean;
  readonly delaySeconds: number;
  readonly heapShare: number;
}

export interface WatchedWork {
  readonly now: () => WorkUnderWay;
  readonly connections: () => Promise<number>;
}

export function watchWork(registry: Registry, { now, connections }: WatchedWork): void {
  const gauge = (name: string, help: string, value: (work: WorkUnderWay) => number | boolean) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(Number(value(now())));
      },
    });
  gauge("freebusy_requests_in_flight", "Callers' requests under way", ({ requests }) => requests);
  gauge("freebusy_lookups_in_flight", "Lookups that wait for a backend or a directory", ({ lookups }) => lookups);
  gauge("freebusy_refusing", "1 while new requests are refused because of overload", ({ refusing }) => refusing);
  gauge("freebusy_event_loop_delay_seconds", "How late the event loop is on average", (work) => work.delaySeconds);
  gauge("freebusy_heap_share", "Share of the heap's limit in use", ({ heapShare }) => heapShare);
  new Gauge({
    name: "freebusy_connections",
    help: "Callers' open connections",
    registers: [registry],
    async collect() {
      this.set(await connections());
    },
  });
}
