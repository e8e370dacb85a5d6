/**
 * Ports: how the doctor looks at the world. Every look is a reading, ends with its signal, and
 * rejects with an error whose message may be shown when it could not be taken.
 */

export interface Names {
  /** Lower priority first. Empty when there are none. */
  mx(domain: string, signal: AbortSignal): Promise<readonly { readonly exchange: string; readonly priority: number }[]>;
  /** The chain of aliases from the name, without the name itself. */
  aliases(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Targets of service records. */
  services(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

export interface Certificate {
  readonly trusted: boolean;
  /** OpenSSL's code when it is not: DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_CERT_ALTNAME_INVALID … */
  readonly problem: string | undefined;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  readonly issuer: string;
  /** "TLSv1.3". */
  readonly protocol: string;
}

export interface Knock {
  readonly status: number;
  /** Offered schemes, in lower case: basic, ntlm, negotiate, bearer. */
  readonly schemes: readonly string[];
  /** How far the server's clock is ahead of ours, in milliseconds; undefined without a Date header. */
  readonly aheadMs: number | undefined;
  readonly location: string | undefined;
  readonly body: string;
  readonly ms: number;
}

export interface Web {
  /** Trusting `authorities` only (PEM), or the public ones only. Rejects when there is no handshake at all. */
  certificate(url: URL, authorities: string | undefined, signal: AbortSignal): Promise<Certificate>;
  /** Whatever certificate is shown: only what needs no secret is sent. */
  knock(url: URL, signal: AbortSignal, request?: { method: "GET" | "POST"; body?: string }): Promise<Knock>;
  /** Signs in with HTTP Basic, to a server whose certificate is trusted. */
  signedIn(
    url: URL,
    as: { username: string; password: string; ca: string | undefined },
    body: string,
    signal: AbortSignal,
  ): Promise<Knock>;
}

export interface WorkMailUser {
  readonly id: string;
  readonly email: string | undefined;
  readonly state: string | undefined;
  /** USER, RESOURCE, SYSTEM_USER, REMOTE_USER. */
  readonly role: string | undefined;
  readonly provisioned: boolean;
  readonly deprovisioned: boolean;
}

export interface AvailabilityConfiguration {
  readonly domain: string;
  readonly type: string;
  readonly endpoint: string | undefined;
  readonly username: string | undefined;
  readonly lambda: string | undefined;
}

export interface WorkMail {
  organization(signal: AbortSignal): Promise<{
    readonly alias: string | undefined;
    readonly state: string | undefined;
    readonly directoryId: string | undefined;
    readonly interoperabilityEnabled: boolean;
  }>;
  /** The first thousand. */
  enabledUsers(signal: AbortSignal): Promise<readonly WorkMailUser[]>;
  user(nameOrAddress: string, signal: AbortSignal): Promise<WorkMailUser | undefined>;
  aliases(userId: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Undefined: the organization does not have the domain. */
  ownership(domain: string, signal: AbortSignal): Promise<string | undefined>;
  /** Rooms and equipment of WorkMail's own. */
  ownResources(signal: AbortSignal): Promise<readonly string[]>;
  configurations(signal: AbortSignal): Promise<readonly AvailabilityConfiguration[]>;
  /** From AWS, with the password stored there. */
  test(domain: string, signal: AbortSignal): Promise<{ readonly passed: boolean; readonly reason: string | undefined }>;
  /** IDENTITY_PROVIDER_ONLY, IDENTITY_PROVIDER_AND_DIRECTORY; undefined: no identity provider. */
  signInMode(signal: AbortSignal): Promise<string | undefined>;
  /** Milliseconds since 1970. */
  tokenEnds(userId: string, signal: AbortSignal): Promise<readonly number[]>;
  accessEffect(
    ip: string,
    who: { readonly userId: string } | { readonly roleId: string },
    signal: AbortSignal,
  ): Promise<{ readonly effect: string; readonly rules: readonly string[] }>;
  roleEffect(
    roleId: string,
    user: string,
    signal: AbortSignal,
  ): Promise<{ readonly type: string; readonly effect: string }>;
}

/** Somebody in Active Directory. */
export interface Person {
  /** Canonical. */
  readonly primary: string;
  readonly addresses: readonly string[];
  readonly principal: string | undefined;
  /** Where mail for somebody who lives elsewhere goes. */
  readonly target: string | undefined;
  readonly lives: "here" | "elsewhere" | "unknown";
  /** Milliseconds since 1970. */
  readonly changedAt: number | undefined;
}

export interface People {
  /** Those with mail, the first five thousand. */
  all(signal: AbortSignal): Promise<readonly Person[]>;
}

export interface RunningGateway {
  /** Seconds since 1970 at which each caller was last seen. */
  lastSeen(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  readiness(signal: AbortSignal): Promise<{
    readonly status: string;
    readonly backends: ReadonlyMap<string, { readonly usable: boolean; readonly detail: string }>;
    readonly directories: ReadonlyMap<string, { readonly from: string; readonly problem: string | undefined }>;
  }>;
}

/** Who is asked about whom, by a client that is none of the gateway's. */
export interface ClientQuestion {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly caFile: string | undefined;
  /** "Exchange2010_SP2". */
  readonly version: string;
  readonly mailbox: string;
  /** UTC dates: 2026-07-01, the second not included. */
  readonly from: string;
  readonly to: string;
}

export type ClientAnswer =
  | { readonly kind: "view"; readonly events: readonly string[]; readonly ms: number }
  /** A response code of EWS, for the mailbox alone. */
  | { readonly kind: "refused"; readonly code: string; readonly ms: number }
  | { readonly kind: "failed"; readonly problem: string; readonly ms: number };

export interface EwsClient {
  /** Rejects when the client is not installed. */
  ask(question: ClientQuestion, signal: AbortSignal): Promise<ClientAnswer>;
}

/** A backend asked as the gateway asks it, for accounts that the independent client cannot use. */
export type OwnClient = (
  backend: string,
  mailbox: string,
  from: string,
  to: string,
  signal: AbortSignal,
) => Promise<ClientAnswer>;

export interface Probes {
  /** Milliseconds since 1970. */
  now(): number;
  readonly names: Names;
  readonly web: Web;
  readonly workmail: WorkMail | undefined;
  readonly people: People | undefined;
  readonly gateway: RunningGateway;
  readonly client: EwsClient;
  readonly ownClient: OwnClient;
}
