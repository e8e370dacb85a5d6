/**
 * Decides what can be configured: the schema of the YAML file, from which the types, the
 * published JSON schema and the messages about mistakes all come. What a setting does is
 * decided elsewhere.
 */

import { z } from "zod";
import { autodiscover } from "./autodiscover-settings.js";
import { backends } from "./backend-settings.js";
import { cache } from "./cache-settings.js";
import { caller, signIn } from "./caller-settings.js";
import { consoleSettings } from "./console-settings.js";
import { directory } from "./directory-settings.js";
import { doctor } from "./doctor-settings.js";
import { lambda } from "./lambda-settings.js";
import { overload } from "./overload-settings.js";
import { probes } from "./probe-settings.js";
import { address, domain, isAddressRange, port, seconds, secret } from "./setting-terms.js";
import { traces } from "./trace-settings.js";

export const configurationSchema = z.strictObject({
  $schema: z.string().optional(),
  listen: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: port.default(8080),
      bodyLimitBytes: z.int().min(16_384).max(16_777_216).default(524_288),
      trustedProxies: z
        .array(z.string().refine((text) => isAddressRange(text), "is no address and no range such as 192.0.2.0/24"))
        .default([])
        .describe(
          "Whose X-Forwarded-For is believed. Their connections are shared: no NTLM, Negotiate or certificates.",
        ),
      tls: z
        .strictObject({
          certFile: z.string(),
          keyFile: z.string(),
          clientCaFile: z
            .string()
            .optional()
            .describe("PEM: clients are asked for a certificate of these authorities."),
          checkSeconds: seconds(0.1, 86_400).default(30).describe("How often the files are looked at for a renewal."),
        })
        .optional(),
    })
    .prefault({}),
  management: z
    .strictObject({ host: z.string().default("127.0.0.1"), port: port.default(9090), console: consoleSettings })
    .prefault({}),
  timeBudgetSeconds: seconds(0.2, 60)
    .default(18)
    .describe(
      "Every caller has its answer by then. Exchange gives up after about 20 to 25. Above 19, an end does not wait for all of it.",
    ),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error"]).default("info"),
      addresses: z.enum(["hashed", "plain"]).default("hashed"),
    })
    .prefault({}),
  audit: z
    .strictObject({
      to: z.union([z.literal("stdout"), z.strictObject({ file: z.string() })]),
      addresses: z.enum(["plain", "hashed"]).default("plain"),
      hashKey: secret.optional().describe("For hashed: the secret of the HMAC."),
    })
    .optional()
    .describe("One line per lookup, in a stream of its own: who asked, from where, about whom, and what was shown."),
  overload: overload.prefault({}).describe("What is refused so that the rest is answered in time."),
  traces,
  signIn: signIn.prefault({}),
  autodiscover,
  cache: cache.prefault({}),
  callers: z.array(caller).min(1),
  lambda,
  doctor,
  backends,
  directories: z
    .array(directory)
    .default([])
    .describe("Who knows where mailboxes live, in the order in which their word counts; before addressSpaces."),
  whenOnBothSides: z
    .string()
    .default("first")
    .describe("A mailbox that two systems have belongs to: first (the first directory's word), or a backend's name."),
  probes,
  addressSpaces: z
    .array(
      z.strictObject({
        domain,
        backend: z.string(),
        rewriteDomain: domain.optional().describe("The backend is asked about the same local part in this domain."),
      }),
    )
    .default([]),
  mailboxes: z
    .array(
      z.strictObject({
        address: address.describe("The address the backend is asked about."),
        backend: z.string(),
        aliases: z.array(address).default([]).describe("Other addresses of the same mailbox."),
      }),
    )
    .default([]),
});

export type Configuration = z.output<typeof configurationSchema>;

/** The JSON schema of the file, for editors and for whoever generates configurations. */
export function configurationJsonSchema(): object {
  const schema = z.toJSONSchema(configurationSchema, { io: "input", unrepresentable: "any" });
  return { ...schema, title: "Free/busy gateway configuration" };
}
