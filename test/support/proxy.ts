/** The policy as the gateway composes it, over whatever backends, directories and cache a test brings. */

import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { type InstantMs, instant } from "../../src/availability/time-window.js";
import { type PolicyParts as ComposedParts, composePolicy } from "../../src/compose-policy.js";
import type { PinnedMailbox } from "../../src/directories/pinned-index.js";
import { PinnedMailboxes } from "../../src/directories/pinned-mailboxes.js";
import type { MailboxDirectory } from "../../src/proxy/mailbox-directory.js";
import { OwnerResolver } from "../../src/proxy/resolve-owner.js";
import { type AddressSpace, MailboxRouter } from "../../src/proxy/route-mailbox.js";

export const mailbox = (text: string) => parseMailboxAddress(text) as MailboxAddress;

/** Owners by address, the first being the one its backend knows. */
export function pinned(...rows: readonly { addresses: readonly MailboxAddress[]; backend: string }[]): PinnedMailboxes {
  const named = rows.map(({ addresses, backend }): PinnedMailbox => {
    const [first, ...others] = addresses;
    if (first === undefined) throw new Error("a pinned mailbox needs an address");
    return { addresses: [first, ...others], backend, rule: "pinned" };
  });
  return new PinnedMailboxes({ name: "configuration", rows: named });
}

export function routerOf(
  directories: readonly MailboxDirectory[],
  addressSpaces: readonly AddressSpace[],
  now: () => InstantMs = () => instant(Date.now()),
): MailboxRouter {
  return new MailboxRouter(new OwnerResolver(directories, "first", () => {}), addressSpaces, now);
}

type Defaults = "winners" | "whenOnBothSides" | "budgetMs" | "cacheTimes" | "clock";
export type PolicyParts = Omit<ComposedParts, Defaults> & Partial<Pick<ComposedParts, Defaults>>;

export function policyOf(parts: PolicyParts) {
  return composePolicy({
    winners: undefined,
    whenOnBothSides: "first",
    budgetMs: 5000,
    cacheTimes: { viewTtlMs: 60_000, notFoundTtlMs: 10_000 },
    clock: () => instant(parts.now()),
    ...parts,
  });
}
