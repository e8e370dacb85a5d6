/**
 * Decides what a failed call of AWS is called, and whose fault it is as far as every one of
 * its APIs says it alike.
 *
 * AWS's own texts are never read: the one about a wrong signature quotes the request's
 * headers, a session token among them.
 */

/** network: no answer came; the others are what AWS says of whoever asked, or "other". */
export type FailedCallKind = "network" | "denied" | "no-credentials" | "credentials-refused" | "other";

export interface FailedAwsCall {
  readonly kind: FailedCallKind;
  /** The network's code, AWS's name for the error, "HTTP 502", or "UNKNOWN". Safe to log. */
  readonly code: string;
  readonly status: number | undefined;
}

const NAME = /^[A-Za-z][A-Za-z0-9_.]{0,79}$/;
const NETWORK_CODE = /^E[A-Z0-9_]+$|^(CERT|DEPTH|HOSTNAME|SELF_SIGNED|UNABLE|ERR_TLS|ERR_SSL)_[A-Z0-9_]+$/;

/** For whatever the SDK has thrown. */
export function failedCall(error: unknown): FailedAwsCall {
  const { name, code, $metadata } = error as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  if (typeof code === "string" && NETWORK_CODE.test(code)) return { kind: "network", code, status };
  const named = isErrorName(name) && name !== "Error" && name !== "UnknownError";
  const found = named ? name : status === undefined ? "UNKNOWN" : `HTTP ${status}`;
  return { kind: kindOf(found), code: found, status };
}

export function isErrorName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

function kindOf(name: string): FailedCallKind {
  switch (name) {
    case "AccessDenied":
    case "AccessDeniedException":
    case "NotAuthorized":
    case "UnauthorizedOperation":
      return "denied";
    case "CredentialsProviderError":
    case "MissingAuthenticationToken":
    case "MissingAuthenticationTokenException":
      return "no-credentials";
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "IncompleteSignature":
    case "IncompleteSignatureException":
    case "InvalidClientTokenId":
    case "InvalidSignatureException":
    case "RequestExpired":
    case "SignatureDoesNotMatch":
    case "UnrecognizedClientException":
      return "credentials-refused";
    default:
      return "other";
  }
}
