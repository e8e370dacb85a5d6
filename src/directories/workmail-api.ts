/**
 * Decides which operations of WorkMail's control API are asked, with which parameters, and
 * what "there is none" looks like among their failures.
 *
 * Knows the SDK's shapes; must not know what a record is made of or who owns it, nor how a
 * call is made.
 */

import type { Group, Member, User } from "@aws-sdk/client-workmail";
import { type Call, type CallManner, type WorkMailCallOptions, WorkMailCalls } from "./workmail-calls.js";
import { hasCode } from "./workmail-errors.js";
import type { WorkMailEntity } from "./workmail-records.js";

export interface WorkMailOrganization {
  readonly alias: string | undefined;
  readonly state: string | undefined;
  readonly directoryId: string | undefined;
  readonly interoperabilityEnabled: boolean;
}

/** The most the API gives at once. */
const PAGE = 100;

export class WorkMailApi {
  readonly #calls: WorkMailCalls;

  constructor(options: WorkMailCallOptions, manner: CallManner) {
    this.#calls = new WorkMailCalls(options, manner);
  }

  async organization(signal: AbortSignal): Promise<WorkMailOrganization> {
    const answer = await this.#calls.ask("DescribeOrganization", signal, (api, input, options) =>
      api.describeOrganization(input, options),
    );
    return {
      alias: answer.Alias,
      state: answer.State,
      directoryId: answer.DirectoryId,
      interoperabilityEnabled: answer.InteroperabilityEnabled === true,
    };
  }

  /** Enabled users, by pages of at most 100. */
  async *enabledUsers(signal: AbortSignal): AsyncGenerator<WorkMailEntity[]> {
    const pages = this.#calls.pages("ListUsers", signal, (api, input, options) =>
      api.listUsers({ ...input, MaxResults: PAGE, Filters: { State: "ENABLED" } }, options),
    );
    for await (const page of pages) yield (page.Users ?? []).flatMap((user) => entity("user", user.Id, user));
  }

  /** Enabled groups, by pages of at most 100. */
  async *enabledGroups(signal: AbortSignal): AsyncGenerator<WorkMailEntity[]> {
    const pages = this.#calls.pages("ListGroups", signal, (api, input, options) =>
      api.listGroups({ ...input, MaxResults: PAGE, Filters: { State: "ENABLED" } }, options),
    );
    for await (const page of pages) yield (page.Groups ?? []).flatMap((group) => entity("group", group.Id, group));
  }

  /** The user with this id or address, whatever its state. Undefined when there is none. */
  async user(idOrAddress: string, signal: AbortSignal): Promise<WorkMailEntity | undefined> {
    const answer = await this.#find("DescribeUser", signal, (api, input, options) =>
      api.describeUser({ ...input, UserId: idOrAddress }, options),
    );
    return answer && entity("user", answer.UserId, answer)[0];
  }

  /** The group with this id or address, whatever its state. Undefined when there is none. */
  async group(idOrAddress: string, signal: AbortSignal): Promise<WorkMailEntity | undefined> {
    const answer = await this.#find("DescribeGroup", signal, (api, input, options) =>
      api.describeGroup({ ...input, GroupId: idOrAddress }, options),
    );
    return answer && entity("group", answer.GroupId, answer)[0];
  }

  /** As written, without the primary address or with it. Undefined when the user or group is gone. */
  async aliases(id: string, signal: AbortSignal): Promise<string[] | undefined> {
    const found: string[] = [];
    const pages = this.#calls.pages("ListAliases", signal, (api, input, options) =>
      api.listAliases({ ...input, EntityId: id, MaxResults: PAGE }, options),
    );
    return unless(["EntityNotFoundException"], async () => {
      for await (const page of pages) found.push(...(page.Aliases ?? []));
      return found;
    });
  }

  /** Direct members in the API's order, reading on until there are more than `limit`. Undefined when the group is gone. */
  async members(groupId: string, limit: number, signal: AbortSignal): Promise<Member[] | undefined> {
    const found: Member[] = [];
    const pages = this.#calls.pages("ListGroupMembers", signal, (api, input, options) => {
      const wanted = Math.min(PAGE, limit + 1 - found.length);
      return api.listGroupMembers({ ...input, GroupId: groupId, MaxResults: Math.max(1, wanted) }, options);
    });
    // A group that is no longer enabled is in the wrong state for this question.
    return unless(["EntityNotFoundException", "EntityStateException"], async () => {
      for await (const page of pages) {
        found.push(...(page.Members ?? []));
        if (found.length > limit) break;
      }
      return found;
    });
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }

  /** Undefined also for what the API's own rules reject. */
  #find<Answer>(operation: string, signal: AbortSignal, call: Call<object, Answer>): Promise<Answer | undefined> {
    return unless(["EntityNotFoundException", "InvalidParameterException"], () =>
      this.#calls.ask(operation, signal, call),
    );
  }
}

/** Undefined when it fails with one of these codes. */
async function unless<Answer>(codes: readonly string[], read: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, codes)) return undefined;
    throw error;
  }
}

/** None when the API gives no id. */
function entity(
  kind: WorkMailEntity["kind"],
  id: string | undefined,
  described: Omit<User & Group, "Id"> & { MailboxDeprovisionedDate?: Date | undefined },
): WorkMailEntity[] {
  if (id === undefined) return [];
  return [
    {
      kind,
      id,
      email: described.Email,
      state: described.State,
      role: described.UserRole,
      enabledAt: described.EnabledDate?.getTime(),
      deprovisioned: described.MailboxDeprovisionedDate !== undefined,
    },
  ];
}
