/**
 * Decides how a mailbox's failure is worded in EWS: the one, exhaustive table from reason
 * to ResponseCodeType (messages.xsd; §4.2). Exchange's texts where it has one. Every text
 * ends with the reason in brackets, which is what an administrator looks up.
 *
 * Nothing of a backend's own message is passed on: it may name servers and people.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import type { FailureReason, MailboxFailure } from "../availability/mailbox-answer.js";

interface Wording {
  readonly code: string;
  /** Exchange's number for it, where one has been seen. */
  readonly exceptionCode?: number;
  readonly text: (asked: AskedMailbox, failure: MailboxFailure) => string;
}

const at = (failure: MailboxFailure): string =>
  failure.backend === undefined ? "The other system" : `Backend '${failure.backend}'`;
const named = (asked: AskedMailbox): string => `<>${asked.routingType}:${asked.text}`;
const unresolved = (asked: AskedMailbox): string =>
  `Unable to resolve e-mail address ${named(asked)} to an Active Directory object.`;

const WORDING: Readonly<Record<FailureReason, Wording>> = {
  "invalid-address": {
    code: "ErrorInvalidSmtpAddress",
    exceptionCode: 5035,
    text: (asked) => `E-mail address ${named(asked)} is not a valid SMTP address.`,
  },
  "unresolved-legacy-dn": { code: "ErrorMailRecipientNotFound", exceptionCode: 5009, text: unresolved },
  "mailbox-not-found": { code: "ErrorMailRecipientNotFound", exceptionCode: 5009, text: unresolved },
  "no-address-space": {
    code: "ErrorAddressSpaceNotFound",
    text: (asked) =>
      `Configuration information for the domain of ${named(asked)} could not be found: no address space of this gateway names it.`,
  },
  "belongs-to-origin": {
    code: "ErrorProxyRequestNotAllowed",
    text: (asked) => `${named(asked)} belongs to the system that asks; it is not asked back.`,
  },
  "loop-detected": {
    code: "ErrorProxyRequestNotAllowed",
    text: (asked) =>
      `The question about ${named(asked)} is this gateway's own, sent back to it; it is not asked again.`,
  },
  "group-unresolved": {
    code: "ErrorFreeBusyGenerationFailed",
    text: (asked) => `The members of the group ${named(asked)} could not be read from its directory.`,
  },
  "no-access": {
    code: "ErrorNoFreeBusyAccess",
    exceptionCode: 5037,
    text: () => "The caller does not have access to free/busy data.",
  },
  "not-disclosed": {
    code: "ErrorNoFreeBusyAccess",
    exceptionCode: 5037,
    text: () => "The caller does not have access to free/busy data.",
  },
  "backend-timeout": {
    code: "ErrorTimeoutExpired",
    text: (_, failure) => `Request could not be processed in time. ${at(failure)} did not answer.`,
  },
  "budget-spent": {
    code: "ErrorTimeoutExpired",
    text: () => "Request could not be processed in time. The gateway's time budget ended first.",
  },
  "queue-full": {
    code: "ErrorServerBusy",
    text: (_, failure) =>
      `${at(failure)} was not asked: too many questions wait for it in the gateway. Try again later.`,
  },
  "queue-timeout": {
    code: "ErrorTimeoutExpired",
    text: (_, failure) => `Request could not be processed in time. Too many questions wait for ${at(failure)}.`,
  },
  "backend-unreachable": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. ${at(failure)} cannot be reached.`,
  },
  "backend-circuit-open": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. ${at(failure)} failed repeatedly and is not asked for a while.`,
  },
  "backend-refused-credentials": {
    code: "ErrorInvalidCrossForestCredentials",
    text: (_, failure) => `${at(failure)} refused the gateway's service account.`,
  },
  "backend-denied-access": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. ${at(failure)} does not allow the service account to use EWS.`,
  },
  "backend-busy": {
    code: "ErrorServerBusy",
    text: (_, failure) => `${at(failure)} cannot service this request right now. Try again later.`,
  },
  "backend-http-error": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. ${at(failure)} answered with an HTTP error.`,
  },
  "backend-fault": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. ${at(failure)} answered with a fault.`,
  },
  "backend-unreadable": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) => `Proxy web request failed. The answer of ${at(failure)} could not be read.`,
  },
  "backend-wrong-count": {
    code: "ErrorProxyRequestProcessingFailed",
    text: (_, failure) =>
      `Proxy web request failed. ${at(failure)} answered for another number of mailboxes than asked.`,
  },
  "backend-error": {
    code: "ErrorFreeBusyGenerationFailed",
    text: (_, failure) => `${at(failure)} could not generate free/busy data.`,
  },
  "too-many-events": {
    code: "ErrorResultSetTooBig",
    text: () => "The result set contains too many calendar entries. Ask for a shorter time window.",
  },
  "group-too-large": {
    code: "ErrorFreeBusyDLLimitReached",
    text: () => "The distribution list has more members than free/busy data is given for.",
  },
};

export interface FailureMessage {
  readonly code: string;
  readonly exceptionCode: number | undefined;
  readonly text: string;
}

export function failureMessage(asked: AskedMailbox, failure: MailboxFailure): FailureMessage {
  const { code, exceptionCode, text } = WORDING[failure.reason];
  return { code, exceptionCode, text: `${text(asked, failure)} [${failure.reason}]` };
}

/** A backend's code for one mailbox, as a reason here. Other servers have their own words for "no such mailbox" (§10). */
export function reasonOfCode(code: string): FailureReason {
  switch (code) {
    case "ErrorMailRecipientNotFound":
    case "ErrorNonExistentMailbox":
    case "ErrorItemNotFound":
    case "ErrorNameResolutionNoResults":
    case "ErrorNameResolutionNoMailbox":
    case "ErrorInvalidSmtpAddress":
    case "ErrorMissingEmailAddress":
    case "MailboxNotFound":
      return "mailbox-not-found";
    case "ErrorNoFreeBusyAccess":
    case "ErrorAccessDenied":
      return "no-access";
    case "ErrorServerBusy":
    case "ErrorExceededConnectionCount":
    case "ErrorInternalServerTransientError":
    case "ErrorADUnavailable":
      return "backend-busy";
    case "ErrorTimeoutExpired":
      return "backend-timeout";
    case "ErrorResultSetTooBig":
      return "too-many-events";
    case "ErrorFreeBusyDLLimitReached":
    case "ErrorIndividualMailboxLimitReached":
      return "group-too-large";
    default:
      return "backend-error";
  }
}
