/**
 * Decides how the members of a group are found out: the list that the group itself keeps, then each
 * member by its name.
 *
 * Not by a search for (memberOf=<group>): that is one question instead of many, but Active Directory
 * then leaves members of other domains out without a word, and other servers have no memberOf unless
 * someone has set it up. The list is read in ranges, because Active Directory gives no more than
 * 1500 values at once; a server that knows no ranges gives it whole.
 *
 * Knows no connection's making and no owners.
 */

import { PresenceFilter } from "ldapts";
import { livesNowhere, ownAddresses } from "./ad-recipient.js";
import type { DirectoryError, GroupMembers } from "./directory-source.js";
import type { LdapConnection, LdapQuestion } from "./ldap-connection.js";
import type { LdapEntry } from "./ldap-entry.js";

/** So many members are asked about at a time: enough to hide the way there and back, few enough for everybody else. */
const AT_A_TIME = 16;
const MEMBER_ATTRIBUTES = ["mail", "proxyAddresses", "msExchRecipientTypeDetails"];
const ANYTHING = new PresenceFilter({ attribute: "objectClass" });

export interface MemberReading {
  /** The group's distinguished name. */
  readonly group: string;
  /** More members than this are not read: one more, to show it. */
  readonly limit: number;
  /** Members named at a time. */
  readonly rangeSize: number;
  readonly signal: AbortSignal;
}

/** Throws a DirectoryError; "Referral" when a member is on a server that was not asked. */
export async function readGroupMembers(connection: LdapConnection, reading: MemberReading): Promise<GroupMembers> {
  const names = await memberNames(connection, reading);
  const members: (LdapEntry | undefined)[] = [];
  for (let from = 0; from < names.length; from += AT_A_TIME) {
    const some = names.slice(from, from + AT_A_TIME);
    const asked = some.map((name) => readEntry(connection, name, MEMBER_ATTRIBUTES, reading.signal));
    members.push(...(await Promise.all(asked)));
  }
  const addresses = members.flatMap((member) => {
    if (member === undefined || livesNowhere(member.attributes)) return [];
    return ownAddresses(member.attributes)[0] ?? [];
  });
  return { addresses, without: members.length - addresses.length };
}

async function memberNames(connection: LdapConnection, reading: MemberReading): Promise<readonly string[]> {
  const { group, limit, rangeSize, signal } = reading;
  const names: string[] = [];
  while (names.length <= limit) {
    const last = Math.min(names.length + rangeSize - 1, limit);
    const entry = await readEntry(connection, group, [`member;range=${names.length}-${last}`], signal);
    const range = rangeOf(entry);
    if (range === undefined) {
      const whole = await readEntry(connection, group, ["member"], signal);
      return whole?.attributes.get("member")?.slice(0, limit + 1) ?? [];
    }
    names.push(...range.values);
    if (range.isLast || range.values.length === 0) break;
  }
  return names.slice(0, limit + 1);
}

/** "member;range=0-1499" has more after it, "member;range=1500-*" has not. */
function rangeOf(entry: LdapEntry | undefined): { values: readonly string[]; isLast: boolean } | undefined {
  for (const [name, values] of entry?.attributes ?? []) {
    const end = /^member;range=\d+-(\d+|\*)$/.exec(name)?.[1];
    if (end !== undefined && values.length > 0) return { values, isLast: end === "*" };
  }
  return undefined;
}

/** Undefined for an entry that is not there, or not to be seen: lists outlive what they name. */
async function readEntry(
  connection: LdapConnection,
  baseDn: string,
  attributes: readonly string[],
  signal: AbortSignal,
): Promise<LdapEntry | undefined> {
  const question: LdapQuestion = { baseDn, scope: "base", filter: ANYTHING, attributes };
  try {
    return (await connection.search(question, signal))[0];
  } catch (error) {
    if ((error as DirectoryError).code === "NoSuchObject") return undefined;
    throw error;
  }
}
