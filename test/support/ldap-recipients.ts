/** What tests of the LDAP source share, whatever the server: options, the contract's entries, failures by their code. */

import { expect } from "vitest";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { DirectoryError } from "../../src/directories/directory-source.js";
import { DOMAIN_DN, SERVICE_DN, SERVICE_PASSWORD } from "./active-directory.js";
import type { NewEntry } from "./ldif.js";

export const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
export const never = () => new AbortController().signal;

const OWNERS: Readonly<Record<string, string>> = { "corp.example": "exchange", "corp.awsapps.com": "workmail" };
/** Everything but where the server is. */
export const COMMON = {
  bindDn: SERVICE_DN,
  password: SERVICE_PASSWORD,
  baseDn: DOMAIN_DN,
  timeoutMs: 5000,
  pageSize: 2,
  mailboxBackend: "exchange",
  backendOfDomain: (domain: string) => OWNERS[domain],
};

export const CONTRACT_DN = `OU=Contract,${DOMAIN_DN}`;
export const PEOPLE_DN = `OU=People,${DOMAIN_DN}`;
export const unit = (dn: string): NewEntry => ({ dn, objectClass: "organizationalUnit" });

/** What the contract asks for, with the classes that the server wants people and groups to have. */
export const contractEntries = (person: string[], group: string[]): NewEntry[] => [
  unit(CONTRACT_DN),
  {
    dn: `CN=Bob,${CONTRACT_DN}`,
    objectClass: person,
    cn: "Bob",
    mail: "bob@corp.example",
    proxyAddresses: ["SMTP:Bob@corp.example", "smtp:bob@corp.awsapps.com"],
    targetAddress: "SMTP:bob@corp.awsapps.com",
    msExchRecipientTypeDetails: "128",
  },
  { dn: `CN=Carol,${CONTRACT_DN}`, objectClass: person, cn: "Carol", mail: "carol@corp.example" },
  {
    dn: `CN=Team,${CONTRACT_DN}`,
    objectClass: group,
    cn: "Team",
    mail: "team@corp.example",
    member: `CN=Bob,${CONTRACT_DN}`,
  },
];

/** The code of the failure; holds that nothing about it tells the password or a name. */
export async function codeOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DirectoryError);
  const { code, message } = error as DirectoryError;
  for (const secret of [SERVICE_PASSWORD, "CN=", "DC=", "@"]) expect(message).not.toContain(secret);
  return code;
}
