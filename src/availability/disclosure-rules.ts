/**
 * Decides what a caller may learn: how much detail, about whom, and what becomes of private
 * events, whose text nobody here ever has. A caller may say on whose behalf it asks; that is
 * claimed and not proved, so it can only take away from what the caller may see, never add.
 *
 * Whom somebody may not ask about is answered like a mailbox without data, never like one
 * that is free.
 *
 * Pure. Who the caller is was decided before.
 */

import { atMost, type BusyType, type CalendarEvent, type FreeBusyView, type ViewDetail } from "./free-busy-view.js";
import { domainOf, type MailboxAddress, parseDomain, parseMailboxAddress } from "./mailbox-address.js";

/** Mailboxes by their addresses and by whole domains; a domain does not stand for the ones below it. */
export class MailboxSet {
  readonly #addresses: ReadonlySet<string>;
  readonly #domains: ReadonlySet<string>;

  /** Throws a RangeError for text that is neither an address nor a domain. */
  constructor(entries: readonly string[]) {
    const addresses = new Set<string>();
    const domains = new Set<string>();
    for (const entry of entries) {
      const address = parseMailboxAddress(entry);
      const domain = entry.includes("@") ? undefined : parseDomain(entry);
      if (address !== undefined) addresses.add(address);
      else if (domain !== undefined) domains.add(domain);
      else throw new RangeError(`'${entry}' is neither an address nor a domain`);
    }
    this.#addresses = addresses;
    this.#domains = domains;
  }

  has(address: MailboxAddress): boolean {
    return this.#addresses.has(address) || this.#domains.has(domainOf(address));
  }
}

/** "without-text": a private event stays what it is. "busy": it cannot be told from any other busy time. */
export type PrivateEvents = "without-text" | "busy";

export interface DisclosureRule {
  readonly maximumDetail: ViewDetail;
  readonly privateEvents: PrivateEvents;
  /** Each has to have the mailbox, under one of its addresses. None: everybody may be asked about. */
  readonly allow: readonly MailboxSet[];
  /** None may have it, under any of its addresses. Wins over `allow`. */
  readonly deny: readonly MailboxSet[];
}

/** People whose questions may see less, wherever the caller says that it asks for one of them. */
export interface RequesterGroup {
  readonly requesters: MailboxSet;
  readonly rule: DisclosureRule;
}

export interface CallerDisclosure {
  readonly rule: DisclosureRule;
  readonly groups: readonly RequesterGroup[];
}

/** What both rules grant. */
export function narrowed(a: DisclosureRule, b: DisclosureRule): DisclosureRule {
  return {
    maximumDetail: atMost(a.maximumDetail, b.maximumDetail),
    privateEvents: a.privateEvents === "busy" ? a.privateEvents : b.privateEvents,
    allow: [...a.allow, ...b.allow],
    deny: [...a.deny, ...b.deny],
  };
}

/**
 * `requesters`: on whose behalf the caller says it asks, each with all addresses that `addressesOf` knows; whoever is in
 * several groups sees what all of them grant. Whose name cannot be read, or is empty, may be in any of them.
 */
export function ruleFor(
  { rule, groups }: CallerDisclosure,
  requesters: readonly string[],
  addressesOf: (address: MailboxAddress) => readonly MailboxAddress[],
): DisclosureRule {
  if (groups.length === 0 || requesters.length === 0) return rule;
  const parsed = requesters.map(parseMailboxAddress);
  const isUnreadable = parsed.includes(undefined);
  const addresses = parsed.flatMap((address) => (address === undefined ? [] : [address, ...addressesOf(address)]));
  return groups
    .filter((group) => isUnreadable || addresses.some((address) => group.requesters.has(address)))
    .reduce((sofar, group) => narrowed(sofar, group.rule), rule);
}

/** Whether everybody may be asked about, so that no mailbox's other addresses need to be looked up. */
export function disclosesEverybody({ allow, deny }: DisclosureRule): boolean {
  return allow.length === 0 && deny.length === 0;
}

/** `addresses`: all that are known of one mailbox. Denied under one of them it is denied; allowed under one, allowed. */
export function disclosesMailbox({ allow, deny }: DisclosureRule, addresses: readonly MailboxAddress[]): boolean {
  const isIn = (set: MailboxSet) => addresses.some((address) => set.has(address));
  return !deny.some(isIn) && allow.every(isIn);
}

/**
 * What becomes of private events, before slots are made of them; the very same object when nothing does. Without details
 * nobody knows which events are private: then each may be.
 */
export function withPrivateEvents(view: FreeBusyView, privateEvents: PrivateEvents): FreeBusyView {
  if (privateEvents === "without-text") return view;
  if (view.detail === "merged") {
    const digits = view.merged.digits.replace(/[13]/g, "2");
    return digits === view.merged.digits ? view : { ...view, merged: { ...view.merged, digits } };
  }
  if (!view.events.some(tellsPrivately)) return view;
  return { ...view, events: view.events.map((event) => (tellsPrivately(event) ? block(event) : event)) };
}

/** Whether it may be private, and says more than that time is taken, free or unknown. */
function tellsPrivately({ busyType, details }: CalendarEvent): boolean {
  return details === undefined ? BLOCK[busyType] !== busyType : details.isPrivate;
}

/** Time that is taken becomes busy, time that is not becomes free, and what is not known stays so. */
const BLOCK: Readonly<Record<BusyType, BusyType>> = {
  Free: "Free",
  WorkingElsewhere: "Free",
  Tentative: "Busy",
  Busy: "Busy",
  OOF: "Busy",
  NoData: "NoData",
};

function block({ start, end, busyType }: CalendarEvent): CalendarEvent {
  return { start, end, busyType: BLOCK[busyType] };
}
