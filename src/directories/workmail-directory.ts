/**
 * Decides in which order WorkMail's API is asked for a whole directory, for one address and
 * for the members of a group, so that all three tell the same and cost few calls: a whole
 * reading costs a call per hundred users, and one more for each user not seen before or
 * whose turn it is.
 *
 * Must not know the SDK nor keep a copy of the directory.
 */

import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import { atMostAtOnce } from "./at-most-at-once.js";
import type { DirectoryRecord, DirectorySource, GroupMembers } from "./directory-source.js";
import { WorkMailApi, type WorkMailOrganization } from "./workmail-api.js";
import type { WorkMailCallOptions } from "./workmail-calls.js";
import { type WorkMailMember, WorkMailMemory } from "./workmail-memory.js";
import {
  canBeInWorkMail,
  recipientOf,
  recordOf,
  type WorkMailEntity,
  type WorkMailOwners,
} from "./workmail-records.js";

export interface WorkMailDirectoryOptions extends WorkMailCallOptions, WorkMailOwners {
  /** Calls under way together while aliases or members are read; 4 unless told, 10 at most. */
  readonly callsAtOnce?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** The organization as last described, for people who look for the reason of something. */
export interface ObservedOrganization extends WorkMailOrganization {
  /** `<alias>.awsapps.com`: where Exchange is to find moved users. */
  readonly expectedDomain: string | undefined;
  /**
   * When interoperability was first seen off after it had been seen on, in milliseconds since 1970. It cannot be turned
   * on again, and resources have changed hands: somebody must be told.
   */
  readonly interoperabilityEndedAt: number | undefined;
}

const NOBODY: WorkMailMember = { address: undefined, exists: false };

export class WorkMailDirectory implements DirectorySource {
  /** For readings of the whole, which may take minutes when throttled; nobody who asks about one address waits behind it. */
  readonly #lists: WorkMailApi;
  readonly #questions: WorkMailApi;
  readonly #owners: WorkMailOwners;
  readonly #memory: WorkMailMemory;
  readonly #callsAtOnce: number;
  readonly #now: () => number;
  #organization: ObservedOrganization | undefined;

  constructor(options: WorkMailDirectoryOptions) {
    this.#lists = new WorkMailApi(options, "patient");
    this.#questions = new WorkMailApi(options, "prompt");
    this.#owners = options;
    this.#now = options.now ?? Date.now;
    this.#memory = new WorkMailMemory(this.#now);
    this.#callsAtOnce = options.callsAtOnce ?? 4;
  }

  /** Undefined until it has been described once, which every reading begins with. */
  organization(): ObservedOrganization | undefined {
    return this.#organization;
  }

  async *readAll(signal: AbortSignal): AsyncGenerator<readonly DirectoryRecord[]> {
    const { interoperabilityEnabled } = await this.#describeOrganization(this.#lists, signal);
    const seen = new Set<string>();
    this.#memory.beginReading();
    for (const pages of [this.#lists.enabledUsers(signal), this.#lists.enabledGroups(signal)]) {
      for await (const page of pages) {
        const records = await atMostAtOnce(this.#callsAtOnce, page, (entity) =>
          this.#record(
            entity,
            interoperabilityEnabled,
            async () => this.#memory.aliases(entity) ?? this.#lists.aliases(entity.id, signal),
          ),
        );
        for (const [position, { id }] of page.entries()) if (records[position] !== undefined) seen.add(id);
        yield records.filter((record) => record !== undefined);
      }
    }
    this.#memory.keepOnly(seen);
  }

  async readOne(address: MailboxAddress, signal: AbortSignal): Promise<DirectoryRecord | undefined> {
    if (!canBeInWorkMail(address)) return undefined;
    const known = this.#memory.find(address);
    if (known?.kind === "group") {
      const record = await this.#fresh(await this.#questions.group(known.id, signal), signal);
      if (record?.addresses.includes(address)) return record;
    }
    const user = await this.#questions.user(address, signal);
    if (user !== undefined) return this.#fresh(user, signal);
    // Whether the API finds a user by an alias is not documented; who had the alias when last read is asked by id.
    if (known?.kind === "user") {
      const record = await this.#fresh(await this.#questions.user(known.id, signal), signal);
      if (record?.addresses.includes(address)) return record;
    }
    return this.#fresh(await this.#questions.group(address, signal), signal);
  }

  async readMembers(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<GroupMembers | undefined> {
    if (!canBeInWorkMail(group)) return undefined;
    const known = this.#memory.find(group);
    const id = known?.kind === "group" ? known.id : await this.#enabledGroup(group, signal);
    if (id === undefined) return undefined;
    const members = await this.#questions.members(id, limit, signal);
    if (members === undefined) return undefined;
    const found = await atMostAtOnce(this.#callsAtOnce, members, (member) =>
      member.Id === undefined || member.State === "DELETED"
        ? Promise.resolve(NOBODY)
        : this.#member(member.Id, member.Type === "GROUP" ? "group" : "user", signal),
    );
    const addresses = found.map(({ address }) => address).filter((address) => address !== undefined);
    const without = found.filter(({ exists }) => !exists).length;
    return { addresses, without, unknown: found.length - addresses.length - without };
  }

  async close(): Promise<void> {
    await Promise.all([this.#lists.close(), this.#questions.close()]);
  }

  async #describeOrganization(api: WorkMailApi, signal: AbortSignal): Promise<ObservedOrganization> {
    const organization = await api.organization(signal);
    const { alias, interoperabilityEnabled } = organization;
    const ended = this.#organization?.interoperabilityEnabled
      ? this.#now()
      : this.#organization?.interoperabilityEndedAt;
    this.#organization = {
      ...organization,
      expectedDomain: alias === undefined ? undefined : `${alias.toLowerCase()}.awsapps.com`,
      interoperabilityEndedAt: interoperabilityEnabled ? undefined : ended,
    };
    return this.#organization;
  }

  /** With the aliases as they are now. Who owns a resource is asked of the organization as it is now. */
  async #fresh(entity: WorkMailEntity | undefined, signal: AbortSignal): Promise<DirectoryRecord | undefined> {
    if (entity === undefined) return undefined;
    const interoperability =
      entity.state === "ENABLED" && entity.role === "RESOURCE"
        ? (await this.#describeOrganization(this.#questions, signal)).interoperabilityEnabled
        : true;
    const record = await this.#record(entity, interoperability, () => this.#questions.aliases(entity.id, signal));
    if (record === undefined) this.#memory.forget(entity.id);
    return record;
  }

  /** Undefined for whom there is no record, also when it has gone since it was listed. */
  async #record(
    entity: WorkMailEntity,
    interoperability: boolean,
    list: () => Promise<readonly string[] | undefined>,
  ): Promise<DirectoryRecord | undefined> {
    const recipient = recipientOf(entity, interoperability, this.#owners);
    if (recipient === undefined) return undefined;
    const aliases = await list();
    if (aliases === undefined) return undefined;
    const record = recordOf(recipient, aliases);
    this.#memory.remember(entity, aliases, record);
    return record;
  }

  async #enabledGroup(address: MailboxAddress, signal: AbortSignal): Promise<string | undefined> {
    const group = await this.#questions.group(address, signal);
    return group?.state === "ENABLED" ? group.id : undefined;
  }

  /** Members who live in the other system are DISABLED here; their description may still name their address. */
  async #member(id: string, kind: WorkMailEntity["kind"], signal: AbortSignal): Promise<WorkMailMember> {
    const known = this.#memory.member(id);
    if (known !== undefined) return known;
    const entity = await (kind === "group" ? this.#questions.group(id, signal) : this.#questions.user(id, signal));
    const address = entity?.email === undefined ? undefined : parseMailboxAddress(entity.email);
    const exists = address !== undefined || (entity !== undefined && entity.state !== "DELETED");
    const member: WorkMailMember = { address, exists };
    this.#memory.rememberMember(id, member);
    return member;
  }
}
