/**
 * Decides whether a mailbox is asked about at all for this caller: one that the caller may
 * not see ends here, whether or not it exists and whoever has it, and nobody is asked.
 *
 * Pure but for the addresses of a mailbox, which directories know from memory.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import {
  type DisclosureRule,
  disclosesEverybody,
  disclosesMailbox,
  ruleFor,
} from "../availability/disclosure-rules.js";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { Asking } from "./asking.js";
import type { Route } from "./route-mailbox.js";

const NOT_DISCLOSED: Route = {
  kind: "failure",
  failure: { reason: "not-disclosed" },
  rule: "disclosure: not for this caller",
};

/** What this caller may see, asking for these people. */
export function ruleOf({ caller, onBehalfOf = [] }: Asking): DisclosureRule {
  const { disclosure, maximumDetail } = caller;
  if (disclosure !== undefined) return ruleFor(disclosure, onBehalfOf);
  return { maximumDetail, privateEvents: "without-text", allow: [], deny: [] };
}

/** The route, or the failure that stands for it. `addressesOf`: every address of a mailbox, as far as they are known. */
export function disclosedRoute(
  route: Route,
  asked: AskedMailbox,
  rule: DisclosureRule,
  addressesOf: (address: MailboxAddress) => readonly MailboxAddress[],
): Route {
  if (disclosesEverybody(rule)) return route;
  const addresses = new Set<MailboxAddress>();
  for (const address of [asked.address, route.address]) {
    if (address === undefined || addresses.has(address)) continue;
    addresses.add(address);
    for (const other of addressesOf(address)) addresses.add(other);
  }
  // Text that names nobody: it says so whoever asks.
  if (addresses.size === 0) return route;
  return disclosesMailbox(rule, [...addresses]) ? route : NOT_DISCLOSED;
}
