/**
 * Decides what an operator's word drops: whatever was learnt about a mailbox at any backend
 * under any of its addresses, what is under way about it, and where it was found by probing.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { BackendAsker } from "./ask-backends.js";
import type { AvailabilityBackend } from "./availability-backend.js";
import type { MailboxRouter } from "./route-mailbox.js";
import type { ProbeWinners } from "./second-chance.js";
import type { Reached } from "./view-cache.js";

export interface PurgeParts {
  readonly router: MailboxRouter;
  readonly asker: BackendAsker;
  readonly backends: readonly AvailabilityBackend[];
  readonly winners: ProbeWinners | undefined;
}

export interface Purged {
  /** The addresses under which it was dropped, or "all". */
  readonly addresses: readonly MailboxAddress[] | "all";
  readonly reached: Reached;
}

export async function purge(
  what: MailboxAddress | "all",
  { router, asker, backends, winners }: PurgeParts,
): Promise<Purged> {
  if (what === "all") {
    winners?.forgetAll();
    return { addresses: "all", reached: await asker.forget("all") };
  }
  const addresses = [...new Set([what, ...router.askedAs(what)])];
  for (const address of addresses) winners?.forget(address);
  const wanted = addresses.flatMap((address) => backends.map((backend) => ({ backend, address })));
  return { addresses, reached: await asker.forget(wanted) };
}
