/**
 * Reads of an Active Directory what a check of its people needs and routing does not: principal
 * names, and when somebody was changed. Reads a few thousand and no more.
 */

import { PresenceFilter } from "ldapts";
import { parseMailboxAddress } from "../availability/mailbox-address.js";
import { ownAddresses } from "./ad-recipient.js";
import { LdapConnection, type LdapServer } from "./ldap-connection.js";
import type { EntryAttributes, LdapEntry } from "./ldap-entry.js";
import { recipientType } from "./recipient-types.js";

export interface InspectedPerson {
  readonly primary: string;
  readonly addresses: readonly string[];
  readonly principal: string | undefined;
  readonly target: string | undefined;
  readonly lives: "here" | "elsewhere" | "unknown";
  readonly changedAt: number | undefined;
}

const ATTRIBUTES = [
  "mail",
  "proxyAddresses",
  "targetAddress",
  "userPrincipalName",
  "msExchRecipientTypeDetails",
  "whenChanged",
];
const MOST = 5_000;

export class LdapInspection {
  readonly #server: LdapServer & { readonly baseDn: string; readonly pageSize: number };

  constructor(server: LdapServer & { readonly baseDn: string; readonly pageSize: number }) {
    this.#server = server;
  }

  /** Throws a DirectoryError. */
  async all(signal: AbortSignal): Promise<InspectedPerson[]> {
    const { baseDn, pageSize } = this.#server;
    const filter = new PresenceFilter({ attribute: "mail" });
    const connection = await LdapConnection.open(this.#server, signal);
    try {
      const people: InspectedPerson[] = [];
      const question = { baseDn, scope: "sub" as const, filter, attributes: ATTRIBUTES };
      for await (const page of connection.pages(question, pageSize, signal)) {
        people.push(...page.flatMap(personOf));
        if (people.length >= MOST) break;
      }
      return people;
    } finally {
      connection.close();
    }
  }
}

/** None for groups, and for whoever has no address. */
function personOf({ attributes }: LdapEntry): InspectedPerson[] {
  const [primary, ...others] = ownAddresses(attributes);
  const type = first(attributes, "msexchrecipienttypedetails");
  const whereabouts = type === undefined ? undefined : recipientType(type)?.whereabouts;
  if (primary === undefined || whereabouts === "group" || whereabouts === "dynamic group") return [];
  const target = first(attributes, "targetaddress")?.replace(/^smtp:/i, "");
  return [
    {
      primary,
      addresses: [primary, ...others],
      principal: first(attributes, "userprincipalname"),
      target: target === undefined ? undefined : parseMailboxAddress(target),
      lives: whereabouts === "here" || whereabouts === "elsewhere" ? whereabouts : "unknown",
      changedAt: instantOf(first(attributes, "whenchanged")),
    },
  ];
}

const first = (attributes: EntryAttributes, name: string): string | undefined => attributes.get(name)?.[0];

/** GeneralizedTime: 20261124161230.0Z */
function instantOf(text: string | undefined): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text ?? "");
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
