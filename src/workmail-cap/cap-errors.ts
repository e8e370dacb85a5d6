/**
 * Decides how a mailbox's failure is worded for WorkMail: the one, exhaustive table from
 * reason to one of the words that WorkMail knows and turns into EWS response codes. Any other
 * word would become "free/busy generation failed", so that is what the rest is called.
 *
 * `MailboxNotFound` is spelt so: Exchange's ErrorMailRecipientNotFound is no word WorkMail
 * knows. The gateway's own reason is in its log, where an administrator finds it.
 */

import type { FailureReason } from "../availability/mailbox-answer.js";

export type CapError =
  | "MailboxNotFound"
  | "ErrorAvailabilityConfigNotFound"
  | "ErrorServerBusy"
  | "ErrorTimeoutExpired"
  | "ErrorFreeBusyGenerationFailed"
  | "ErrorResponseSchemaValidation";

const ERRORS: Readonly<Record<FailureReason, CapError>> = {
  "invalid-address": "MailboxNotFound",
  "unresolved-legacy-dn": "MailboxNotFound",
  "mailbox-not-found": "MailboxNotFound",
  "no-address-space": "ErrorAvailabilityConfigNotFound",
  // Not "not found": the mailbox is believed to exist, in the system that asks.
  "belongs-to-origin": "ErrorFreeBusyGenerationFailed",
  "loop-detected": "ErrorFreeBusyGenerationFailed",
  "group-unresolved": "ErrorFreeBusyGenerationFailed",
  "no-access": "ErrorFreeBusyGenerationFailed",
  "not-disclosed": "ErrorFreeBusyGenerationFailed",
  "backend-timeout": "ErrorTimeoutExpired",
  "queue-timeout": "ErrorTimeoutExpired",
  "budget-spent": "ErrorTimeoutExpired",
  "backend-unreachable": "ErrorFreeBusyGenerationFailed",
  "backend-circuit-open": "ErrorFreeBusyGenerationFailed",
  "backend-refused-credentials": "ErrorFreeBusyGenerationFailed",
  "backend-denied-access": "ErrorFreeBusyGenerationFailed",
  "backend-busy": "ErrorServerBusy",
  "queue-full": "ErrorServerBusy",
  "backend-http-error": "ErrorFreeBusyGenerationFailed",
  "backend-fault": "ErrorFreeBusyGenerationFailed",
  "backend-unreadable": "ErrorResponseSchemaValidation",
  "backend-wrong-count": "ErrorResponseSchemaValidation",
  "backend-error": "ErrorFreeBusyGenerationFailed",
  "too-many-events": "ErrorFreeBusyGenerationFailed",
  "group-too-large": "ErrorFreeBusyGenerationFailed",
};

export function capError(reason: FailureReason): CapError {
  return ERRORS[reason];
}
