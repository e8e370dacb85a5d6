/**
 * Decides what is left of an LDAP entry once it has been read: its name, and its attributes as
 * text, found by their names whatever their case. Knows no attribute by name.
 */

import type { Entry } from "ldapts";

/** Values by the attribute's name in lower case; an attribute without values may be missing or empty. */
export type EntryAttributes = ReadonlyMap<string, readonly string[]>;

export interface LdapEntry {
  /** The distinguished name, as the server wrote it. */
  readonly dn: string;
  readonly attributes: EntryAttributes;
}

/** Values that are no text (not UTF-8) are dropped: no address and no name is among them. */
export function ldapEntry({ dn, ...attributes }: Entry): LdapEntry {
  const values = Object.entries(attributes).map(([name, value]): [string, string[]] => [
    name.toLowerCase(),
    [value].flat().filter((one) => typeof one === "string"),
  ]);
  return { dn, attributes: new Map(values) };
}
