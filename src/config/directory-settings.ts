/** Decides what can be configured about directories, which know where mailboxes live. */

import { z } from "zod";
import { name, region, seconds, secret } from "./setting-terms.js";

/** What a copy of a directory that is kept elsewhere needs. */
const kept = {
  backend: z.string().describe("The backend whose mailboxes it lists."),
  refreshSeconds: seconds(1, 86_400).default(900).describe("How long after a reading the next one begins."),
  timeoutSeconds: seconds(0.1, 300).default(10).describe("For one call or one page."),
  snapshotFile: z
    .string()
    .optional()
    .describe("The last good copy, so that a restart routes while the directory cannot be reached. Holds addresses."),
};
export const directory = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("overrides"),
    name: name.default("overrides"),
    file: z.string().describe("CSV (address,owner,from,until,backendAddress) or YAML; read again when it changes."),
    checkSeconds: seconds(0.1, 3600).default(5),
  }),
  z.strictObject({
    type: z.literal("probe"),
    rememberSeconds: seconds(1, 86_400).default(3600),
  }),
  z.strictObject({
    type: z.literal("workmail"),
    name: name.default("workmail-directory"),
    ...kept,
    region,
    organizationId: z.string().regex(/^m-[0-9a-f]{32}$/, "is not an organization id such as m-0123…, 32 digits"),
    resourcesBackend: z.string().describe("The backend that has rooms and equipment while interoperability is on."),
    endpoint: z.url().optional().describe("Instead of AWS's own, for a private endpoint or a test."),
  }),
  z.strictObject({
    type: z.literal("ldap"),
    name: name.default("active-directory"),
    ...kept,
    url: z.url({ protocol: /^ldaps?$/ }).describe("ldaps://dc1.corp.example, or ldap:// with startTls."),
    startTls: z.boolean().default(false),
    allowPlainLdap: z.boolean().default(false).describe("Send the bind password in clear. For tests."),
    caFile: z.string().optional(),
    bindDn: z.string().min(1).describe("A distinguished name, or user@domain."),
    password: secret,
    baseDn: z.string().min(1).describe("For example DC=corp,DC=example."),
    pageSize: z.int().min(1).max(1000).default(500),
  }),
]);
