/**
 * Decides how a token is obtained from WorkMail: by assuming an impersonation role with
 * AWS's standard credentials, believed for 15 minutes at most. The SDK is loaded on first
 * use.
 *
 * AWS's own texts are never repeated: the one about a wrong signature quotes the request's
 * headers, a session token among them.
 */

import type { WorkMail } from "@aws-sdk/client-workmail";
import { type FailedAwsCall, failedCall } from "../aws/failed-call.js";
import { type GrantedToken, TokenError, type TokenGrant } from "./token-source.js";

export interface ImpersonationRoleOptions {
  /** "m-" and 32 hexadecimal digits. */
  readonly organizationId: string;
  readonly roleId: string;
  readonly region: string;
  /** Instead of the region's own, for a private endpoint. */
  readonly endpoint?: string | undefined;
  /** How long one attempt may be silent. */
  readonly timeoutMs: number;
}

const LONGEST_MS = 900_000;

export class ImpersonationRole implements TokenGrant {
  readonly #options: ImpersonationRoleOptions;
  #loading: Promise<WorkMail> | undefined;

  constructor(options: ImpersonationRoleOptions) {
    this.#options = options;
  }

  async obtain(signal: AbortSignal): Promise<GrantedToken> {
    const { organizationId, roleId } = this.#options;
    try {
      this.#loading ??= load(this.#options);
      const api = await this.#loading;
      const input = { OrganizationId: organizationId, ImpersonationRoleId: roleId };
      const { Token, ExpiresIn } = await api.assumeImpersonationRole(input, { abortSignal: signal });
      if (!Token) throw new TokenError("TOKEN_UNUSABLE", { detail: "WorkMail answered without a token" });
      const lifetimeMs = ExpiresIn === undefined ? LONGEST_MS : ExpiresIn * 1000;
      return { token: Token, lifetimeMs: Math.min(lifetimeMs, LONGEST_MS) };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof TokenError ? error : this.#refusal(error);
    }
  }

  async close(): Promise<void> {
    const client = await this.#loading?.catch(() => undefined);
    client?.destroy();
  }

  #refusal(error: unknown): TokenError {
    const failed = failedCall(error);
    if (failed.kind === "network") {
      const detail = `WorkMail's API in ${this.#options.region} cannot be reached: check the network and its proxies`;
      return new TokenError(failed.code, { detail });
    }
    const todo = this.#whatToDo(failed);
    return new TokenError(failed.code, { refused: todo !== undefined, detail: todo ?? "WorkMail's API gave no token" });
  }

  /** For refusals that last until somebody does something. */
  #whatToDo({ kind, code }: FailedAwsCall): string | undefined {
    const { organizationId, roleId, region } = this.#options;
    if (kind === "denied") {
      return `allow the IAM action workmail:AssumeImpersonationRole on ${organizationId} to the gateway's identity`;
    }
    if (kind === "no-credentials") {
      return "no AWS credentials were found: give the gateway a role, or those of the standard credential chain";
    }
    if (kind === "credentials-refused") {
      return "AWS refuses the credentials: check that they are valid and not expired, and this machine's clock";
    }
    if (code === "OrganizationNotFoundException") return `there is no organization ${organizationId} in ${region}`;
    if (code === "ResourceNotFoundException") return `the organization has no impersonation role ${roleId}`;
    return undefined;
  }
}

async function load({ region, endpoint, timeoutMs }: ImpersonationRoleOptions): Promise<WorkMail> {
  const { WorkMail } = await import("@aws-sdk/client-workmail");
  return new WorkMail({
    region,
    ...(endpoint !== undefined && { endpoint }),
    retryMode: "standard",
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      // Without this the SDK only writes a warning.
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    },
  });
}
