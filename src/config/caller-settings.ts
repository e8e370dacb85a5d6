/** Decides what can be configured about callers: who they are, how they sign in, and what they may learn. */

import { z } from "zod";
import { mailboxList, name, secret, view } from "./setting-terms.js";

/** What somebody may learn. */
export const disclosure = {
  maximumView: view.default("FreeBusy"),
  privateItems: z
    .enum(["withoutText", "busy"])
    .default("withoutText")
    .describe(
      "Private items never show text; busy: nor that they are tentative or out of office. Where a system does not say which items are private, none shows that then.",
    ),
  allow: mailboxList.optional().describe("Only these mailboxes may be asked about. Absent: all."),
  deny: mailboxList.default([]).describe("These may not. Wins over allow."),
};

export const passwordHash = z
  .string()
  .regex(
    /^(\$argon2(id|i|d)\$.+|\$scrypt\$.+|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    "is not an argon2 or scrypt hash; make one with: freebusy hash-password",
  );

const certificate = z.union([
  z.strictObject({
    fingerprint: z.string().regex(/^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/, "is no SHA-256 fingerprint"),
  }),
  z.strictObject({ commonName: z.string().min(1) }),
  z.strictObject({
    alternativeName: z.string().regex(/^(DNS|email|URI|IP Address):.+$/, "begin with DNS:, email: or URI:"),
  }),
]);

export const caller = z.strictObject({
  name,
  usernames: z
    .array(z.string().min(1))
    .default([])
    .describe("Every form the caller may sign in with, by password; case does not matter."),
  passwordHash: passwordHash.optional().describe("For Basic: $argon2id$… or $scrypt$…, itself or by reference."),
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
  certificates: z
    .array(certificate)
    .default([])
    .describe("For listen.tls.clientCaFile. Each is one of fingerprint, commonName and alternativeName."),
  origin: z.string().default("none").describe("The backend this caller speaks for, or none. It is never asked back."),
  freeBusyUrls: z
    .boolean()
    .default(false)
    .describe("Also served /v1/freebusy/{address}.ifb, for Outlook's internet free/busy and CalDAV tools."),
  ...disclosure,
  requesterGroups: z
    .array(z.strictObject({ requesters: mailboxList, ...disclosure, maximumView: view.default("Detailed") }))
    .default([])
    .describe("Whoever the caller says it asks for may see less than the caller, never more."),
});

const scheme = z.enum(["negotiate", "ntlm", "basic", "bearer"]);
export const signIn = z.strictObject({
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
