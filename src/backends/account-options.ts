/**
 * What a service account is made of, and what is told of it. Nothing here holds a secret:
 * it is asked for when it is needed.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { HttpChannel } from "./http-channel.js";

/** A secret's value as it is now. May throw when it cannot be read. */
export type SecretProvider = () => string;

export interface AccountChannel extends HttpChannel {
  /** When what it proves itself with ends, where that ends by itself. */
  readonly expiresAt?: InstantMs | undefined;
}

export interface AccountOptions {
  /** For people and logs: the user name. */
  readonly name: string;
  /** For people: "basic", "ntlm", "oauth", "impersonation". */
  readonly scheme: string;
  /** In whose name it asks, where that has to be said in the question. */
  readonly actsAs?: MailboxAddress | undefined;
  /** Requests at once, fewer than the backend allows; no limit when undefined. */
  readonly maximumAtOnce?: number | undefined;
  readonly current: SecretProvider;
  /** The other one, while one replaces the other. An empty value is none. */
  readonly next?: SecretProvider | undefined;
  /** A new one for each secret; it must not be shared. */
  readonly channel: (secret: string) => AccountChannel;
}
