/**
 * Decides which backend answers for a mailbox, and under which address it knows it.
 *
 * What directories know about the very mailbox comes first, then its domain. The query's
 * origin is never chosen, whatever they say: a forwarded question carries no mark we may
 * rely on, so the two systems would ask each other until both gave up. For the same reason
 * a question about a mailbox that its origin is being asked about at this moment is taken
 * for our own, sent on to us: then neither those are asked on whose behalf we asked. Along
 * any chain of forwarding, so, every system is asked at most once. A domain that no rule
 * names is answered here, without asking anybody: addresses from outside never cause a
 * connection.
 *
 * Pure but for the directories' memory and whether probes are under way. Knows addresses and backend names, not what
 * protocol a backend speaks.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import { domainOf, type MailboxAddress, withDomain } from "../availability/mailbox-address.js";
import type { FailureReason, MailboxFailure } from "../availability/mailbox-answer.js";
import type { InstantMs } from "../availability/time-window.js";
import { legacyKey, type MailboxDirectory, type RecipientKey } from "./mailbox-directory.js";
import type { OwnerResolver, RouteStep, TellStep } from "./resolve-owner.js";

/** A backend answers for a domain; `rewriteDomain` is the domain under which it knows the same mailboxes. */
export interface AddressSpace {
  readonly domain: string;
  readonly backend: string;
  readonly rewriteDomain?: string | undefined;
}

export type Route =
  | { readonly kind: "backend"; readonly backend: string; readonly address: MailboxAddress; readonly rule: string }
  | {
      readonly kind: "group";
      /** As its directory knows it. */
      readonly address: MailboxAddress;
      readonly directory: MailboxDirectory;
      readonly rule: string;
    }
  | {
      readonly kind: "failure";
      readonly failure: MailboxFailure;
      /** Under which the failure's backend knows the mailbox, where there is one. */
      readonly address?: MailboxAddress;
      /** A directory knows the mailbox, and that it lives where this gateway may not ask: somebody has its time, only not we. */
      readonly livesElsewhere?: true;
      readonly rule: string;
    };

/** The decision about one address, with everything that was considered on the way. */
export interface ExplainedRoute {
  readonly route: Route;
  readonly steps: readonly RouteStep[];
}

/** The systems on whose behalf this backend is being asked about this mailbox right now; undefined when it is not. */
export type AskersOf = (backend: string, address: MailboxAddress) => ReadonlySet<string> | undefined;

export class MailboxRouter {
  readonly #owners: OwnerResolver;
  readonly #byDomain = new Map<string, AddressSpace & { readonly rule: string }>();
  /** By the domain that is asked about instead. */
  readonly #rewritten = new Map<string, AddressSpace[]>();
  readonly #now: () => InstantMs;
  readonly #askersOf: AskersOf;
  #probes = 0;

  constructor(
    owners: OwnerResolver,
    addressSpaces: readonly AddressSpace[],
    now: () => InstantMs,
    askersOf: AskersOf = () => undefined,
  ) {
    this.#owners = owners;
    this.#now = now;
    this.#askersOf = askersOf;
    for (const space of addressSpaces) {
      this.#byDomain.set(space.domain, { ...space, rule: `address space ${space.domain}` });
      const { rewriteDomain } = space;
      if (rewriteDomain === undefined) continue;
      this.#rewritten.set(rewriteDomain, [...(this.#rewritten.get(rewriteDomain) ?? []), space]);
    }
  }

  /** `origin` is the system that asks, when it is one of the backends. */
  route(asked: AskedMailbox, origin: string | undefined, tell?: TellStep): Route {
    const route = this.#toOwner(asked, tell);
    if (origin === undefined || route.kind !== "backend") return route;
    const { backend, address, rule } = route;
    const names = this.#names(asked, route);
    if (!this.#neverAsked(names, origin).has(backend)) return route;
    const sentOn = this.#askers(names, origin) !== undefined;
    tell?.({
      considered: "origin",
      finding: sentOn
        ? `${origin} is being asked about it right now: this is our own question, sent on`
        : `${origin} is the system that asks, and is not asked back`,
    });
    const reason = sentOn ? "loop-detected" : "belongs-to-origin";
    return { kind: "failure", failure: { reason, backend }, address, rule };
  }

  /** The backends that may not be asked for this origin about the mailbox that this route leads to. */
  neverAsked(asked: AskedMailbox, route: Route, origin: string | undefined): ReadonlySet<string> {
    return origin === undefined ? new Set() : this.#neverAsked(this.#names(asked, route), origin);
  }

  /** Until it is over, a system may be asked about a mailbox by an address that no route leads to. */
  async whileProbing(over: Promise<void>): Promise<void> {
    this.#probes++;
    try {
      await over;
    } finally {
      this.#probes--;
    }
  }

  /** Those by which the mailbox may be under way. All that are known take longer to find than the route. */
  #names(asked: AskedMailbox, route: Route): readonly MailboxAddress[] {
    if (this.#probes > 0) return this.addressesFor(asked, route);
    return [...new Set([asked.address, route.address])].filter((one) => one !== undefined);
  }

  #neverAsked(names: readonly MailboxAddress[], origin: string): ReadonlySet<string> {
    const never = new Set([origin]);
    // A set that grows while it is gone through: those behind the origin, those behind them, and so on.
    for (const name of never) for (const asker of this.#askers(names, name) ?? []) never.add(asker);
    return never;
  }

  #askers(names: readonly MailboxAddress[], backend: string): ReadonlySet<string> | undefined {
    const known = names.map((name) => this.#askersOf(backend, name)).filter((askers) => askers !== undefined);
    return known.length === 0 ? undefined : new Set(known.flatMap((askers) => [...askers]));
  }

  /**
   * The address to ask this backend about, though the route leads to another: what a directory says, else what the address
   * spaces make of the address asked about. The other's own is not taken, unless it is of the same domain: then it is the
   * mailbox's first one.
   */
  addressAt(backend: string, asked: AskedMailbox, route: MailboxAddress): MailboxAddress {
    const own = this.#owners.addressAt(backend, recipientKey(asked) ?? route, this.#now());
    if (own !== undefined) return own;
    const { address = route } = asked;
    const name = domainOf(address) === domainOf(route) ? route : address;
    const space = this.#byDomain.get(domainOf(name));
    if (space?.backend !== backend || space.rewriteDomain === undefined) return name;
    return withDomain(name, space.rewriteDomain);
  }

  /** The addresses under which backends may have been asked about the mailbox with this one. */
  askedAs(address: MailboxAddress): readonly MailboxAddress[] {
    const all = new Set(this.#owners.addressesOf(address, this.#now()));
    for (const one of [...all]) {
      const rewriteDomain = this.#byDomain.get(domainOf(one))?.rewriteDomain;
      if (rewriteDomain !== undefined) all.add(withDomain(one, rewriteDomain));
    }
    return [...all];
  }

  /** Every address under which the mailbox is known that this question is about, or leads to by this route. */
  addressesFor(asked: AskedMailbox, route: Route): readonly MailboxAddress[] {
    const all = new Set<MailboxAddress>();
    for (const address of [asked.address, route.address]) {
      if (address !== undefined) for (const one of this.askedAs(address)) all.add(one);
    }
    for (const one of [...all]) {
      for (const { domain } of this.#rewritten.get(domainOf(one)) ?? []) {
        const other = withDomain(one, domain);
        if (!all.has(other) && this.#leadsTo(other, route)) for (const same of this.askedAs(other)) all.add(same);
      }
    }
    return [...all];
  }

  #leadsTo(address: MailboxAddress, route: Route): boolean {
    const other = this.#toOwner({ text: address, routingType: "SMTP", address });
    const backend = route.kind === "failure" ? route.failure.backend : route.kind === "backend" && route.backend;
    return other.kind === "backend" && other.backend === backend && other.address === route.address;
  }

  #toOwner(asked: AskedMailbox, tell?: TellStep): Route {
    const key = recipientKey(asked);
    if (key === undefined) return refused("invalid-address", "not an SMTP address");
    const owned = this.#owners.resolve(key, this.#now(), tell);
    if (owned !== undefined) {
      const { claim, directory, address } = owned;
      const { backend, rule } = claim;
      if (claim.kind === "group") return { kind: "group", address: claim.address, directory, rule };
      if (backend !== undefined) return { kind: "backend", backend, address, rule };
      return { kind: "failure", failure: { reason: "no-address-space" }, livesElsewhere: true, rule };
    }
    const { address } = asked;
    if (address === undefined) return refused("unresolved-legacy-dn", "no directory knows this legacyExchangeDN");
    const space = this.#byDomain.get(domainOf(address));
    if (space === undefined) {
      tell?.({ considered: `address space ${domainOf(address)}`, finding: "none is configured" });
      return refused("no-address-space", "no address space");
    }
    const { backend, rule, rewriteDomain } = space;
    const known = rewriteDomain === undefined ? address : withDomain(address, rewriteDomain);
    tell?.({ considered: rule, finding: `${backend}, as ${known}` });
    return { kind: "backend", backend, address: known, rule };
  }

  explain(asked: AskedMailbox, origin: string | undefined): ExplainedRoute {
    const steps: RouteStep[] = [];
    const route = this.route(asked, origin, (step) => steps.push(step));
    return { route, steps };
  }
}

/** Undefined when the text names nobody. */
export function recipientKey(asked: AskedMailbox): RecipientKey | undefined {
  return asked.address ?? (asked.routingType === "EX" ? legacyKey(asked.text) : undefined);
}

function refused(reason: FailureReason, rule: string): Route {
  return { kind: "failure", failure: { reason }, rule };
}
