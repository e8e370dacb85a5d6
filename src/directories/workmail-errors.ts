/**
 * Decides what a failed call of WorkMail's API is called and what people are told to do
 * about it.
 *
 * AWS's own texts are never repeated: the one about a wrong signature quotes the request's
 * headers, a session token among them. Only network errors are kept as a cause.
 */

import { DirectoryError } from "./directory-source.js";

/** Which call failed, for the message. */
export interface FailedCall {
  /** "ListUsers". */
  readonly operation: string;
  readonly organizationId: string;
  readonly region: string;
  readonly timeoutMs: number;
}

const NAME = /^[A-Za-z][A-Za-z0-9_.]{0,79}$/;
const NETWORK_CODE = /^E[A-Z0-9_]+$|^(CERT|DEPTH|HOSTNAME|SELF_SIGNED|UNABLE|ERR_TLS|ERR_SSL)_[A-Z0-9_]+$/;

/** A {@link DirectoryError} for whatever the SDK has thrown; one that already is one stays as it is. */
export function workMailError(error: unknown, call: FailedCall, signal: AbortSignal): DirectoryError {
  if (error instanceof DirectoryError) return error;
  if (signal.aborted) return abandoned(call.operation, signal);
  const { name, code, $metadata } = error as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  // The SDK names broken connections TimeoutError as well; those carry their own code, its timers none or ETIMEDOUT.
  if (name === "TimeoutError" && (code === undefined || code === "ETIMEDOUT")) {
    const message = `WorkMail's API did not answer ${call.operation} within ${call.timeoutMs} ms: check the network to ${call.region}`;
    return new DirectoryError("TimeoutError", message);
  }
  if (typeof code === "string" && NETWORK_CODE.test(code)) {
    const message = `WorkMail's API in ${call.region} cannot be reached (${code}): check name resolution, proxies, certificates and the firewall`;
    return new DirectoryError(code, message, { cause: error });
  }
  const status = $metadata?.httpStatusCode;
  const named = typeof name === "string" && NAME.test(name) && name !== "Error" && name !== "UnknownError";
  const found = named ? name : status === undefined ? "UNKNOWN" : `HTTP ${status}`;
  return new DirectoryError(found, whatToDo(found, status, call));
}

/** For a caller that no longer wants the answer. `code` is the reason's name: "AbortError", "TimeoutError". */
export function abandoned(operation: string, signal: AbortSignal): DirectoryError {
  const name = (signal.reason as { name?: unknown } | undefined)?.name;
  const code = typeof name === "string" && NAME.test(name) ? name : "AbortError";
  return new DirectoryError(code, `${operation} was abandoned by its caller`, { cause: signal.reason });
}

export function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof DirectoryError && codes.includes(error.code);
}

function whatToDo(name: string, status: number | undefined, call: FailedCall): string {
  const { operation, organizationId, region } = call;
  switch (name) {
    case "AccessDenied":
    case "AccessDeniedException":
    case "NotAuthorized":
    case "UnauthorizedOperation":
      return `AWS denies ${operation}: allow the IAM action workmail:${operation} on the organization ${organizationId} to the gateway's identity`;
    case "CredentialsProviderError":
    case "MissingAuthenticationToken":
    case "MissingAuthenticationTokenException":
      return "no AWS credentials were found: give the gateway a role, or the variables and files of the standard credential chain";
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "IncompleteSignature":
    case "IncompleteSignatureException":
    case "InvalidClientTokenId":
    case "InvalidSignatureException":
    case "RequestExpired":
    case "SignatureDoesNotMatch":
    case "UnrecognizedClientException":
      return `AWS refuses the credentials at ${operation}: check that they are valid and not expired, and this machine's clock`;
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
        : `WorkMail's API refused ${operation}: ${name}`;
  }
}
