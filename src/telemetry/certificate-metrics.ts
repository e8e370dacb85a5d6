/** Decides what is told of the certificate callers are shown: when it ends, so that somebody is woken before. */

import { Gauge, type Registry } from "prom-client";

/** `expiresAt` in milliseconds since 1970; undefined where TLS ends elsewhere. */
export function watchCertificate(registry: Registry, expiresAt: () => number | undefined, now: () => number): void {
  new Gauge({
    name: "freebusy_certificate_expires_seconds",
    help: "Until the TLS certificate in use ends",
    // Without TLS there is nothing to tell, not even a zero.
    labelNames: ["listener"],
    registers: [registry],
    collect() {
      const end = expiresAt();
      if (end !== undefined) this.set({ listener: "ews" }, (end - now()) / 1000);
    },
  });
}
