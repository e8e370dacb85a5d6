/**
 * Decides what makes a whole request unanswerable, as opposed to one mailbox in it.
 * Thrown by codecs and by {@link availabilityQuery}, caught once, by the inbound adapter.
 *
 * The messages are the ones Exchange uses where it is known to have one: clients show them.
 *
 * Pure. Which code and status a reason has on a wire is that wire's business.
 */

export type RequestFaultReason =
  | "malformed"
  | "unknown-operation"
  | "must-understand"
  | "no-mailboxes"
  | "too-many-mailboxes"
  | "invalid-window"
  | "window-too-long"
  | "invalid-interval"
  | "invalid-view"
  | "invalid-zone";

export class RequestFault extends Error {
  readonly reason: RequestFaultReason;
  /** Where in the text, 1-based, when the fault is one of form. */
  readonly position: { readonly line: number; readonly column: number } | undefined;

  constructor(reason: RequestFaultReason, message: string, position?: { line: number; column: number }) {
    super(message);
    this.name = "RequestFault";
    this.reason = reason;
    this.position = position;
  }
}
