/**
 * Decides what an HTTP status, a fault or a broken connection means for the mailboxes
 * that were asked about. Details are for the log: codes and statuses, never bodies.
 */

import type { MailboxFailure } from "../availability/mailbox-answer.js";
import type { SoapFault } from "../ews/soap-fault.js";
import type { HttpAnswer } from "./http-channel.js";

/** What the status alone says, or undefined when the body has to be read. */
export function failureOfStatus(backend: string, answer: HttpAnswer): MailboxFailure | undefined {
  const { status, retryAfter, location } = answer;
  if (status === 401) return { reason: "backend-refused-credentials", backend, detail: "HTTP 401" };
  if (status === 403) return { reason: "backend-denied-access", backend, detail: "HTTP 403" };
  if (status === 429 || status === 503) {
    return { reason: "backend-busy", backend, detail: `HTTP ${status}`, retryAfterMs: retryAfterMs(retryAfter) };
  }
  if (status >= 300 && status < 400) {
    const host = location !== undefined && URL.canParse(location) ? ` to ${new URL(location).host}` : "";
    return { reason: "backend-http-error", backend, detail: `HTTP ${status}, a redirect${host}; it is not followed` };
  }
  // A fault may come with 200, 400 or 500: those bodies are read.
  if (status === 200 || status === 400 || status === 500) return undefined;
  return { reason: "backend-http-error", backend, detail: `HTTP ${status}` };
}

export function failureOfFault(backend: string, fault: SoapFault): MailboxFailure {
  const code = /^[A-Za-z]{1,80}$/.test(fault.code) ? fault.code : "unnamed";
  switch (code) {
    case "ErrorServerBusy":
    case "ErrorExceededConnectionCount":
    case "ErrorInternalServerTransientError":
    case "ErrorADUnavailable":
      return { reason: "backend-busy", backend, code, retryAfterMs: fault.backOffMs };
    case "ErrorAccessDenied":
    case "ErrorImpersonateUserDenied":
    case "ErrorImpersonationDenied":
      return { reason: "backend-denied-access", backend, code };
    case "ErrorTimeoutExpired":
      return { reason: "backend-timeout", backend, code };
    default:
      return { reason: "backend-fault", backend, code };
  }
}

function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = header === undefined ? Number.NaN : Number(header);
  return seconds >= 0 ? seconds * 1000 : undefined;
}
