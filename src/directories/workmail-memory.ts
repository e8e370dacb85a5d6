/**
 * Decides what is remembered between two readings of WorkMail's directory, so that a
 * reading costs a call per hundred users instead of one per user: aliases, until the user
 * is enabled anew, gets another primary address, or the memory is a day old.
 *
 * Never an answer by itself: whether somebody is there is always asked. Makes no call.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { DirectoryRecord } from "./directory-source.js";
import type { WorkMailEntity } from "./workmail-records.js";

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
  readonly #refreshMs: number;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  readonly #idOf = new Map<MailboxAddress, string>();
  /** Members of groups that have no record here. */
  readonly #members = new Map<string, { readonly member: WorkMailMember; readonly learntAt: number }>();

  /** `now` and `refreshMs` in milliseconds. */
  constructor(refreshMs: number, now: () => number) {
    this.#refreshMs = refreshMs;
    this.#now = now;
  }

  /** The aliases listed earlier, while nothing speaks against them. */
  aliases(entity: WorkMailEntity): readonly string[] | undefined {
    const known = this.#known.get(entity.id);
    if (known === undefined || this.#isOld(known.learntAt)) return undefined;
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
    return this.#now() - learntAt >= this.#refreshMs;
  }
}
