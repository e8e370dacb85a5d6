/**
 * Decides what a simulated WorkMail organization answers to each operation of the control
 * API: paging, filters, the patterns of the parameters, and who is found by what. Its users
 * and groups are plain objects, which may be changed while it runs. Knows no wire.
 */

import { randomBytes } from "node:crypto";
import { ApiError, type Input, invalid, page, text } from "./workmail-input.js";
import { SETTING_OPERATIONS, type SimulatedSettings } from "./workmail-settings.js";

export type EntityState = "ENABLED" | "DISABLED" | "DELETED";

export interface SimulatedUser {
  id: string;
  name: string;
  email?: string;
  aliases?: string[];
  state: EntityState;
  role: "USER" | "RESOURCE" | "SYSTEM_USER" | "REMOTE_USER";
  /** Dates are seconds since 1970, as on the wire. */
  enabledDate?: number;
  disabledDate?: number;
  mailboxDeprovisionedDate?: number;
}

export interface SimulatedGroup {
  id: string;
  name: string;
  email?: string;
  aliases?: string[];
  state: EntityState;
  enabledDate?: number;
  /** Ids of users and groups. */
  members?: string[];
}

export interface SimulatedRole {
  id: string;
  /** FULL_ACCESS unless it says otherwise. */
  type?: string;
  /** Addresses it may act for; all of them unless it says which. */
  targets?: string[];
  /** Seconds a token lives; 900 unless it says otherwise. */
  expiresIn?: number;
}

export interface SimulatedOrganization {
  id: string;
  alias: string;
  state: string;
  directoryId?: string;
  interoperabilityEnabled: boolean;
  users: SimulatedUser[];
  groups: SimulatedGroup[];
  /** Whether users and groups are found by an alias too: not documented, so both have to do. */
  foundByAlias: boolean;
  impersonationRoles?: SimulatedRole[];
  /** How it is set up, as far as it is asked: see workmail-settings.ts. */
  settings?: SimulatedSettings;
  /** Every token that was given, and the role it stands for. */
  impersonationTokens?: Map<string, string>;
}

const ENTITY_IDENTIFIER = /^[a-zA-Z0-9._%+@-]{1,256}$/;
const EMAIL_ADDRESS = /^(?=.{1,254}$)[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9.-]+\.[a-zA-Z-]{2,}$/;

export type Operation = (organization: SimulatedOrganization, input: Input) => object | Promise<object>;

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...SETTING_OPERATIONS,
  DescribeOrganization: (organization) => ({
    OrganizationId: organization.id,
    Alias: organization.alias,
    State: organization.state,
    DirectoryId: organization.directoryId,
    DirectoryType: "AdConnector",
    InteroperabilityEnabled: organization.interoperabilityEnabled,
  }),
  ListUsers: ({ users }, input) => page("Users", stateFilter(users, input).map(userSummary), input),
  ListGroups: ({ groups }, input) => page("Groups", stateFilter(groups, input).map(groupSummary), input),
  DescribeUser: (organization, input) => {
    const user = find(organization, organization.users, text(input, "UserId", ENTITY_IDENTIFIER));
    const { Id, ...rest } = userSummary(user);
    const hidden = { HiddenFromGlobalAddressList: false };
    return {
      UserId: Id,
      ...rest,
      ...hidden,
      MailboxProvisionedDate: user.enabledDate,
      MailboxDeprovisionedDate: user.mailboxDeprovisionedDate,
    };
  },
  DescribeGroup: (organization, input) => {
    const { Id, ...rest } = groupSummary(
      find(organization, organization.groups, text(input, "GroupId", ENTITY_IDENTIFIER)),
    );
    return { GroupId: Id, ...rest, HiddenFromGlobalAddressList: false };
  },
  DescribeEntity: (organization, input) => {
    const email = text(input, "Email", EMAIL_ADDRESS);
    const entity = find(organization, [...organization.users, ...organization.groups], email);
    return { EntityId: entity.id, Name: entity.name, Type: "role" in entity ? "USER" : "GROUP" };
  },
  ListAliases: ({ users, groups }, input) => {
    const id = text(input, "EntityId", /^.{12,256}$/);
    const entity = [...users, ...groups].find((one) => one.id === id);
    if (entity === undefined) throw notFound();
    return page("Aliases", entity.aliases ?? [], input);
  },
  ListGroupMembers: (organization, input) => {
    const group = find(organization, organization.groups, text(input, "GroupId", ENTITY_IDENTIFIER));
    const all = [...organization.users, ...organization.groups];
    const members = (group.members ?? []).flatMap((id) => all.filter((one) => one.id === id));
    const rows = members.map((one) => ({
      Id: one.id,
      Name: one.name,
      Type: "role" in one ? "USER" : "GROUP",
      State: one.state,
      EnabledDate: one.enabledDate,
    }));
    return page("Members", rows, input);
  },
  AssumeImpersonationRole: (organization, input) => {
    const id = text(input, "ImpersonationRoleId", /^[a-zA-Z0-9_-]{1,64}$/);
    const role = organization.impersonationRoles?.find((one) => one.id === id);
    if (role === undefined) throw new ApiError("ResourceNotFoundException", "The resource cannot be found.");
    const token = `simulated!${randomBytes(24).toString("base64")}`;
    organization.impersonationTokens ??= new Map();
    organization.impersonationTokens.set(token, role.id);
    return { Token: token, ExpiresIn: role.expiresIn ?? 900 };
  },
};

function userSummary(user: SimulatedUser) {
  return {
    Id: user.id,
    Email: user.email,
    Name: user.name,
    DisplayName: user.name,
    State: user.state,
    UserRole: user.role,
    EnabledDate: user.enabledDate,
    DisabledDate: user.disabledDate,
  };
}

function groupSummary({ id, email, name, state, enabledDate }: SimulatedGroup) {
  return { Id: id, Email: email, Name: name, State: state, EnabledDate: enabledDate };
}

function find<Entity extends SimulatedUser | SimulatedGroup>(
  { foundByAlias }: SimulatedOrganization,
  entities: readonly Entity[],
  wanted: string,
): Entity {
  const lower = wanted.toLowerCase();
  const found = entities.find(
    ({ id, name, email, aliases = [] }) =>
      id === wanted ||
      name.toLowerCase() === lower ||
      email?.toLowerCase() === lower ||
      (foundByAlias && aliases.some((alias) => alias.toLowerCase() === lower)),
  );
  if (found === undefined) throw notFound();
  return found;
}

function stateFilter<Entity extends { state: EntityState }>(entities: readonly Entity[], input: Input): Entity[] {
  const filters = Object.entries((input.Filters ?? {}) as Input);
  if (filters.length > 1) throw invalid("Only one filter per request is supported.");
  return entities.filter((entity) =>
    filters.every(([name, value]) => {
      if (name !== "State") throw invalid(`The filter ${name} is not simulated.`);
      return entity.state === value;
    }),
  );
}

const notFound = () => new ApiError("EntityNotFoundException", "The entity does not exist in the organization.");
