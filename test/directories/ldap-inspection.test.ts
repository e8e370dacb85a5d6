/** What the doctor reads of people, from a real LDAP server. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LdapInspection } from "../../src/directories/ldap-inspection.js";
import { COMMON, codeOf, never, PEOPLE_DN, unit } from "../support/ldap-recipients.js";
import { hasSlapd, SLAPD_MISSING, type Slapd, startSlapd } from "../support/slapd.js";

if (!hasSlapd) process.stderr.write(SLAPD_MISSING);
const person = (cn: string, more: Record<string, string | string[]>) => ({
  ...{ dn: `CN=${cn},${PEOPLE_DN}`, objectClass: ["user", "mailRecipient"], cn },
  ...more,
});

describe.skipIf(!hasSlapd)("an inspection over LDAP", () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd([
      unit(PEOPLE_DN),
      person("alice", {
        mail: "Alice@corp.example",
        userPrincipalName: "alice@corp.local",
        msExchRecipientTypeDetails: "1",
      }),
      person("bob", {
        mail: "bob@corp.example",
        proxyAddresses: ["SMTP:bob@corp.example", "smtp:robert@corp.example"],
        ...{ targetAddress: "SMTP:bob@corp.awsapps.com", msExchRecipientTypeDetails: "128" },
      }),
      person("list", { mail: "list@corp.example", msExchRecipientTypeDetails: "256" }),
    ]);
  });
  afterAll(() => slapd?.remove());

  it("tells names, addresses and where somebody lives, of people and not of groups", async () => {
    const people = await new LdapInspection({ ...COMMON, url: slapd.url, startTls: true, tls: { ca: slapd.ca } }).all(
      never(),
    );
    expect(
      people.map(({ primary, addresses, principal, target, lives }) => [
        primary,
        addresses.length,
        principal,
        target,
        lives,
      ]),
    ).toEqual([
      ["alice@corp.example", 1, "alice@corp.local", undefined, "here"],
      ["bob@corp.example", 2, undefined, "bob@corp.awsapps.com", "elsewhere"],
    ]);
  });

  it("that is not let in says so, and tells no password", async () => {
    const wrong = { ...COMMON, password: "wrong", url: slapd.url, startTls: true, tls: { ca: slapd.ca } };
    expect(await codeOf(new LdapInspection(wrong).all(never()))).toBe("InvalidCredentials");
  });
});
