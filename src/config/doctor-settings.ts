/**
 * Decides what can be configured about the doctor. The gateway itself has no use for any of it,
 * so a secret that is missing here keeps nothing from starting.
 */

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { z } from "zod";
import { at, entries, list } from "./raw-values.js";
import { address, name, region, secret } from "./setting-terms.js";

/** With a port or without: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53. */
const isNameServer = (text: string): boolean =>
  isIP(text) !== 0 || isIP(text.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1")) !== 0;

export const doctor = z
  .strictObject({
    canaries: z
      .record(name, address)
      .default({})
      .describe("A mailbox of each backend that is asked about on round trips; one with something in its calendar."),
    signIns: z
      .record(name, z.strictObject({ username: z.string().min(1), password: secret }))
      .default({})
      .describe("By origin (a backend's name): the caller as which round trips are made."),
    organization: z
      .strictObject({
        organizationId: z.string().regex(/^m-[0-9a-f]{32}$/, "is not an organization id such as m-0123…, 32 digits"),
        region,
        endpoint: z.url().optional(),
      })
      .optional()
      .describe("Where no directory and no account names it."),
    egressAddress: z.ipv4().optional().describe("The address under which WorkMail sees the gateway."),
    addressSpacesFile: z
      .string()
      .optional()
      .describe("What Get-AvailabilityAddressSpace | Format-List printed, as text in UTF-8."),
    nameServers: z
      .array(z.string().refine(isNameServer, "is no address of a name server such as 192.0.2.53"))
      .default([])
      .describe("Instead of this machine's: a public one tells what the outside is told."),
    authoritiesFile: z
      .string()
      .optional()
      .describe("PEM: who may have signed the gateway's certificate, instead of the public authorities."),
    certificateDays: z.int().min(1).max(365).default(21).describe("Fewer days left are a warning."),
    workmailEndsOn: z.iso.date().default("2027-03-31").describe("The day Amazon WorkMail ends."),
  })
  .prefault({});

/** What is wrong between these settings and the rest. */
export function doctorProblems(raw: unknown, backends: readonly string[], known: string): string[] {
  const settings = at(raw, "doctor");
  const problems = ["canaries", "signIns"].flatMap((section) =>
    entries(at(settings, section))
      .filter(([backend]) => !backends.includes(backend))
      .map(([backend]) => `doctor.${section}.${backend}: there is no backend '${backend}'. ${known}`),
  );
  for (const [origin, signIn] of entries(at(settings, "signIns"))) {
    const username = String(at(signIn, "username")).toLowerCase();
    const callers = entries(at(raw, "callers")).map(([, caller]) => caller);
    const caller = callers.find((one) =>
      list(at(one, "usernames")).some((each) => String(each).toLowerCase() === username),
    );
    if (at(signIn, "username") !== undefined && at(caller, "origin") !== origin) {
      problems.push(
        `doctor.signIns.${origin}.username: is no caller with origin: ${origin}. Name one of its usernames.`,
      );
    }
  }
  for (const setting of ["addressSpacesFile", "authoritiesFile"]) {
    const file = at(settings, setting);
    if (typeof file !== "string") continue;
    try {
      readFileSync(file);
    } catch (error) {
      problems.push(`doctor.${setting}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
    }
  }
  return problems;
}
