/**
 * Decides whether a mailbox is asked about at all for this caller: one that the caller may
 * not see ends here, whether or not it exists and whoever has it, and nobody is asked.
 *
 * Whatever leads somewhere, at first or on a second look, has to pass here.
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

/** Every address of the mailbox that is asked about, or that the route leads to, as far as they are known. */
export type AddressesFor = (asked: AskedMailbox, route: Route) => readonly MailboxAddress[];

/** What this caller may see, asking for these people, whose other addresses `addressesOf` knows. */
export function ruleOf(
  { caller, onBehalfOf = [] }: Asking,
  addressesOf: (address: MailboxAddress) => readonly MailboxAddress[],
): DisclosureRule {
  const { disclosure, maximumDetail } = caller;
  if (disclosure !== undefined) return ruleFor(disclosure, onBehalfOf, addressesOf);
  return { maximumDetail, privateEvents: "without-text", allow: [], deny: [] };
}

/** The route, or the failure that stands for it. */
export function disclosedRoute(
  route: Route,
  asked: AskedMailbox,
  rule: DisclosureRule,
  addressesFor: AddressesFor,
): Route {
  if (disclosesEverybody(rule)) return route;
  const addresses = addressesFor(asked, route);
  // Text that names nobody: it says so whoever asks.
  if (addresses.length === 0) return route;
  return disclosesMailbox(rule, addresses) ? route : NOT_DISCLOSED;
}
