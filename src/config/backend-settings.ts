/** Decides what can be configured about backends: where they are, with which accounts they are asked, within which limits. */

import { z } from "zod";
import { address, name, region, seconds, secret, url } from "./setting-terms.js";

const login = {
  username: z.string().min(1).describe("The service account, as the backend expects it: user@domain or DOMAIN\\user."),
  password: secret,
  nextPassword: secret.optional().describe("The other one, while one replaces the other: the one that works is used."),
};
const account = z.discriminatedUnion("scheme", [
  z.strictObject({ scheme: z.literal("basic"), ...login }),
  z.strictObject({ scheme: z.literal("ntlm"), ...login }),
  z.strictObject({
    scheme: z.literal("negotiate").describe("Kerberos. Needs the package kerberos."),
    principal: z
      .string()
      .regex(/^[^@\s]+@[^@\s]+$/, "is not a principal such as svc-freebusy@CORP.EXAMPLE")
      .describe("The service account, with its realm."),
    keytabFile: z.string().min(1).describe("With the principal's key. One file for all accounts of the gateway."),
  }),
  z.strictObject({
    scheme: z.literal("oauth"),
    tokenUrl: z.url({ protocol: /^https?$/ }).describe("The authority's token endpoint."),
    clientId: z.string().min(1),
    clientSecret: secret.optional(),
    nextClientSecret: secret.optional(),
    privateKey: secret
      .optional()
      .describe("PEM, instead of clientSecret: the client proves itself with a certificate."),
    certificateFile: z.string().optional().describe("PEM of the certificate that belongs to privateKey."),
    scope: z.string().optional().describe("For example https://outlook.office365.com/.default."),
    actsAs: address.optional().describe("Whom the application impersonates, where the server asks for that."),
  }),
  z.strictObject({
    scheme: z.literal("impersonation"),
    organizationId: z.string().regex(/^m-[0-9a-f]{32}$/, "is not an organization id such as m-0123…, 32 digits"),
    roleId: z.string().min(1).describe("A WorkMail impersonation role, READ_ONLY and limited to actsAs."),
    region: z.enum(["us-east-1", "us-west-2", "eu-west-1"]),
    actsAs: address.describe("The service mailbox in whose name is asked."),
    endpoint: z.url().optional().describe("Instead of AWS's own, for a private endpoint or a test."),
  }),
]);

const urls = z
  .array(url)
  .min(1)
  .max(10)
  .optional()
  .describe("Instead of url: several ways to the same system. The first that works is asked.");

const backend = {
  username: login.username.optional(),
  password: secret.optional(),
  nextPassword: login.nextPassword,
  scheme: z.enum(["basic", "ntlm"]).default("basic").describe("How username and password are proven."),
  accounts: z
    .array(account)
    .min(1)
    .max(20)
    .optional()
    .describe("Instead of username and password: several accounts that see the same, sharing the load."),
  checkSecretsSeconds: seconds(1, 86_400).default(30).describe("How often secrets are read again."),
  timeoutSeconds: seconds(0.1, 60).default(15).describe("Shorter than timeBudgetSeconds."),
  connections: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("At most this many requests of one account at once. Exchange allows an account about 27."),
  gatherMilliseconds: z
    .number()
    .min(0)
    .max(1000)
    .default(5)
    .describe("While something is under way, how long questions wait for others to share a request with."),
  maximumWaiting: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(5000)
    .describe(
      "Mailboxes that wait while all accounts are in use. Callers take turns; beyond it the greediest is refused.",
    ),
  maximumMailboxes: z.int().min(1).max(100).optional().describe("Mailboxes per request."),
  maximumWindowDays: z.int().min(1).max(62).optional().describe("Longer windows are asked in slices."),
  maximumAnswerMegabytes: z.number().min(1).max(256).default(32),
  caFile: z.string().optional().describe("PEM file with the private authority that signed the backend's certificate."),
  allowPlainHttp: z.boolean().default(false).describe("Send the service account's password over http://. For tests."),
};

export const backends = z
  .record(
    name,
    z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("ews"), url: url.optional(), urls, ...backend }),
      z.strictObject({
        type: z.literal("workmail"),
        region: region.optional(),
        url: url.optional().describe("Instead of region."),
        urls,
        ...backend,
      }),
    ]),
  )
  .refine((backends) => Object.keys(backends).length > 0, "at least one backend is needed");
