/**
 * Port: a remote system that can be asked about mailboxes. Decides what every adapter
 * promises; knows no protocol.
 */

import type { ViewDetail } from "../availability/free-busy-view.js";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import type { TimeWindow } from "../availability/time-window.js";
import type { AccountStanding } from "./account-observer.js";
import type { EndpointStanding } from "./endpoint-observer.js";

export interface BackendQuestion {
  /** Distinct, at least one, as many as the asker likes: splitting to the backend's limits is the adapter's work. */
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: TimeWindow;
  /** The most that is wanted. Adapters may answer less (rights), never more. */
  readonly detail: Exclude<ViewDetail, "merged">;
  /** The caller whose share of the backend this counts against, where questions have to wait; undefined: nobody's in particular. */
  readonly askedBy?: string | undefined;
}

export interface AvailabilityBackend {
  /** As in the configuration; also what an origin names. */
  readonly name: string;
  /** Whose eyes the answers are seen with: part of every cache key. */
  readonly serviceAccount: string;
  /** How long one `ask` may take before its signal is aborted, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * One answer per mailbox, in the order asked. Never rejects for what the network or the remote system did:
   * that is a failure per mailbox. After an abort it settles promptly, with what is known by then.
   */
  ask(question: BackendQuestion, signal: AbortSignal): Promise<readonly MailboxAnswer[]>;
  /** Whether the backend could answer now, without asking about anybody. */
  health(): Promise<BackendHealth>;
}

export interface BackendHealth {
  readonly usable: boolean;
  /** For people: why, and what to do when it is not usable. */
  readonly reason: string;
  readonly accounts?: readonly AccountStanding[];
  readonly endpoints?: readonly EndpointStanding[];
  /** Mailboxes that wait to be asked about. */
  readonly waiting?: number;
}
