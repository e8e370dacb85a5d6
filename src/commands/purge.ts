/**
 * `freebusy purge`: has the running gateway, and those that share its cache, forget answers. Exit codes: 0 forgotten,
 * 1 nobody answers, 2 the command line is wrong, 3 others who share the cache were not reached.
 */

import { type PurgedText, purgedText } from "../operations/purged-text.js";
import { managementOf, refused, replyOf, type Whereabouts } from "./running-gateway.js";
import { usage } from "./usage.js";

export interface PurgeOptions extends Whereabouts {
  readonly all?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export async function purge(address: string | undefined, values: PurgeOptions): Promise<void> {
  if ((address === undefined) === !values.all) return usage("purge needs an ADDRESS, or --all");
  const management = managementOf("purge", values);
  if (management === undefined) return;
  const url = new URL("/purge", management);
  if (address === undefined) url.searchParams.set("all", "true");
  else url.searchParams.set("mailbox", address);
  const reply = await replyOf(url, "POST");
  if (reply === undefined) return;
  if (reply.status === 400) usage(`'${address}' is not an SMTP address`);
  else if (!reply.ok) refused(url, reply);
  else {
    const purged = (await reply.json()) as PurgedText;
    process.stdout.write(values.json ? `${JSON.stringify(purged, null, 2)}\n` : purgedText(purged));
    if (purged.others === "not reached") process.exitCode = 3;
  }
}
