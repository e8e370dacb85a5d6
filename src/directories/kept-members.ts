/**
 * Decides how long a group's members are believed: five minutes, as long as the memory for them
 * lasts. That there is no such group is believed as well; a failure never is.
 *
 * Must not know what members are wanted for.
 */

import { LRUCache } from "lru-cache";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { DirectorySource, GroupMembers } from "./directory-source.js";
import { SharedCalls } from "./shared-calls.js";

const BELIEVED_MS = 5 * 60_000;
const MOST_ADDRESSES = 100_000;
const AT_ONCE = 20;
const LONGEST_MS = 30_000;

interface Kept {
  readonly members: GroupMembers | undefined;
  readonly at: InstantMs;
}

export class KeptMembers {
  readonly #source: DirectorySource;
  readonly #now: () => InstantMs;
  readonly #calls = new SharedCalls<GroupMembers | undefined>(AT_ONCE, LONGEST_MS);
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: MOST_ADDRESSES,
    sizeCalculation: ({ members }) => 1 + (members?.addresses.length ?? 0),
  });

  constructor(source: DirectorySource, now: () => InstantMs) {
    this.#source = source;
    this.#now = now;
  }

  /** As the source's `readMembers`; rejects also when too many other groups wait to be read ("Busy"). */
  async members(group: MailboxAddress, limit: number, signal: AbortSignal): Promise<GroupMembers | undefined> {
    // What is read ends at the limit, so another limit is another question.
    const key = `${limit} ${group}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() - kept.at < BELIEVED_MS) return kept.members;
    return this.#calls.ask(key, signal, async (shared) => {
      const at = this.#now();
      const members = await this.#source.readMembers(group, limit, shared);
      if (!shared.aborted) this.#kept.set(key, { members, at });
      return members;
    });
  }

  abortAll(): void {
    this.#calls.abortAll();
  }
}
