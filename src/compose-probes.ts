/** The part of the composition root that builds the synthetic probes: what they ask, and who is told. */

import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type MailboxAddress, parseMailboxAddress } from "./availability/mailbox-address.js";
import type { InstantMs } from "./availability/time-window.js";
import type { Lookups } from "./compose-lookups.js";
import { DETAIL } from "./compose-rights.js";
import type { Configuration } from "./config/configuration.js";
import { SyntheticProbes } from "./proxy/synthetic-probes.js";
import { tellProbe, watchProbes } from "./telemetry/probe-telemetry.js";

export function composeProbes(
  { probes }: Configuration,
  { answerer, observer }: Lookups,
  log: Logger,
  registry: Registry,
  clock: () => InstantMs,
): SyntheticProbes {
  const synthetic = new SyntheticProbes({
    plans: probes.map(({ name, mailbox, as, everySeconds, expect }) => ({
      name,
      // The schema has checked that it is one.
      mailbox: parseMailboxAddress(mailbox) as MailboxAddress,
      origin: as === "none" ? undefined : as,
      everyMs: everySeconds * 1000,
      expects: DETAIL[expect],
    })),
    answer: (query, asking, id) => answerer.answer(query, asking, id),
    changed: (standing) => tellProbe(log, standing),
    unexpected: (what, error) => observer.unexpected(what, error),
    clock,
    now: () => performance.now(),
  });
  watchProbes(registry, () => synthetic.standings());
  return synthetic;
}
