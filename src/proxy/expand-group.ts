/**
 * Decides who belongs to a group: its members, and their members, across all directories,
 * each mailbox once, cycles or not. At most {@link MAXIMUM_MEMBERS} in total (ews
 * getuseravailability-operation): a group that names more is too large, and a nested one
 * that would push the total over the limit is left out. Microsoft counts it as a member without
 * data; but its members have a time, which then is unknown. A group inside that the caller may
 * not see is not looked into: it is one member whom the caller may not see.
 *
 * Knows directories; asks nobody about anybody's time.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import type { DisclosureRule } from "../availability/disclosure-rules.js";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { MailboxFailure } from "../availability/mailbox-answer.js";
import { disclosedRoute } from "./disclosed-route.js";
import type { LookupObserver } from "./lookup-observer.js";
import { type DirectoryMembers, type DirectoryObserver, SourceFailure } from "./mailbox-directory.js";
import type { MailboxRouter, Route } from "./route-mailbox.js";
import type { Target } from "./targets.js";

export const MAXIMUM_MEMBERS = 100;
/** Groups looked into for one question; beyond that, nested ones are left out. */
const MOST_GROUPS = 100;

export interface Expansion {
  /** The mailboxes, with their routes, as far as the caller may see them, as they are when all have been named. */
  readonly members: readonly Target[];
  /** A nested group was left out, or not all members were named: somebody's time is unknown. */
  readonly someUnknown: boolean;
}

export type MembersObserver = Pick<LookupObserver, "unexpected"> & Pick<DirectoryObserver, "membersNotRead">;
type Group = Route & { readonly kind: "group" };
/** By mailbox rather than by alias: one person who is a member twice is one. */
type Mailboxes = Map<string, AskedMailbox>;

interface Parted {
  readonly boxes: Mailboxes;
  readonly groups: readonly Group[];
}

export class GroupExpander {
  readonly #router: MailboxRouter;
  readonly #observer: MembersObserver;

  constructor(router: MailboxRouter, observer: MembersObserver) {
    this.#router = router;
    this.#observer = observer;
  }

  /** The mailboxes of a group, or why they are not known. `origin` as in routing; `rule` is the caller's. Never rejects. */
  async expand(
    group: Group,
    origin: string | undefined,
    rule: DisclosureRule,
    signal: AbortSignal,
  ): Promise<Expansion | MailboxFailure> {
    const top = await this.#membersOf(group, signal);
    if (top === undefined) return { reason: "group-unresolved", detail: `directory ${group.directory.name}` };
    if (isTooLarge(top)) return { reason: "group-too-large", detail: `more than ${MAXIMUM_MEMBERS} members` };
    const mailboxes: Mailboxes = new Map();
    const seen = new Set([keyOf(group)]);
    const inner: Group[] = [];
    const take = ({ boxes, groups }: Parted) => {
      for (const [key, asked] of boxes) mailboxes.set(key, asked);
      for (const one of groups) {
        if (seen.has(keyOf(one))) continue;
        seen.add(keyOf(one));
        inner.push(one);
      }
    };
    take(this.#parted(top, origin, rule));
    let someUnknown = hasUnknown(top);
    // Breadth first: a group nearer to the question is looked into before one inside another.
    for (const [i, one] of inner.entries()) {
      const found = i < MOST_GROUPS && !signal.aborted ? await this.#membersOf(one, signal) : undefined;
      const more = found === undefined || isTooLarge(found) ? undefined : this.#parted(found, origin, rule);
      const fits = more !== undefined && new Set([...mailboxes.keys(), ...more.boxes.keys()]).size <= MAXIMUM_MEMBERS;
      if (fits) take(more);
      if (!fits || hasUnknown(found)) someUnknown = true;
    }
    // Somebody may have moved while others were being named.
    const members = [...mailboxes.values()].map((asked) => ({
      asked,
      route: this.#disclosed(this.#router.route(asked, origin), asked, rule),
    }));
    return { members, someUnknown };
  }

  /** Members, parted into mailboxes and groups. */
  #parted({ addresses }: DirectoryMembers, origin: string | undefined, rule: DisclosureRule): Parted {
    const boxes: Mailboxes = new Map();
    const groups: Group[] = [];
    for (const address of addresses) {
      const asked: AskedMailbox = { text: address, routingType: "SMTP", address };
      const route = this.#router.route(asked, origin);
      if (route.kind === "group" && this.#disclosed(route, asked, rule) === route) groups.push(route);
      else boxes.set(mailboxKey(route, address), asked);
    }
    return { boxes, groups };
  }

  #disclosed(route: Route, asked: AskedMailbox, rule: DisclosureRule): Route {
    return disclosedRoute(route, asked, rule, (...about) => this.#router.addressesFor(...about));
  }

  /** Undefined: the directory cannot name them, or not just now, or has no such group any more. */
  async #membersOf({ directory, address }: Group, signal: AbortSignal): Promise<DirectoryMembers | undefined> {
    try {
      return await directory.members?.(address, MAXIMUM_MEMBERS, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof SourceFailure) this.#observer.membersNotRead?.(directory.name, error.message);
      else this.#observer.unexpected(`directory ${directory.name} could not name the members of a group`, error);
      return undefined;
    }
  }
}

/** A directory stops reading above the limit, so nothing is known of those it did not name. */
function isTooLarge({ addresses, without, unknown = 0 }: DirectoryMembers): boolean {
  return addresses.length + without + unknown > MAXIMUM_MEMBERS;
}

function hasUnknown(members: DirectoryMembers | undefined): boolean {
  return members?.unknown !== undefined && members.unknown > 0;
}

function keyOf({ directory, address }: Group): string {
  return `${directory.name}\0${address}`;
}

function mailboxKey(route: Route, address: MailboxAddress): string {
  if (route.kind === "failure" && route.address !== undefined) return `${route.failure.backend}\0${route.address}`;
  return route.kind === "backend" ? `${route.backend}\0${route.address}` : address;
}
