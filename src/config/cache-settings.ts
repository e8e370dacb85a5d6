/** Decides what can be configured about answers that are kept: for how long, how much, and shared with whom. */

import { z } from "zod";
import { name, seconds, secret } from "./setting-terms.js";

const isServer = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(text);
  return /^rediss?:$/.test(protocol) && hostname !== "" && /^(\/\d*)?$/.test(pathname) && `${search}${hash}` === "";
};

const server = z
  .string()
  .refine(isServer, "write redis://host:6379 or rediss://host:6379")
  .refine(
    (text) => !URL.canParse(text) || new URL(text).password === "",
    "a password does not belong here: use password",
  )
  .refine((text) => !URL.canParse(text) || new URL(text).username === "", "a user does not belong here: use username");

const shared = z.strictObject({
  urls: z
    .array(server)
    .min(1)
    .describe(
      "Redis or Valkey: redis:// or rediss:// (TLS), with /1 for another database. Several: sentinels, or nodes of a cluster.",
    ),
  topology: z.enum(["single", "sentinel", "cluster"]).default("single"),
  sentinelName: z.string().min(1).default("mymaster").describe("The name under which sentinels know the server."),
  username: z.string().min(1).optional(),
  password: secret.optional(),
  sentinelPassword: secret.optional(),
  caFile: z.string().optional(),
  allowPlainRedis: z.boolean().default(false).describe("A password over redis:// to another machine."),
  encryptionKey: secret.describe(
    "Answers are encrypted with it, and addresses hashed: a reference to 32 characters or more.",
  ),
  previousEncryptionKey: secret
    .optional()
    .describe("Accepted too: the one before, or the next one, while gateways change from one to the other."),
  prefix: name.default("freebusy").describe("Before all names; gateways with the same one are one."),
  shareAccountBudget: z
    .boolean()
    .default(true)
    .describe("Each account's connections are for all gateways together, and its pauses and refusals count for all."),
  replicas: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(2)
    .describe("So many gateways are presumed to share an account's connections while they cannot be counted."),
  timeoutMilliseconds: z.number().min(5).max(2_000).default(50).describe("No lookup waits longer for it."),
});

export const cache = z.strictObject({
  maximumMegabytes: z.number().min(1).max(65_536).default(64),
  viewSeconds: seconds(0, 3600).default(60),
  notFoundSeconds: seconds(0, 3600).default(10),
  staleWhileRevalidateSeconds: seconds(0, 3600)
    .default(0)
    .describe("So long after viewSeconds a view is still given while a newer one is fetched. 0: never."),
  staleIfErrorSeconds: seconds(0, 86_400)
    .default(0)
    .describe(
      "So long after viewSeconds a view is still given when its system fails. 0: never. It may be out of date.",
    ),
  shared: shared.optional().describe("One cache for several gateways."),
});
