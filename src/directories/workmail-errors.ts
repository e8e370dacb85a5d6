/**
 * Decides what a failed call of WorkMail's API is called and what people are told to do
 * about it.
 *
 * AWS's own texts are never repeated: the one about a wrong signature quotes the request's
 * headers, a session token among them. Only network errors are kept as a cause.
 */

import { type FailedAwsCall, failedCall, isErrorName } from "../aws/failed-call.js";
import { DirectoryError } from "./directory-source.js";

/** Which call failed, for the message. */
export interface FailedCall {
  /** "ListUsers". */
  readonly operation: string;
  readonly organizationId: string;
  readonly region: string;
  readonly timeoutMs: number;
}

/** A {@link DirectoryError} for whatever the SDK has thrown; one that already is one stays as it is. */
export function workMailError(error: unknown, call: FailedCall, signal: AbortSignal): DirectoryError {
  if (error instanceof DirectoryError) return error;
  if (signal.aborted) return abandoned(call.operation, signal);
  const { name, code } = error as { name?: unknown; code?: unknown };
  // The SDK names broken connections TimeoutError as well; those carry their own code, its timers none or ETIMEDOUT.
  if (name === "TimeoutError" && (code === undefined || code === "ETIMEDOUT")) {
    const message = `WorkMail's API did not answer ${call.operation} within ${call.timeoutMs} ms: check the network to ${call.region}`;
    return new DirectoryError("TimeoutError", message);
  }
  const failed = failedCall(error);
  if (failed.kind === "network") {
    const message = `WorkMail's API in ${call.region} cannot be reached (${failed.code}): check name resolution, proxies, certificates and the firewall`;
    return new DirectoryError(failed.code, message, { cause: error });
  }
  return new DirectoryError(failed.code, whatToDo(failed, call));
}

/** For a caller that no longer wants the answer. `code` is the reason's name: "AbortError", "TimeoutError". */
export function abandoned(operation: string, signal: AbortSignal): DirectoryError {
  const name = (signal.reason as { name?: unknown } | undefined)?.name;
  const code = isErrorName(name) ? name : "AbortError";
  return new DirectoryError(code, `${operation} was abandoned by its caller`, { cause: signal.reason });
}

export function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof DirectoryError && codes.includes(error.code);
}

function whatToDo({ kind, code, status }: FailedAwsCall, call: FailedCall): string {
  const { operation, organizationId, region } = call;
  if (kind === "denied") {
    return `AWS denies ${operation}: allow the IAM action workmail:${operation} on the organization ${organizationId} to the gateway's identity`;
  }
  if (kind === "no-credentials") {
    return "no AWS credentials were found: give the gateway a role, or the variables and files of the standard credential chain";
  }
  if (kind === "credentials-refused") {
    return `AWS refuses the credentials at ${operation}: check that they are valid and not expired, and this machine's clock`;
  }
  switch (code) {
    case "OrganizationNotFoundException":
      return `there is no organization ${organizationId} in ${region}: check the organization's id and its region`;
    case "OrganizationStateException":
      return `the organization ${organizationId} is not in a state that allows ${operation}: look at it in WorkMail's console`;
    case "DirectoryUnavailableException":
    case "DirectoryServiceAuthenticationFailedException":
      return `WorkMail cannot reach its own directory at ${operation}: check the AD Connector and its account`;
    case "InvalidParameterException":
    case "ValidationException":
      return `WorkMail rejects the parameters of ${operation}: check the organization's id`;
    case "RequestThrottled":
    case "Throttling":
    case "ThrottlingException":
    case "TooManyRequestsException":
      return `WorkMail throttles ${operation}, also when asked again: refresh less often, or ask less at once`;
    default:
      return status !== undefined && status >= 500
        ? `WorkMail's API failed at ${operation} with HTTP ${status}, also when asked again`
        : `WorkMail's API refused ${operation}: ${code}`;
  }
}
