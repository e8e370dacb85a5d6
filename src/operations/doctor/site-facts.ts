/**
 * What the doctor knows of a site before it looks: the configuration, without its secrets but
 * those it signs in with, in the words of the checks.
 */

export interface BackendFacts {
  readonly name: string;
  readonly type: "ews" | "workmail";
  readonly urls: readonly URL[];
  /** PEM of the authority the gateway trusts for it, instead of the public ones. */
  readonly ca: string | undefined;
  readonly caFile: string | undefined;
  readonly accounts: readonly AccountFacts[];
}

export interface AccountFacts {
  readonly name: string;
  readonly scheme: "basic" | "ntlm" | "negotiate" | "oauth" | "impersonation";
  /** Of basic. */
  readonly password: string | undefined;
  /** Of impersonation: in whose name is asked. */
  readonly actsAs: string | undefined;
}

export interface CallerFacts {
  readonly name: string;
  readonly usernames: readonly string[];
  /** The backend it speaks for. */
  readonly origin: string | undefined;
  /** Whether one of its names may sign in with HTTP Basic, which is all that WorkMail speaks. */
  readonly basic: boolean;
}

/** How the doctor signs in to the gateway as one of the systems. */
export interface SignIn {
  readonly username: string;
  /** Undefined: the reference leads nowhere today. */
  readonly password: string | undefined;
}

export interface SiteFacts {
  /** Mail domains that people have addresses in; not those of WorkMail's own. */
  readonly domains: readonly string[];
  /** Domains such as corp.awsapps.com. */
  readonly forestDomains: readonly string[];
  /** The EWS address callers of each origin are given; undefined: all others. */
  readonly published: readonly { readonly origin: string | undefined; readonly url: URL }[];
  readonly backends: readonly BackendFacts[];
  readonly callers: readonly CallerFacts[];
  /** By backend. */
  readonly canaries: ReadonlyMap<string, string>;
  /** By origin. */
  readonly signIns: ReadonlyMap<string, SignIn>;
  readonly organization: { readonly id: string; readonly region: string } | undefined;
  readonly lambda: boolean;
  /** IPv4 that WorkMail sees the gateway come from. */
  readonly egressAddress: string | undefined;
  /** What Get-AvailabilityAddressSpace | Format-List printed. */
  readonly addressSpacesText: string | undefined;
  /** PEM. Undefined: the public ones. */
  readonly authorities: string | undefined;
  /** The file they are in. */
  readonly authoritiesFile: string | undefined;
  readonly certificateDays: number;
  /** Milliseconds since 1970. */
  readonly workmailEndsAt: number;
  readonly budgetMs: number;
}

export const urlFor = (site: SiteFacts, origin: string): URL | undefined =>
  (site.published.find((one) => one.origin === origin) ?? site.published.find((one) => one.origin === undefined))?.url;

export const exchangeOf = (site: SiteFacts): BackendFacts | undefined =>
  site.backends.find(({ type }) => type === "ews");
export const workMailOf = (site: SiteFacts): BackendFacts | undefined =>
  site.backends.find(({ type }) => type === "workmail");
