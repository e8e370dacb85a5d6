/**
 * The part of the composition root that connects who may ask: callers, the ways they sign
 * in, and what they may see.
 */

import { readFileSync } from "node:fs";
import { callerOf } from "./compose-rights.js";
import type { Configuration } from "./config/configuration.js";
import { BearerAuthentication } from "./inbound/bearer-authentication.js";
import { CallerAuthenticator, type SignInScheme, type StandingIdentity } from "./inbound/caller-authentication.js";
import { CertificateAuthentication } from "./inbound/certificate-authentication.js";
import { openKerberos } from "./inbound/kerberos-acceptor.js";
import { NtlmAuthentication } from "./inbound/ntlm-authentication.js";
import { PasswordAuthentication } from "./inbound/password-authentication.js";
import { BACKOFF, SignInBackoff } from "./inbound/sign-in-backoff.js";
import { SigningKeys } from "./inbound/signing-keys.js";
import { TrustedProxies } from "./inbound/trusted-proxies.js";
import { type NtHash, ntHash, ntHashFromHex } from "./ntlm/ntlmv2.js";

type Secrets = { get(path: string): string | undefined };

export interface ComposedCallers {
  readonly authenticator: CallerAuthenticator;
  readonly proxies: TrustedProxies;
  close(): Promise<void>;
}

/** Rejects with a sentence when Kerberos is wanted and cannot be had. */
export async function composeCallers(
  configuration: Configuration,
  secrets: Secrets,
  onProblem: (what: string) => void,
): Promise<ComposedCallers> {
  const { callers, signIn, listen } = configuration;
  const known = callers.map((settings, i) => ({ settings, caller: callerOf(settings), path: `callers.${i}` }));
  // One memory for all ways: whoever is told to wait with one is not helped by another.
  const backoff = new SignInBackoff(BACKOFF, () => performance.now());
  const now = Date.now;
  const proxies = new TrustedProxies(listen.trustedProxies);

  const passwords = known.flatMap(({ settings, caller, path }) => {
    const { usernames, passwordHash } = settings;
    if (passwordHash === undefined) return [];
    return [{ caller, usernames, passwordHash: secrets.get(`${path}.passwordHash`) ?? passwordHash }];
  });
  const hashes = known.flatMap(({ settings, caller, path }) => {
    const hash = ntHashOf(path, secrets);
    return hash === undefined ? [] : [{ caller, usernames: settings.usernames, hash }];
  });
  const principals = known.flatMap(({ settings, caller }) =>
    settings.principals.map((principal) => ({ principal, caller })),
  );
  const kerberos = signIn.kerberos && (await openKerberos({ ...signIn.kerberos, identities: principals }));
  const { dnsName, ...names } = signIn.ntlm;
  const handshakes = new NtlmAuthentication({
    ...names,
    dnsComputer: dnsName,
    accounts: hashes,
    backoff,
    kerberos,
    now,
  });
  const issuers = signIn.tokens.map((issuer) => ({
    ...issuer,
    keys: new SigningKeys({
      source:
        issuer.keysUrl === undefined
          ? { file: issuer.keysFile as string }
          : { url: new URL(issuer.keysUrl), ca: issuer.caFile && readFileSync(issuer.caFile, "utf8") },
      now: () => performance.now(),
      onProblem: (problem) => onProblem(`the keys of token issuer ${issuer.name} cannot be had: ${problem}`),
    }),
  }));
  const issuerNamed = new Map(issuers.map(({ name, issuer }) => [name, issuer]));
  const tokens = known.flatMap(({ settings, caller }) =>
    settings.tokens.map(({ issuer, claim, value }) => ({
      caller,
      issuer: issuerNamed.get(issuer) ?? "",
      claim,
      value,
    })),
  );
  const certificates = known.flatMap(({ settings, caller }) => settings.certificates.map((mark) => ({ caller, mark })));

  const schemes: Record<(typeof signIn.schemes)[number], SignInScheme | undefined> = {
    negotiate: hashes.length > 0 || kerberos !== undefined ? handshakes.scheme("Negotiate") : undefined,
    ntlm: hashes.length > 0 ? handshakes.scheme("NTLM") : undefined,
    basic: passwords.length > 0 ? new PasswordAuthentication({ accounts: passwords, backoff }) : undefined,
    bearer: tokens.length > 0 ? new BearerAuthentication({ issuers, identities: tokens, now }) : undefined,
  };
  const standing: StandingIdentity[] = [];
  if (hashes.length > 0 || kerberos !== undefined) standing.push(handshakes);
  if (certificates.length > 0) standing.push(new CertificateAuthentication(certificates, now));
  const authenticator = new CallerAuthenticator({
    schemes: signIn.schemes.flatMap((name) => schemes[name] ?? []),
    standing,
    sharesConnection: (request) => proxies.sharesConnection(request),
  });
  const close = async () => {
    await Promise.all(issuers.map(({ keys }) => keys.close()));
  };
  return { authenticator, proxies, close };
}

function ntHashOf(path: string, secrets: Secrets): NtHash | undefined {
  const hex = secrets.get(`${path}.ntHash`);
  if (hex !== undefined) {
    const hash = ntHashFromHex(hex);
    if (hash === undefined) throw new Error(`${path}.ntHash does not refer to 32 hexadecimal digits`);
    return hash;
  }
  const password = secrets.get(`${path}.password`);
  return password === undefined ? undefined : ntHash(password);
}
