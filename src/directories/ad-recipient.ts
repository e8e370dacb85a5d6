/**
 * Decides what an Active Directory entry means: who has the mailbox, under which address, and by
 * which others it is known. Exchange's own type of recipient decides where there is one; else the
 * shape of the entry (a group, a target), and last the domain of its address, which is no more
 * than the address spaces would have said.
 *
 * Pure. Knows attributes as text, not how they were read.
 */

import { domainOf, type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import type { DirectoryRecord } from "./directory-source.js";
import type { EntryAttributes } from "./ldap-entry.js";
import { recipientType, type Whereabouts } from "./recipient-types.js";

/** What an entry is judged by. */
export const RECIPIENT_ATTRIBUTES: readonly string[] = [
  "objectClass",
  "mail",
  "proxyAddresses",
  "targetAddress",
  "msExchRecipientTypeDetails",
  "legacyExchangeDN",
];

export interface Ownership {
  /** The backend that has the mailboxes of this Exchange organization. */
  readonly mailboxBackend: string;
  /** The backend that answers for a domain (ASCII, lower case), if one does. */
  readonly backendOfDomain: (domain: string) => string | undefined;
}

/** The record of an entry; undefined when it has no address that could be asked about. */
export function adRecipient(attributes: EntryAttributes, ownership: Ownership): DirectoryRecord | undefined {
  const own = ownAddresses(attributes);
  const { whereabouts, type } = judge(attributes);
  const target = whereabouts === "elsewhere" ? targetOf(attributes) : undefined;
  const [first, ...others] = distinct(target === undefined ? own : [target, ...own]);
  if (first === undefined) return undefined;
  const { backend, because } = owner(whereabouts, target, first, ownership);
  return {
    kind: whereabouts === "group" || whereabouts === "dynamic group" ? "group" : "mailbox",
    backend,
    addresses: [first, ...others],
    legacyDns: legacyDns(attributes),
    evidence: because === undefined ? type : `${type}, ${because}`,
  };
}

/** The addresses that are the entry's own, the primary one first; where its mail is sent on to is not among them. */
export function ownAddresses(attributes: EntryAttributes): readonly MailboxAddress[] {
  const proxies = valuesOf(attributes, "proxyAddresses").flatMap((value) => {
    const [, prefix, text] = /^(smtp):(.*)$/is.exec(value) ?? [];
    return prefix === undefined || text === undefined ? [] : [{ primary: prefix === "SMTP", text }];
  });
  const written = [
    ...proxies.filter(({ primary }) => primary).map(({ text }) => text),
    ...valuesOf(attributes, "mail"),
    ...proxies.filter(({ primary }) => !primary).map(({ text }) => text),
  ];
  return distinct(written.map(parseMailboxAddress));
}

/** Whether the group's members are a query of Exchange, not a list. */
export function isDynamicGroup(attributes: EntryAttributes): boolean {
  return judge(attributes).whereabouts === "dynamic group";
}

/** Whether it has an address at most, and no calendar anywhere. */
export function livesNowhere(attributes: EntryAttributes): boolean {
  return judge(attributes).whereabouts === "nowhere";
}

function judge(attributes: EntryAttributes): { whereabouts: Whereabouts | "unsaid"; type: string } {
  const value = valuesOf(attributes, "msExchRecipientTypeDetails")[0]?.trim();
  const known = value === undefined ? undefined : recipientType(value);
  if (known !== undefined) {
    return { whereabouts: known.whereabouts, type: `msExchRecipientTypeDetails ${value} (${known.name})` };
  }
  const type = value === undefined ? "no msExchRecipientTypeDetails" : "msExchRecipientTypeDetails of another kind";
  const classes = new Set(valuesOf(attributes, "objectClass").map((name) => name.toLowerCase()));
  if (classes.has("msexchdynamicdistributionlist")) return { whereabouts: "dynamic group", type };
  if (classes.has("group")) return { whereabouts: "group", type: `${type}, objectClass group` };
  return { whereabouts: targetOf(attributes) === undefined ? "unsaid" : "elsewhere", type };
}

function owner(
  whereabouts: Whereabouts | "unsaid",
  target: MailboxAddress | undefined,
  first: MailboxAddress,
  { mailboxBackend, backendOfDomain }: Ownership,
): { backend: string | undefined; because?: string } {
  if (whereabouts === "here") return { backend: mailboxBackend };
  if (whereabouts === "unsaid") return { backend: backendOfDomain(domainOf(first)), because: "owner by domain" };
  if (whereabouts !== "elsewhere") return { backend: undefined };
  if (target === undefined) return { backend: undefined, because: "no target" };
  const backend = backendOfDomain(domainOf(target));
  if (backend === undefined) return { backend, because: "target in no system known here" };
  return { backend, because: backend === mailboxBackend ? "target in this system" : "target in another system" };
}

/** `targetAddress` comes as "SMTP:x@y" and bare; other kinds of address (X400, NOTES) lead nowhere. */
function targetOf(attributes: EntryAttributes): MailboxAddress | undefined {
  const [value] = valuesOf(attributes, "targetAddress");
  return value === undefined ? undefined : parseMailboxAddress(value.replace(/^smtp:/i, ""));
}

function legacyDns(attributes: EntryAttributes): readonly string[] {
  const proxies = valuesOf(attributes, "proxyAddresses").flatMap((value) => /^x500:(.+)$/is.exec(value)?.[1] ?? []);
  const byName = new Map<string, string>();
  for (const name of [...valuesOf(attributes, "legacyExchangeDN"), ...proxies]) {
    const key = name.toLowerCase();
    if (key !== "" && !byName.has(key)) byName.set(key, name);
  }
  return [...byName.values()];
}

function valuesOf(attributes: EntryAttributes, name: string): readonly string[] {
  return attributes.get(name.toLowerCase()) ?? [];
}

function distinct(addresses: readonly (MailboxAddress | undefined)[]): MailboxAddress[] {
  return [...new Set(addresses)].filter((address) => address !== undefined);
}
