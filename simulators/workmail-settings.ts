/**
 * Decides what a simulated WorkMail organization answers about how it is set up: domains,
 * availability configurations, access rules, sign-in. Its test of a configuration really calls
 * the provider, as AWS does, whatever certificate that shows. Knows nothing of the product.
 */

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { ApiError, type Input, page, text } from "./workmail-input.js";

export interface SimulatedSettings {
  /** Ownership by domain: VERIFIED, PENDING, FAILED. */
  domains: Record<string, string>;
  configurations: { domain: string; endpoint?: string; username?: string; password?: string; lambda?: string }[];
  /** Rooms of WorkMail's own; undefined: a read-only directory, which refuses the question. */
  resources?: string[];
  /** By IPv4: the rule that denies EWS. */
  denied: Record<string, string>;
  /** Absent: there is no identity provider. */
  signInMode?: string;
  /** Seconds since 1970, by user id. */
  tokenEnds: Record<string, number[]>;
}

interface WithSettings {
  readonly settings?: SimulatedSettings;
  readonly impersonationRoles?: { id: string; type?: string; targets?: string[] }[];
}

type Operation = (organization: WithSettings, input: Input) => object | Promise<object>;

export const SETTING_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetMailDomain: ({ settings }, input) => {
    const status = settings?.domains[text(input, "DomainName", /^[a-zA-Z0-9.-]{3,209}$/)];
    if (status === undefined) throw new ApiError("MailDomainNotFoundException", "The domain is not registered.");
    return { OwnershipVerificationStatus: status, DkimVerificationStatus: "PENDING", IsDefault: false };
  },
  ListResources: ({ settings }, input) => {
    if (settings?.resources === undefined) {
      throw new ApiError(
        "UnsupportedOperationException",
        "You can't perform a write operation against a read-only directory.",
      );
    }
    return page(
      "Resources",
      settings.resources.map((email, i) => ({
        Id: `r-${i}`,
        Email: email,
        Name: email,
        Type: "ROOM",
        State: "ENABLED",
      })),
      input,
    );
  },
  ListAvailabilityConfigurations: ({ settings }, input) =>
    page(
      "AvailabilityConfigurations",
      (settings?.configurations ?? []).map(({ domain, endpoint, username, lambda }) => ({
        DomainName: domain,
        ProviderType: lambda === undefined ? "EWS" : "LAMBDA",
        ...(lambda === undefined
          ? { EwsProvider: { EwsEndpoint: endpoint, EwsUsername: username } }
          : { LambdaProvider: { LambdaArn: lambda } }),
      })),
      input,
    ),
  TestAvailabilityConfiguration: async ({ settings }, input) => {
    const domain = text(input, "DomainName", /^[a-zA-Z0-9.-]{3,255}$/);
    const found = settings?.configurations.find((one) => one.domain === domain);
    if (found === undefined) throw new ApiError("ResourceNotFoundException", "The resource cannot be found.");
    if (found.endpoint === undefined) return { TestPassed: true };
    const status = await called(found.endpoint, `${found.username}:${found.password}`);
    if (status === 200) return { TestPassed: true };
    return {
      TestPassed: false,
      FailureReason: status === 401 ? "Invalid username or password" : "EWS URL unreachable",
    };
  },
  GetAccessControlEffect: ({ settings }, input) => {
    const rule = settings?.denied[text(input, "IpAddress", /^\d+\.\d+\.\d+\.\d+$/)];
    return { Effect: rule === undefined ? "ALLOW" : "DENY", MatchedRules: [rule ?? "Default"] };
  },
  GetImpersonationRoleEffect: ({ impersonationRoles = [] }, input) => {
    const id = text(input, "ImpersonationRoleId", /^[a-zA-Z0-9_-]{1,64}$/);
    const role = impersonationRoles.find((one) => one.id === id);
    if (role === undefined) throw new ApiError("ResourceNotFoundException", "The resource cannot be found.");
    const allowed = role.targets?.includes(String(input.TargetUser)) ?? true;
    return { Type: role.type ?? "FULL_ACCESS", Effect: allowed ? "ALLOW" : "DENY", MatchedRules: [] };
  },
  DescribeIdentityProviderConfiguration: ({ settings }) => {
    if (settings?.signInMode === undefined) throw new ApiError("ResourceNotFoundException", "Nothing is configured.");
    return { AuthenticationMode: settings.signInMode };
  },
  ListPersonalAccessTokens: ({ settings }, input) => {
    const ends = settings?.tokenEnds[text(input, "UserId", /^.{1,256}$/)] ?? [];
    return page(
      "PersonalAccessTokenSummaries",
      ends.map((ExpiresTime, i) => ({ PersonalAccessTokenId: `t-${i}`, ExpiresTime })),
      input,
    );
  },
};

/** The status; 0: nobody is there. */
function called(endpoint: string, login: string): Promise<number> {
  return new Promise((resolve) => {
    const request = endpoint.startsWith("https:") ? httpsRequest : httpRequest;
    const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
    const outgoing = request(endpoint, { rejectUnauthorized: false, headers: { authorization } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    outgoing.once("error", () => resolve(0));
    outgoing.end();
  });
}
