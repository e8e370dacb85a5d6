/**
 * Decides what a value of msExchRecipientTypeDetails says about where a recipient's calendar is.
 * Exchange writes one bit of a 64-bit number; it is compared as the text that arrives, because a
 * double has no room for all of them.
 *
 * Source: the enumeration RecipientTypeDetails of Exchange. Values that are not listed (system
 * mailboxes, users and groups without mail) say nothing here.
 */

export type Whereabouts =
  /** A mailbox of this Exchange organization. */
  | "here"
  /** A recipient that this organization only forwards to: `targetAddress` says where. */
  | "elsewhere"
  | "group"
  /** A group whose members are a query that Exchange alone can run. */
  | "dynamic group"
  /** Has an address and no calendar. */
  | "nowhere";

export interface RecipientType {
  readonly whereabouts: Whereabouts;
  /** For people, in evidence. */
  readonly name: string;
}

const TYPES: ReadonlyMap<string, RecipientType> = new Map(
  (
    [
      ["1", "here", "user mailbox"],
      ["2", "here", "linked mailbox"],
      ["4", "here", "shared mailbox"],
      ["8", "here", "legacy mailbox"],
      ["16", "here", "room mailbox"],
      ["32", "here", "equipment mailbox"],
      ["64", "elsewhere", "mail contact"],
      ["128", "elsewhere", "mail user"],
      ["256", "group", "distribution group"],
      ["512", "group", "non-universal group"],
      ["1024", "group", "security group"],
      ["2048", "dynamic group", "dynamic distribution group"],
      ["4096", "nowhere", "public folder"],
      ["32768", "elsewhere", "contact of another forest"],
      ["268435456", "group", "room list"],
      ["2147483648", "elsewhere", "remote user mailbox"],
      ["8589934592", "elsewhere", "remote room mailbox"],
      ["17179869184", "elsewhere", "remote equipment mailbox"],
      ["34359738368", "elsewhere", "remote shared mailbox"],
      ["137438953472", "here", "team mailbox"],
      ["274877906944", "elsewhere", "remote team mailbox"],
      ["2199023255552", "here", "linked room mailbox"],
      ["8796093022208", "elsewhere", "remote group mailbox"],
      ["35184372088832", "elsewhere", "guest mail user"],
    ] as const
  ).map(([value, whereabouts, name]) => [value, { whereabouts, name }]),
);

export function recipientType(value: string): RecipientType | undefined {
  return TYPES.get(value);
}
