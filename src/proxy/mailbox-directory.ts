/**
 * Port: something that knows where mailboxes live. Decides what every directory promises:
 * a claim from memory, at once, with its evidence and its age; and, from those that can,
 * a fresh look at the source and the members of a group. Which claim counts when several
 * directories have one is not decided here.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { ownText } from "../availability/own-text.js";
import type { InstantMs } from "../availability/time-window.js";

/** An SMTP address, or `x500:` and a legacyExchangeDN in lower case: see {@link legacyKey}. */
export type RecipientKey = MailboxAddress | LegacyKey;
export type LegacyKey = string & { readonly form: "x500: and a legacyExchangeDN in lower case" };

/** No canonical SMTP address holds a colon, so no DN is ever taken for one. */
export function legacyKey(dn: string): LegacyKey {
  return ownText(`x500:${dn.trim().toLowerCase()}`) as LegacyKey;
}

export interface DirectoryClaim {
  readonly kind: "mailbox" | "group";
  /** The backend that has the mailbox. Undefined: a group, or a mailbox that lives where this gateway may not ask. */
  readonly backend: string | undefined;
  /** The address under which the backend (for a group, the directory) knows it. */
  readonly address: MailboxAddress;
  /** Directory and evidence, for logs and people: "workmail-directory: ENABLED, role USER". Holds no address. */
  readonly rule: string;
  /** When the source said so. */
  readonly learntAt: InstantMs;
}

/** What a directory is worth right now, for readiness, metrics and people. */
export interface DirectoryState {
  /** "live": from its source; "snapshot": from disk, the source not yet reached; "none": nothing to go by. */
  readonly from: "live" | "snapshot" | "none";
  readonly recipients: number;
  /** When the source was read to the end; undefined when it never was. */
  readonly readAt: InstantMs | undefined;
  /** What is wrong and what to do, when something is. */
  readonly problem: string | undefined;
}

export interface MailboxDirectory {
  /** As in the configuration. */
  readonly name: string;
  /** The backend whose own directory this is: it knows best under which address that backend knows a mailbox. */
  readonly home: string | undefined;
  /**
   * Whether its word ends the matter (an administrator's override, something seen with our own eyes), instead of being
   * weighed against what other directories say.
   */
  readonly decides: boolean;
  /** From memory, in constant time. */
  find(key: RecipientKey, now: InstantMs): DirectoryClaim | undefined;
  /** Every address of the recipient with this one, itself included; empty when unknown. */
  addressesOf(key: RecipientKey): readonly MailboxAddress[];
  state(): DirectoryState;
  /** Calls back after claims have changed, with every address that the recipients concerned had or have, or "all". */
  onChange(listener: (changed: readonly MailboxAddress[] | "all") => void): void;
  /**
   * Asks the source about one address, so that `find` answers with what is true now. Several looks within
   * {@link FRESH_LOOK_MS} are one. False when the source could not be asked. Never rejects.
   */
  lookAgain?(address: MailboxAddress, signal: AbortSignal): Promise<boolean>;
  /** Direct members of a group, `undefined` when this directory has no such group. Rejects with a {@link SourceFailure} when its source does not tell. */
  members?(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<DirectoryMembers | undefined>;
}

/** A directory's source cannot be asked, or does not tell. The message is for logs and people. */
export class SourceFailure extends Error {}

export interface DirectoryMembers {
  readonly addresses: readonly MailboxAddress[];
  /** Members that have no address or no calendar, and so no time that could be asked for. */
  readonly without: number;
  /** Members who have a time, but no address by which they could be asked for. Absent: none. */
  readonly unknown?: number;
}

/** How long what a fresh look found is believed without looking again. */
export const FRESH_LOOK_MS = 30_000;

/** A directory was read to its end, or was not: then `problem` says why, and what it held before stays. */
export interface DirectoryReading {
  readonly directory: string;
  readonly recipients: number;
  /** Recipients that are new, moved or gone since the reading before. */
  readonly changed: number;
  readonly durationMs: number;
  readonly problem: string | undefined;
}

/** Whoever wants to know how directories fare. */
export interface DirectoryObserver {
  directoryRead(reading: DirectoryReading): void;
  /** Its file of the last reading could not be used or written; `problem` says which file, why and what to do. Once per problem. */
  snapshotFailed?(directory: string, problem: string): void;
  /** It did not name the members of a group; `problem` says why. */
  membersNotRead?(directory: string, problem: string): void;
}
