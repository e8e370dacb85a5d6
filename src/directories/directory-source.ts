/**
 * Port: a directory as it is kept elsewhere (WorkMail's API, Active Directory). Decides
 * what an adapter promises to whoever keeps a copy of it: pages of records, one record
 * fresh, the members of one group. Copies, refreshing and snapshots are not its business.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { SourceFailure } from "../proxy/mailbox-directory.js";

/** One recipient, as a directory describes it. */
export interface DirectoryRecord {
  readonly kind: "mailbox" | "group";
  /**
   * The backend that has the mailbox. Undefined for a group, and for a recipient the directory knows to live somewhere
   * this gateway may not ask.
   */
  readonly backend: string | undefined;
  /** The first is the address under which the backend knows the mailbox; all others lead to it. Canonical, distinct. */
  readonly addresses: readonly [MailboxAddress, ...MailboxAddress[]];
  /** Exchange's X.500 names of the recipient (legacyExchangeDN and X500 proxies), as written; case does not matter. */
  readonly legacyDns: readonly string[];
  /**
   * Why the owner is who it is, for people: "msExchRecipientTypeDetails 1 (user mailbox)", "ENABLED, role USER". No
   * address and no name in it: a directory of a million has a few dozen distinct ones, and they are stored once.
   */
  readonly evidence: string;
}

/** Members of a group, one level deep. */
export interface GroupMembers {
  /** Members that have an SMTP address, mailboxes and groups alike, in the directory's order. */
  readonly addresses: readonly MailboxAddress[];
  /** Members without one, or without a calendar (a device, a public folder): they have no free/busy time that could be asked for. */
  readonly without: number;
  /** Members who have a time, but no address here by which they could be asked for: they live in another system. Absent: none. */
  readonly unknown?: number;
}

/** Thrown when a directory cannot be asked. `code` is for logs and people: "ECONNREFUSED", "ThrottlingException"; never a secret. */
export class DirectoryError extends SourceFailure {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "DirectoryError";
    this.code = code;
  }
}

export interface DirectorySource {
  /** Every record, page by page, from the source itself. Throws a {@link DirectoryError} when the end was not reached. */
  readAll(signal: AbortSignal): AsyncIterable<readonly DirectoryRecord[]>;
  /**
   * The record that has this address, fresh. Undefined when there is none, also when the source's own rules reject the
   * address. Throws a {@link DirectoryError}.
   */
  readOne(address: MailboxAddress, signal: AbortSignal): Promise<DirectoryRecord | undefined>;
  /**
   * The direct members of the group with this address; stops reading when more than `limit` members are known, those
   * without an address included: a group is too large when all of them together are more.
   * Undefined when there is no such group. Throws a {@link DirectoryError}.
   */
  readMembers(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<GroupMembers | undefined>;
  close(): Promise<void>;
}
