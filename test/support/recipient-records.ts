/** Records of recipients: written by hand, and any that a directory might have. */

import fc from "fast-check";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { keysOf, type RecipientTable } from "../../src/directories/recipient-table.js";
import type { RecipientKey } from "../../src/proxy/mailbox-directory.js";

export const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;

/** "bob" is bob@corp.example. */
export function mailbox(backend: string | undefined, ...names: [string, ...string[]]): DirectoryRecord {
  const [first, ...others] = names.map((name) => address(name.includes("@") ? name : `${name}@corp.example`));
  const addresses: DirectoryRecord["addresses"] = [first as MailboxAddress, ...others];
  return { kind: "mailbox", backend, addresses, legacyDns: [], evidence: `type of ${backend}` };
}

export function group(...names: [string, ...string[]]): DirectoryRecord {
  return { ...mailbox(undefined, ...names), kind: "group", evidence: "a group" };
}

const localPart = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "d", "e", "o'brien", "x+y") },
  { weight: 2, arbitrary: fc.constantFrom("jürgen", "ÿ", "日本", "𝒳", "straße") },
  { weight: 1, arbitrary: fc.constantFrom("l".repeat(64), "é".repeat(64), "日".repeat(64)) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }) },
);
const anyAddress = fc
  .tuple(localPart, fc.constantFrom("corp.example", "corp.awsapps.com", `${"sub.".repeat(50)}example`))
  .map((parts) => parseMailboxAddress(parts.join("@")))
  .filter((one) => one !== undefined);

const anyDn = fc.oneof(
  fc.constantFrom("/o=Corp/cn=bob", "/O=CORP/CN=BOB", "/o=corp/cn=日本", "/o=corp/cn=ann"),
  fc.constant(`/o=corp${"/cn=very long".repeat(60)}`),
  fc.string({ minLength: 1, maxLength: 20 }).map((name) => `/o=corp/cn=${name}`),
);

export const anyRecord: fc.Arbitrary<DirectoryRecord> = fc
  .record({
    addresses: fc.uniqueArray(anyAddress, { minLength: 1, maxLength: 5 }),
    legacyDns: fc.array(anyDn, { maxLength: 2 }),
    owner: fc.constantFrom<Pick<DirectoryRecord, "kind" | "backend" | "evidence">>(
      { kind: "mailbox", backend: "exchange", evidence: "user mailbox" },
      { kind: "mailbox", backend: "workmail", evidence: "ENABLED, role USER" },
      { kind: "mailbox", backend: "workmail", evidence: "ENABLED, role RESOURCE" },
      { kind: "mailbox", backend: undefined, evidence: "no target" },
      { kind: "group", backend: undefined, evidence: "a group" },
    ),
  })
  .map(({ addresses, legacyDns, owner }) => ({
    ...owner,
    addresses: addresses as [MailboxAddress, ...MailboxAddress[]],
    legacyDns,
  }));

export const anyRecords = fc.array(anyRecord, { maxLength: 20 });

export function fill(table: RecipientTable, records: Iterable<DirectoryRecord>): RecipientTable {
  for (const record of records) table.add(record);
  return table;
}

/** What a table of these records must know, found out the slow way: whose each key is. */
export function owners(records: readonly DirectoryRecord[]): Map<RecipientKey, DirectoryRecord> {
  const map = new Map<RecipientKey, DirectoryRecord>();
  for (const record of records) for (const key of keysOf(record)) if (!map.has(key)) map.set(key, record);
  return map;
}

/** The keys that lead to a record. */
export function ownKeys(map: ReadonlyMap<RecipientKey, DirectoryRecord>, record: DirectoryRecord): RecipientKey[] {
  return [...map].filter(([, owner]) => owner === record).map(([key]) => key);
}
