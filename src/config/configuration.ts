/**
 * Decides what can be configured: the schema of the YAML file, from which the types, the
 * published JSON schema and the messages about mistakes all come. What a setting does is
 * decided elsewhere.
 */

import { BlockList, isIPv6 } from "node:net";
import { z } from "zod";
import { parseDomain, parseMailboxAddress } from "../availability/mailbox-address.js";

const address = z
  .string()
  .refine((text) => parseMailboxAddress(text) !== undefined, "is not an SMTP address such as bob@corp.example");
const domain = z.string().refine((text) => parseDomain(text) !== undefined, "is not a domain such as corp.example");
const port = z.int().min(0).max(65535);
const seconds = (least: number, most: number) => z.number().min(least).max(most);
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "use lower-case letters, digits, '-' and '_'");

const isAddressOrDomain = (text: string): boolean =>
  parseMailboxAddress(text) !== undefined || (!text.includes("@") && parseDomain(text) !== undefined);
const isAddressRange = (text: string): boolean => {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  try {
    const length = prefix === undefined || !/^\d+$/.test(prefix) ? (prefix === undefined ? 0 : -1) : Number(prefix);
    new BlockList().addSubnet(address, length, family);
    return more.length === 0;
  } catch {
    return false;
  }
};

const secret = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    "a secret is given by reference: env:NAME or file:/path, never in clear",
  )
  .describe("A reference: env:NAME for an environment variable, file:/path for a file's first line.");

const view = z
  .enum(["MergedOnly", "FreeBusy", "Detailed"])
  .describe("The most that is shown: slots only, times without details, or times with subject and location.");

const mailboxList = z
  .array(z.string().refine((text) => isAddressOrDomain(text), "is neither an address nor a domain"))
  .describe("Addresses, and whole domains (without the ones below them).");

/** What somebody may learn. */
const disclosure = {
  maximumView: view.default("FreeBusy"),
  privateItems: z
    .enum(["withoutText", "busy"])
    .default("withoutText")
    .describe("Private items never show text; busy: nor that they are private, tentative or out of office."),
  allow: mailboxList.optional().describe("Only these mailboxes may be asked about. Absent: all."),
  deny: mailboxList.default([]).describe("These may not. Wins over allow."),
};

const certificate = z.union([
  z.strictObject({
    fingerprint: z.string().regex(/^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/, "is no SHA-256 fingerprint"),
  }),
  z.strictObject({ commonName: z.string().min(1) }),
  z.strictObject({
    alternativeName: z.string().regex(/^(DNS|email|URI|IP Address):.+$/, "begin with DNS:, email: or URI:"),
  }),
]);

const caller = z.strictObject({
  name,
  usernames: z
    .array(z.string().min(1))
    .default([])
    .describe("Every form the caller may sign in with, by password; case does not matter."),
  passwordHash: z
    .string()
    .regex(
      /^(\$argon2(id|i|d)\$.+|\$scrypt\$.+|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
      "is not an argon2 or scrypt hash; make one with: freebusy hash-password",
    )
    .optional()
    .describe("For Basic: $argon2id$… or $scrypt$…, itself or by reference."),
  password: secret.optional().describe("For NTLM and Negotiate: a reference to the password itself."),
  ntHash: secret.optional().describe("In place of password: a reference to its NT hash, 32 hexadecimal digits."),
  principals: z
    .array(z.string().regex(/^[^@]+@[^@]+$/, "write user@REALM"))
    .default([])
    .describe("For Kerberos."),
  tokens: z
    .array(z.strictObject({ issuer: name, claim: z.string().min(1), value: z.string().min(1) }))
    .default([])
    .describe("For Bearer: an issuer of signIn.tokens, and what a claim of its tokens has to be."),
  certificates: z.array(certificate).default([]).describe("For listen.tls.clientCaFile."),
  origin: z.string().default("none").describe("The backend this caller speaks for, or none. It is never asked back."),
  ...disclosure,
  requesterGroups: z
    .array(z.strictObject({ requesters: mailboxList, ...disclosure, maximumView: view.default("Detailed") }))
    .default([])
    .describe("Whoever the caller says it asks for may see less than the caller, never more."),
});

const scheme = z.enum(["negotiate", "ntlm", "basic", "bearer"]);
const signIn = z.strictObject({
  schemes: z
    .array(scheme)
    .min(1)
    .default(["negotiate", "ntlm", "basic", "bearer"])
    .describe("In the order offered; those no caller can use are not."),
  ntlm: z
    .strictObject({
      domain: z.string().min(1).max(15).default("FREEBUSY"),
      computer: z.string().min(1).max(15).default("FREEBUSY"),
      dnsName: z.string().min(1).default("freebusy"),
      integrityCode: z
        .enum(["required", "when-promised"])
        .default("required")
        .describe("when-promised lets in clients without a code over the messages, such as curl."),
      channelBinding: z.enum(["required", "when-sent"]).default("when-sent"),
    })
    .prefault({}),
  kerberos: z
    .strictObject({
      keytabFile: z.string(),
      host: z.string().min(1).describe("As in the URL clients use: the keytab has HTTP/host."),
    })
    .optional()
    .describe("Needs the package kerberos: npm install kerberos."),
  tokens: z
    .array(
      z.strictObject({
        name,
        issuer: z.string().min(1).describe("Exactly as in iss."),
        audience: z.array(z.string().min(1)).min(1),
        keysUrl: z.url({ protocol: /^https?$/ }).optional(),
        keysFile: z.string().optional(),
        caFile: z.string().optional(),
        allowPlainHttp: z.boolean().default(false).describe("Keys over http://. For tests."),
        skewSeconds: z.number().min(0).max(600).default(60),
      }),
    )
    .default([]),
});

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
    .describe("At most this many requests at once. Exchange allows an account about 27."),
  maximumMailboxes: z.int().min(1).max(100).optional().describe("Mailboxes per request."),
  maximumWindowDays: z.int().min(1).max(62).optional().describe("Longer windows are asked in slices."),
  maximumAnswerMegabytes: z.number().min(1).max(256).default(32),
  caFile: z.string().optional().describe("PEM file with the private authority that signed the backend's certificate."),
  allowPlainHttp: z.boolean().default(false).describe("Send the service account's password over http://. For tests."),
};
const url = z.url({ protocol: /^https?$/ });
const region = z.enum(["us-east-1", "us-west-2", "eu-west-1"]);

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
const directory = z.discriminatedUnion("type", [
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
  management: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(9090) }).prefault({}),
  timeBudgetSeconds: seconds(0.2, 60)
    .default(18)
    .describe("Every caller has its answer by then. Exchange gives up after about 20 to 25."),
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
  signIn: signIn.prefault({}),
  cache: z
    .strictObject({
      maximumMegabytes: z.number().min(1).max(65_536).default(64),
      viewSeconds: seconds(0, 3600).default(60),
      notFoundSeconds: seconds(0, 3600).default(10),
    })
    .prefault({}),
  callers: z.array(caller).min(1),
  backends: z
    .record(
      name,
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("ews"), url, ...backend }),
        z.strictObject({
          type: z.literal("workmail"),
          region: region.optional(),
          url: url.optional().describe("Instead of region."),
          ...backend,
        }),
      ]),
    )
    .refine((backends) => Object.keys(backends).length > 0, "at least one backend is needed"),
  directories: z
    .array(directory)
    .default([])
    .describe("Who knows where mailboxes live, in the order in which their word counts; before addressSpaces."),
  whenOnBothSides: z
    .string()
    .default("first")
    .describe("A mailbox that two systems have belongs to: first (the first directory's word), or a backend's name."),
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
