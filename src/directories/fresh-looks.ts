/**
 * What single looks at a directory have found since it was last read whole. Decides how long a
 * look is believed without another, and that looks are forgotten whole, the oldest first, so
 * that the keys of one recipient never tell different stories.
 *
 * Must not know the table beneath, nor how one looks.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import { type DirectoryClaim, FRESH_LOOK_MS, type RecipientKey } from "../proxy/mailbox-directory.js";

export interface Look {
  /** Undefined: nobody is there. */
  readonly claim: DirectoryClaim | undefined;
  /** All keys it speaks for: the recipient's, or those of the one that is gone. */
  readonly keys: readonly RecipientKey[];
  /** The address that was asked about; undefined when this is only a conclusion from another look. */
  readonly asked: MailboxAddress | undefined;
  /** When the source was asked. */
  readonly at: InstantMs;
}

export class FreshLooks {
  readonly #mostKeys: number;
  readonly #byKey = new Map<RecipientKey, Look>();
  /** The oldest first, with how many keys still lead there. */
  readonly #inOrder = new Map<Look, number>();

  /** Keeps no more keys than this, and always the last look. */
  constructor(mostKeys: number) {
    this.#mostKeys = mostKeys;
  }

  /** How many looks are remembered. */
  get count(): number {
    return this.#inOrder.size;
  }

  find(key: RecipientKey): Look | undefined {
    return this.#byKey.size === 0 ? undefined : this.#byKey.get(key);
  }

  /** The keys that lead to a look; others of it have been seen elsewhere since. */
  keysOf(look: Look): readonly RecipientKey[] {
    return look.keys.filter((key) => this.#byKey.get(key) === look);
  }

  /** Whether there is no need to look again. "Nobody there" counts for the address that was asked about only. */
  isFresh(address: MailboxAddress, now: InstantMs): boolean {
    const look = this.find(address);
    if (look === undefined || (look.claim === undefined && look.asked !== address)) return false;
    const age = now - look.at;
    // What seems to come was found before the clock was set back.
    return age >= 0 && age < FRESH_LOOK_MS;
  }

  /** Does not count for keys that were looked at later. */
  keep(look: Look): void {
    let keys = 0;
    for (const key of new Set(look.keys)) {
      const other = this.#byKey.get(key);
      if (other !== undefined && other.at > look.at) continue;
      if (other !== undefined) this.#release(other);
      this.#byKey.set(key, look);
      keys++;
    }
    if (keys > 0) this.#inOrder.set(look, keys);
    for (const oldest of this.#inOrder.keys()) {
      if (this.#byKey.size <= this.#mostKeys || oldest === look) break;
      this.#forget(oldest);
    }
  }

  /** The keys of looks from before an instant. */
  keysBefore(instant: InstantMs): readonly RecipientKey[] {
    return [...this.#inOrder.keys()].filter(({ at }) => at < instant).flatMap((look) => this.keysOf(look));
  }

  forgetBefore(instant: InstantMs): void {
    for (const look of this.#inOrder.keys()) if (look.at < instant) this.#forget(look);
  }

  #release(look: Look): void {
    const keys = (this.#inOrder.get(look) ?? 0) - 1;
    if (keys > 0) this.#inOrder.set(look, keys);
    else this.#inOrder.delete(look);
  }

  #forget(look: Look): void {
    for (const key of this.keysOf(look)) this.#byKey.delete(key);
    this.#inOrder.delete(look);
  }
}
