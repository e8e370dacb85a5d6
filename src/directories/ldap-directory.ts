/**
 * An Active Directory, read over LDAP. Decides which entries are recipients, how one is found by an
 * address, and which of several is meant; what an entry says is decided in ad-recipient.ts.
 *
 * Look-ups share a kept connection. Reading everything has one of its own: a paged search lives and
 * dies with its connection, and whoever leaves it half way has only to close it.
 *
 * Must not know the configuration, nor who keeps a copy of what is read.
 */

import { domainToUnicode } from "node:url";
import { EqualityFilter, OrFilter, PresenceFilter } from "ldapts";
import { domainOf, type MailboxAddress } from "../availability/mailbox-address.js";
import { readGroupMembers } from "./ad-group-members.js";
import { adRecipient, isDynamicGroup, type Ownership, ownAddresses, RECIPIENT_ATTRIBUTES } from "./ad-recipient.js";
import { DirectoryError, type DirectoryRecord, type DirectorySource, type GroupMembers } from "./directory-source.js";
import { KeptConnection } from "./kept-connection.js";
import { LdapBinds } from "./ldap-binds.js";
import type { LdapConnection, LdapServer } from "./ldap-connection.js";
import type { LdapEntry } from "./ldap-entry.js";

export interface LdapDirectoryOptions extends LdapServer, Ownership {
  /** Everything beneath is read: "DC=corp,DC=example". */
  readonly baseDn: string;
  /** Entries per page; Active Directory allows at most 1000. */
  readonly pageSize?: number;
  /** How long the connection of the look-ups stays open without questions, in milliseconds. */
  readonly idleMs?: number;
  /** Milliseconds since whenever. */
  readonly now?: () => number;
}

interface Found {
  readonly entry: LdapEntry;
  readonly record: DirectoryRecord;
}

/** More entries with one address than this are a directory out of order. */
const ENTRIES_PER_ADDRESS = 20;

export class LdapDirectory implements DirectorySource {
  readonly #options: LdapDirectoryOptions;
  readonly #pageSize: number;
  readonly #binds: LdapBinds;
  readonly #lookUps: KeptConnection;
  readonly #readings = new Set<LdapConnection>();
  #closed = false;

  constructor(options: LdapDirectoryOptions) {
    this.#options = options;
    this.#pageSize = options.pageSize ?? 500;
    this.#binds = new LdapBinds(options, options.now ?? (() => performance.now()));
    this.#lookUps = new KeptConnection(this.#binds, options.timeoutMs, options.idleMs ?? 60_000);
  }

  async *readAll(signal: AbortSignal): AsyncGenerator<readonly DirectoryRecord[]> {
    const filters = ["mail", "proxyAddresses"].map((attribute) => new PresenceFilter({ attribute }));
    const question = {
      baseDn: this.#options.baseDn,
      scope: "sub" as const,
      filter: new OrFilter({ filters }),
      attributes: RECIPIENT_ATTRIBUTES,
    };
    const connection = await this.#binds.open(signal);
    this.#readings.add(connection);
    try {
      if (this.#closed) throw new DirectoryError("Closed", "the directory source was closed");
      for await (const page of connection.pages(question, this.#pageSize, signal)) {
        yield page.flatMap((entry) => adRecipient(entry.attributes, this.#options) ?? []);
      }
    } finally {
      this.#readings.delete(connection);
      connection.close();
    }
  }

  async readOne(address: MailboxAddress, signal: AbortSignal): Promise<DirectoryRecord | undefined> {
    const found = await this.#lookUps.use((connection) => this.#find(connection, address, signal), signal);
    return found?.record;
  }

  /** Throws a {@link DirectoryError} "DynamicGroup" for a group whose members only Exchange can find. */
  readMembers(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<GroupMembers | undefined> {
    return this.#lookUps.use(async (connection) => {
      const found = await this.#find(connection, group, signal);
      if (found?.record.kind !== "group") return undefined;
      if (isDynamicGroup(found.entry.attributes)) {
        throw new DirectoryError("DynamicGroup", "the members of a dynamic group are known to Exchange only");
      }
      return readGroupMembers(connection, { group: found.entry.dn, limit, rangeSize: this.#pageSize, signal });
    }, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#lookUps.close();
    for (const connection of this.#readings) connection.close();
  }

  /** An entry that has the address itself comes before one that only leads there, as a contact does. */
  async #find(connection: LdapConnection, address: MailboxAddress, signal: AbortSignal): Promise<Found | undefined> {
    const entries = await connection.search(
      {
        baseDn: this.#options.baseDn,
        scope: "sub",
        filter: new OrFilter({ filters: spellings(address).flatMap(filtersFor) }),
        attributes: RECIPIENT_ATTRIBUTES,
        sizeLimit: ENTRIES_PER_ADDRESS,
      },
      signal,
    );
    // Directories compare more loosely than we do (accents): what was found must have the address by our rules too.
    const found = entries.flatMap((entry): Found[] => {
      const record = adRecipient(entry.attributes, this.#options);
      return record?.addresses.includes(address) ? [{ entry, record }] : [];
    });
    return found.find(({ entry }) => ownAddresses(entry.attributes).includes(address)) ?? found[0];
  }
}

/** The values are put into the question as they are, not into a filter's text: there is nothing to escape. */
function filtersFor(address: string): EqualityFilter[] {
  return [
    new EqualityFilter({ attribute: "mail", value: address }),
    new EqualityFilter({ attribute: "proxyAddresses", value: `smtp:${address}` }),
    new EqualityFilter({ attribute: "targetAddress", value: `smtp:${address}` }),
    new EqualityFilter({ attribute: "targetAddress", value: address }),
  ];
}

/** Our form of an international domain is ASCII; a directory may have it in letters. */
function spellings(address: MailboxAddress): string[] {
  const domain = domainOf(address);
  const inLetters = domainToUnicode(domain);
  return inLetters === domain ? [address] : [address, `${address.slice(0, -domain.length)}${inLetters}`];
}
