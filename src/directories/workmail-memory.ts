/**
 * Decides what is remembered between two readings of WorkMail's directory, so that a
 * reading costs few calls more than one per hundred users: aliases, until the user is
 * enabled anew or gets another primary address. Nothing else in a list says that an alias
 * has moved, so at each reading those listed longest ago are listed again: of up to 3,600
 * users and groups all within an hour. WorkMail's limits are not published and are shared
 * with the administrator's own tools, so it is never more than one a second in the mean:
 * 900 in a reading every 15 minutes, and 10,000 take not quite three hours.
 *
 * Never an answer by itself: whether somebody is there is always asked. Makes no call.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { DirectoryRecord } from "./directory-source.js";
import type { WorkMailEntity } from "./workmail-records.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** At least so long, in the mean, between two lists of aliases that are only asked for again. */
const APART_MS = 1000;

interface Known {
  readonly entity: WorkMailEntity;
  readonly aliases: readonly string[];
  readonly learntAt: number;
  readonly addresses: DirectoryRecord["addresses"];
}

/** A member of a group. */
export interface WorkMailMember {
  readonly address: MailboxAddress | undefined;
  /** Also without an address: somebody who lives in the other system has a time there. */
  readonly exists: boolean;
}

export class WorkMailMemory {
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  readonly #idOf = new Map<MailboxAddress, string>();
  /** Members of groups that have no record here. */
  readonly #members = new Map<string, { readonly member: WorkMailMember; readonly learntAt: number }>();
  /** Whose aliases are to be listed again. */
  #due: ReadonlySet<string> = new Set();
  /** How many of them the time that has passed allows; a fraction is left for the next reading. */
  #allowed = 0;
  #begunAt: number | undefined;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Chooses whose aliases this reading lists again. */
  beginReading(): void {
    const now = this.#now();
    const passed = Math.max(0, now - (this.#begunAt ?? now));
    this.#begunAt = now;
    const share = (this.#known.size * passed) / HOUR_MS;
    this.#allowed = Math.min(this.#allowed + Math.min(share, passed / APART_MS), this.#known.size);
    const count = Math.floor(this.#allowed);
    this.#allowed -= count;
    const oldestFirst = [...this.#known].sort(([, one], [, other]) => one.learntAt - other.learntAt);
    this.#due = new Set(oldestFirst.slice(0, count).map(([id]) => id));
  }

  /** The aliases listed earlier, while nothing speaks against them and it is not their turn. */
  aliases(entity: WorkMailEntity): readonly string[] | undefined {
    const known = this.#known.get(entity.id);
    if (known === undefined || this.#due.has(entity.id)) return undefined;
    const same = known.entity.enabledAt === entity.enabledAt && known.entity.email === entity.email;
    return same ? known.aliases : undefined;
  }

  /**
   * Aliases that came from this memory keep their age. Whoever had one of the addresses before is forgotten: an address
   * has moved, so what is remembered of its former owner is wrong.
   */
  remember(entity: WorkMailEntity, aliases: readonly string[], { addresses }: DirectoryRecord): void {
    const before = this.#known.get(entity.id);
    const learntAt = before?.aliases === aliases ? before.learntAt : this.#now();
    this.#forgetAddresses(entity.id);
    this.#known.set(entity.id, { entity, aliases, learntAt, addresses });
    for (const address of addresses) {
      const owner = this.#idOf.get(address);
      if (owner !== undefined) this.forget(owner);
      this.#idOf.set(address, entity.id);
    }
  }

  /** Id and kind of who had this address when last seen. */
  find(address: MailboxAddress): Pick<WorkMailEntity, "id" | "kind"> | undefined {
    const id = this.#idOf.get(address);
    return id === undefined ? undefined : this.#known.get(id)?.entity;
  }

  /** By id, with the primary address. Undefined when it has to be asked. */
  member(id: string): WorkMailMember | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return { address: known.addresses[0], exists: true };
    const seen = this.#members.get(id);
    return seen === undefined || this.#isOld(seen.learntAt) ? undefined : seen.member;
  }

  rememberMember(id: string, member: WorkMailMember): void {
    this.#members.set(id, { member, learntAt: this.#now() });
  }

  /** After a complete reading: everybody else is gone. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.forget(id);
    for (const [id, { learntAt }] of this.#members) if (ids.has(id) || this.#isOld(learntAt)) this.#members.delete(id);
  }

  forget(id: string): void {
    this.#forgetAddresses(id);
    this.#known.delete(id);
  }

  #forgetAddresses(id: string): void {
    for (const address of this.#known.get(id)?.addresses ?? [])
      if (this.#idOf.get(address) === id) this.#idOf.delete(address);
  }

  #isOld(learntAt: number): boolean {
    return this.#now() - learntAt >= DAY_MS;
  }
}
