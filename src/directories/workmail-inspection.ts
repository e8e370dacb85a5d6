/**
 * Decides which operations of WorkMail's control API say how an organization is set up. Reads,
 * and the one test that AWS offers; nothing here changes anything.
 *
 * Must not know what ought to be: that is for whoever asks.
 */

import { type WorkMailCallOptions, WorkMailCalls } from "./workmail-calls.js";
import { hasCode } from "./workmail-errors.js";

/** As one call may get it at once. */
const PAGE = 100;
const MOST_USERS = 1_000;
const MOST_ROWS = 1_000;

export class WorkMailInspection {
  readonly #calls: WorkMailCalls;

  constructor(options: WorkMailCallOptions) {
    this.#calls = new WorkMailCalls(options, "prompt");
  }

  async organization(signal: AbortSignal) {
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

  async enabledUsers(signal: AbortSignal) {
    const pages = this.#calls.pages("ListUsers", signal, (api, input, options) =>
      api.listUsers({ ...input, MaxResults: PAGE, Filters: { State: "ENABLED" } }, options),
    );
    const users = [];
    for await (const { Users = [] } of pages) {
      for (const { Id, Email, State, UserRole } of Users) {
        if (Id === undefined) continue;
        users.push({ id: Id, email: Email, state: State, role: UserRole, provisioned: true, deprovisioned: false });
      }
      if (users.length >= MOST_USERS) break;
    }
    return users;
  }

  async user(nameOrAddress: string, signal: AbortSignal) {
    const answer = await unless(["EntityNotFoundException", "InvalidParameterException"], () =>
      this.#calls.ask("DescribeUser", signal, (api, input, options) =>
        api.describeUser({ ...input, UserId: nameOrAddress }, options),
      ),
    );
    if (answer?.UserId === undefined) return undefined;
    return {
      id: answer.UserId,
      email: answer.Email,
      state: answer.State,
      role: answer.UserRole,
      provisioned: answer.MailboxProvisionedDate !== undefined,
      deprovisioned: answer.MailboxDeprovisionedDate !== undefined,
    };
  }

  async aliases(userId: string, signal: AbortSignal): Promise<string[]> {
    const pages = this.#calls.pages("ListAliases", signal, (api, input, options) =>
      api.listAliases({ ...input, EntityId: userId, MaxResults: PAGE }, options),
    );
    return rows(pages, ({ Aliases = [] }) => Aliases);
  }

  /** VERIFIED, PENDING or FAILED; undefined when the organization does not have the domain. */
  async ownership(domain: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await unless(["MailDomainNotFoundException", "ResourceNotFoundException"], () =>
      this.#calls.ask("GetMailDomain", signal, (api, input, options) =>
        api.getMailDomain({ ...input, DomainName: domain }, options),
      ),
    );
    return answer && (answer.OwnershipVerificationStatus ?? "not told");
  }

  /** None also where the directory is read-only and the API refuses the question, as it does with interoperability on. */
  async ownResources(signal: AbortSignal): Promise<string[]> {
    const pages = this.#calls.pages("ListResources", signal, (api, input, options) =>
      api.listResources({ ...input, MaxResults: PAGE }, options),
    );
    const read = () =>
      rows(pages, ({ Resources = [] }) =>
        Resources.flatMap(({ State, Email, Name }) => (State === "ENABLED" ? [Email ?? Name ?? "unnamed"] : [])),
      );
    return (await unless(["UnsupportedOperationException"], read)) ?? [];
  }

  async configurations(signal: AbortSignal) {
    const pages = this.#calls.pages("ListAvailabilityConfigurations", signal, (api, input, options) =>
      api.listAvailabilityConfigurations({ ...input, MaxResults: PAGE }, options),
    );
    return rows(pages, ({ AvailabilityConfigurations = [] }) =>
      AvailabilityConfigurations.map(({ DomainName, ProviderType, EwsProvider, LambdaProvider }) => ({
        domain: (DomainName ?? "").toLowerCase(),
        type: ProviderType ?? "unknown",
        endpoint: EwsProvider?.EwsEndpoint,
        username: EwsProvider?.EwsUsername,
        lambda: LambdaProvider?.LambdaArn,
      })),
    );
  }

  async test(domain: string, signal: AbortSignal) {
    const answer = await this.#calls.ask("TestAvailabilityConfiguration", signal, (api, input, options) =>
      api.testAvailabilityConfiguration({ ...input, DomainName: domain }, options),
    );
    return { passed: answer.TestPassed === true, reason: answer.FailureReason };
  }

  async signInMode(signal: AbortSignal): Promise<string | undefined> {
    const answer = await unless(["ResourceNotFoundException"], () =>
      this.#calls.ask("DescribeIdentityProviderConfiguration", signal, (api, input, options) =>
        api.describeIdentityProviderConfiguration(input, options),
      ),
    );
    return answer?.AuthenticationMode;
  }

  /** Milliseconds since 1970. */
  async tokenEnds(userId: string, signal: AbortSignal): Promise<number[]> {
    const pages = this.#calls.pages("ListPersonalAccessTokens", signal, (api, input, options) =>
      api.listPersonalAccessTokens({ ...input, UserId: userId, MaxResults: PAGE }, options),
    );
    return rows(pages, ({ PersonalAccessTokenSummaries = [] }) =>
      PersonalAccessTokenSummaries.flatMap(({ ExpiresTime }) => ExpiresTime?.getTime() ?? []),
    );
  }

  async accessEffect(ip: string, who: { userId: string } | { roleId: string }, signal: AbortSignal) {
    const asked = "userId" in who ? { UserId: who.userId } : { ImpersonationRoleId: who.roleId };
    const answer = await this.#calls.ask("GetAccessControlEffect", signal, (api, input, options) =>
      api.getAccessControlEffect({ ...input, IpAddress: ip, Action: "EWS", ...asked }, options),
    );
    return { effect: answer.Effect ?? "not told", rules: answer.MatchedRules ?? [] };
  }

  async roleEffect(roleId: string, user: string, signal: AbortSignal) {
    const answer = await this.#calls.ask("GetImpersonationRoleEffect", signal, (api, input, options) =>
      api.getImpersonationRoleEffect({ ...input, ImpersonationRoleId: roleId, TargetUser: user }, options),
    );
    return { type: answer.Type ?? "not told", effect: answer.Effect ?? "not told" };
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }
}

async function rows<Page, Row>(pages: AsyncIterable<Page>, of: (page: Page) => readonly Row[]): Promise<Row[]> {
  const all: Row[] = [];
  for await (const page of pages) {
    all.push(...of(page));
    if (all.length >= MOST_ROWS) break;
  }
  return all;
}

async function unless<Answer>(codes: readonly string[], read: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, codes)) return undefined;
    throw error;
  }
}
