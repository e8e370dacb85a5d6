/** Decides what can be configured about synthetic probes: about whom, as whom, how often, and what has to come back. */

import { z } from "zod";
import { at, entries } from "./raw-values.js";
import { address, name, seconds, view } from "./setting-terms.js";

export const probes = z
  .array(
    z.strictObject({
      name,
      mailbox: address.describe("Somebody, or better a mailbox made for it, on the side that is to be asked."),
      as: z.string().default("none").describe("The backend as which it is asked, or none. It is never asked back."),
      everySeconds: seconds(5, 86_400).default(60),
      expect: view.default("FreeBusy").describe("The least that has to come back."),
    }),
  )
  .max(50)
  .default([])
  .describe("Questions the gateway asks by itself, past its cache, and tells of in metrics, readiness and console.");

/** What is wrong between probes and the backends named. */
export function probeProblems(raw: unknown, backends: readonly string[], known: string): string[] {
  const seen = new Set<unknown>();
  return entries(at(raw, "probes")).flatMap(([i, probe]) => {
    const problems: string[] = [];
    const origin = at(probe, "as");
    if (typeof origin === "string" && origin !== "none" && !backends.includes(origin)) {
      problems.push(`probes.${i}.as: there is no backend '${origin}'. ${known} Use none for an ordinary client.`);
    }
    const own = at(probe, "name");
    if (seen.has(own)) problems.push(`probes.${i}.name: ${String(own)} is given twice. Give each probe a name.`);
    seen.add(own);
    return problems;
  });
}
