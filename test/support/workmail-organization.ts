/** A simulated WorkMail organization, and the directory over it. Credentials are set as AWS's own chain reads them. */

import { expect } from "vitest";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import type { SimulatedGroup, SimulatedOrganization, SimulatedUser } from "../../simulators/workmail-organization.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { DirectoryError, type DirectoryRecord } from "../../src/directories/directory-source.js";
import { WorkMailDirectory, type WorkMailDirectoryOptions } from "../../src/directories/workmail-directory.js";

export const ORGANIZATION_ID = "m-0123456789abcdef0123456789abcdef";
export const SECRET = "secret-canary-9fQ2";

/** Before the SDK is loaded. No file and no metadata service of the machine has a say. */
export function setCredentials(): void {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
}

export const user = (name: string, change: Partial<SimulatedUser> = {}): SimulatedUser => ({
  id: `S-1-1-12-user-${name}`,
  name,
  email: `${name}@corp.example`,
  aliases: [`${name}@corp.awsapps.com`],
  state: "ENABLED",
  role: "USER",
  enabledDate: 1_709_287_200.123,
  ...change,
});

export const group = (name: string, members: string[], change: Partial<SimulatedGroup> = {}): SimulatedGroup => ({
  id: `S-1-1-12-group-${name}`,
  name,
  email: `${name}@corp.example`,
  state: "ENABLED",
  enabledDate: 1_709_287_200,
  members,
  ...change,
});

export function organization(change: Partial<SimulatedOrganization> = {}): SimulatedOrganization {
  return {
    id: ORGANIZATION_ID,
    alias: "corp",
    state: "Active",
    directoryId: "d-926726012c",
    interoperabilityEnabled: true,
    users: [
      user("bob"),
      user("carol", { state: "DISABLED", aliases: [] }),
      user("Administrator", { state: "DISABLED", role: "SYSTEM_USER" }),
    ],
    groups: [group("team", [user("bob").id])],
    foundByAlias: true,
    ...change,
  };
}

export interface MadeDirectory {
  readonly api: WorkMailApiSimulator;
  readonly directory: WorkMailDirectory;
}

export async function startDirectory(
  over: Partial<SimulatedOrganization> = {},
  options: Partial<WorkMailDirectoryOptions> = {},
): Promise<MadeDirectory> {
  const api = await startWorkMailApi(organization(over));
  const directory = new WorkMailDirectory({
    organizationId: ORGANIZATION_ID,
    region: "eu-west-1",
    endpoint: api.url,
    workmailBackend: "workmail",
    resourceBackend: "exchange",
    timeoutMs: 10_000,
    ...options,
  });
  return { api, directory };
}

export const never = () => new AbortController().signal;
export const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
export const primaries = (records: readonly DirectoryRecord[]) => records.map(({ addresses }) => addresses[0]);

/** The DirectoryError that a question must end with. */
export async function failure(asked: Promise<unknown>): Promise<DirectoryError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DirectoryError);
  return error as DirectoryError;
}
