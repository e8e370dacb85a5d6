/**
 * Decides which of WorkMail's users and groups are recipients of this gateway, who has
 * their mailbox, and under which addresses.
 *
 * DISABLED is the normal state of somebody who still lives in Exchange: no record, so the
 * other directory or the rules decide. Resources are imported as users while
 * interoperability is on, and stay in Exchange even when enabled.
 *
 * Pure; knows neither the SDK nor any call.
 */

import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import type { DirectoryRecord } from "./directory-source.js";

/** A user or a group as the API describes it. */
export interface WorkMailEntity {
  readonly kind: "user" | "group";
  readonly id: string;
  readonly email: string | undefined;
  /** ENABLED, DISABLED or DELETED. */
  readonly state: string | undefined;
  /** Of users: USER, RESOURCE, SYSTEM_USER or REMOTE_USER. */
  readonly role: string | undefined;
  /** Milliseconds since 1970. */
  readonly enabledAt: number | undefined;
  /** The mailbox has been removed. A list does not say; only a description does. */
  readonly deprovisioned: boolean;
}

/** Names of backends. */
export interface WorkMailOwners {
  readonly workmailBackend: string;
  readonly resourceBackend: string;
}

/** What is known of a recipient without its aliases. */
export interface Recipient extends Omit<DirectoryRecord, "addresses" | "legacyDns"> {
  readonly primary: MailboxAddress;
}

/** Undefined for whom there is no record. Interoperability matters for resources only. */
export function recipientOf(
  entity: WorkMailEntity,
  interoperability: boolean,
  owners: WorkMailOwners,
): Recipient | undefined {
  if (entity.state !== "ENABLED" || entity.deprovisioned || entity.email === undefined) return undefined;
  const primary = parseMailboxAddress(entity.email);
  if (primary === undefined) return undefined;
  if (entity.kind === "group") return { kind: "group", backend: undefined, primary, evidence: "ENABLED, a group" };
  switch (entity.role) {
    case "USER":
      return { kind: "mailbox", backend: owners.workmailBackend, primary, evidence: "ENABLED, role USER" };
    case "RESOURCE":
      return {
        kind: "mailbox",
        backend: interoperability ? owners.resourceBackend : owners.workmailBackend,
        primary,
        evidence: `ENABLED, role RESOURCE, interoperability ${interoperability ? "on" : "off"}`,
      };
    default:
      return undefined;
  }
}

export function recordOf({ primary, ...recipient }: Recipient, aliases: readonly string[]): DirectoryRecord {
  const others = aliases.map(parseMailboxAddress).filter((address) => address !== undefined);
  const [first = primary, ...rest] = new Set([primary, ...others]);
  return { ...recipient, addresses: [first, ...rest], legacyDns: [] };
}

const EMAIL_ADDRESS = /^[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9.-]+\.[a-zA-Z-]{2,}$/;

/**
 * False for addresses that WorkMail cannot have by its own patterns (EmailAddress in the API's model, which is narrower
 * than EntityIdentifier): o'brien@, and top-level domains in punycode.
 */
export function canBeInWorkMail(address: MailboxAddress): boolean {
  return address.length <= 254 && EMAIL_ADDRESS.test(address);
}
