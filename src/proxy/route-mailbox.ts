/**
 * Decides which backend answers for a mailbox, and under which address it knows it.
 *
 * The longest match wins: a single mailbox, then its domain. The query's origin is never
 * chosen, whatever the rules say: a forwarded question carries no mark we may rely on, so
 * the two systems would ask each other until both gave up. A domain that no rule names is
 * answered here, without asking anybody: addresses from outside never cause a connection.
 *
 * Pure. Knows addresses and backend names, not what protocol a backend speaks.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import { domainOf, type MailboxAddress, withDomain } from "../availability/mailbox-address.js";
import type { MailboxFailure } from "../availability/mailbox-answer.js";

/** A backend answers for a domain; `rewriteDomain` is the domain under which it knows the same mailboxes. */
export interface AddressSpace {
  readonly domain: string;
  readonly backend: string;
  readonly rewriteDomain?: string | undefined;
}

/** A backend answers for one mailbox, under any of its addresses; it is asked about `backendAddress`. */
export interface MailboxRule {
  readonly addresses: readonly MailboxAddress[];
  readonly backend: string;
  readonly backendAddress: MailboxAddress;
}

export type Route =
  | { readonly kind: "backend"; readonly backend: string; readonly address: MailboxAddress; readonly rule: string }
  | { readonly kind: "failure"; readonly failure: MailboxFailure; readonly rule: string };

export class MailboxRouter {
  readonly #byAddress = new Map<MailboxAddress, MailboxRule>();
  readonly #byDomain = new Map<string, AddressSpace>();

  constructor(mailboxes: readonly MailboxRule[], addressSpaces: readonly AddressSpace[]) {
    for (const rule of mailboxes) for (const address of rule.addresses) this.#byAddress.set(address, rule);
    for (const space of addressSpaces) this.#byDomain.set(space.domain, space);
  }

  /** `origin` is the system that asks, when it is one of the backends. */
  route(asked: AskedMailbox, origin: string | undefined): Route {
    const { address } = asked;
    if (address === undefined) {
      const reason = asked.routingType === "EX" ? "unresolved-legacy-dn" : "invalid-address";
      return { kind: "failure", failure: { reason }, rule: "not an SMTP address" };
    }
    const mailbox = this.#byAddress.get(address);
    if (mailbox !== undefined) {
      return notBack(origin, mailbox.backend, mailbox.backendAddress, `mailbox ${mailbox.backendAddress}`);
    }
    const space = this.#byDomain.get(domainOf(address));
    if (space === undefined) {
      return { kind: "failure", failure: { reason: "no-address-space" }, rule: "no address space" };
    }
    const known = space.rewriteDomain === undefined ? address : withDomain(address, space.rewriteDomain);
    return notBack(origin, space.backend, known, `address space ${space.domain}`);
  }
}

function notBack(origin: string | undefined, backend: string, address: MailboxAddress, rule: string): Route {
  if (backend === origin) return { kind: "failure", failure: { reason: "belongs-to-origin", backend }, rule };
  return { kind: "backend", backend, address, rule };
}
