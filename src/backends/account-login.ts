/**
 * Decides how long the channel of one secret lives: made when it is first needed, used by
 * this one secret of this one account, and closed when its last request has ended after
 * the secret was taken away.
 *
 * The secret cannot be read back, only compared; from afar by a mark, which whoever sees it
 * could try guesses against, so it is only ever sent encrypted.
 */

import { createHmac } from "node:crypto";
import type { InstantMs } from "../availability/time-window.js";
import type { AccountChannel } from "./account-options.js";
import type { HttpAnswer } from "./http-channel.js";

/** What the backend thinks of a secret: not asked yet, good when last used, or refused. */
export type Standing = "untried" | "accepted" | "refused";

const MARK_LENGTH = 11;

export class AccountLogin {
  readonly #secret: string;
  readonly #make: (secret: string) => AccountChannel;
  #channel: AccountChannel | undefined;
  #inFlight = 0;
  #retired = false;
  #standing: Standing = "untried";
  #judgements = 0;

  constructor(secret: string, make: (secret: string) => AccountChannel) {
    this.#secret = secret;
    this.#make = make;
  }

  has(secret: string): boolean {
    return this.#secret === secret;
  }

  /** The same for the same secret and salt. */
  mark(salt: string): string {
    return createHmac("sha256", salt).update(this.#secret).digest("base64url").slice(0, MARK_LENGTH);
  }

  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    this.#standing = standing;
    this.#judgements++;
  }

  /** Changes with every judgement: a 401 to what was sent before the last one says nothing new. */
  get judgements(): number {
    return this.#judgements;
  }

  get expiresAt(): InstantMs | undefined {
    return this.#channel?.expiresAt;
  }

  /** As the channel has it. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#using((channel) => channel.post(body, signal));
  }

  async reach(signal: AbortSignal): Promise<number> {
    return this.#using((channel) => channel.reach(signal));
  }

  /** No request comes any more; those under way may end. */
  retire(): void {
    this.#retired = true;
    if (this.#inFlight === 0) void this.close().catch(() => undefined);
  }

  /** At once. */
  async close(): Promise<void> {
    this.#retired = true;
    const channel = this.#channel;
    this.#channel = undefined;
    await channel?.close();
  }

  async #using<T>(use: (channel: AccountChannel) => Promise<T>): Promise<T> {
    this.#channel ??= this.#make(this.#secret);
    this.#inFlight++;
    try {
      return await use(this.#channel);
    } finally {
      this.#inFlight--;
      if (this.#retired && this.#inFlight === 0) void this.close().catch(() => undefined);
    }
  }
}
