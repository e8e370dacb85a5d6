/**
 * Decides whose a connection is, by the certificate its other end has shown in the TLS
 * handshake: one that a configured authority signed for clients, that is valid now, and
 * that a caller is configured for, by its fingerprint or by a name in it.
 *
 * A certificate that somebody else has seen, and writes into a header, is not supported,
 * whoever writes it: the header is not looked at. TLS itself verifies the chain.
 */

import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Caller } from "../proxy/asking.js";
import type { SignInRequest, StandingIdentity } from "./caller-authentication.js";
import { PerConnection } from "./per-connection.js";

/** Exactly one of the three. */
export type CertificateMark =
  /** SHA-256 of the certificate, in hexadecimal, with or without colons. Another certificate is another mark. */
  | { readonly fingerprint: string }
  /** The only CN of its subject. */
  | { readonly commonName: string }
  /** One of its alternative names, as OpenSSL writes it: `DNS:exchange.corp.example`, `email:…`, `URI:…`. */
  | { readonly alternativeName: string };

export interface CertificateIdentity {
  readonly caller: Caller;
  readonly mark: CertificateMark;
}

interface Shown {
  readonly caller: Caller;
  readonly validTo: number;
}

/**
 * What the TLS listener needs, also when its own certificate is renewed: without `ca` there, nobody is known any more.
 * Throws when there is no certificate in it: with an empty list Node believes every public authority.
 */
export function clientCertificateOptions(ca: string) {
  const pems = ca.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (pems.length === 0) throw new Error("there is no certificate of an authority in PEM");
  for (const pem of pems) new X509Certificate(pem);
  // A client without a certificate may still sign in otherwise, so it is not cut off.
  return { ca, requestCert: true, rejectUnauthorized: false } as const;
}

/** Comparable; undefined when the text is no SHA-256 fingerprint. */
export function parseFingerprint(text: string): string | undefined {
  const plain = text.replaceAll(":", "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(plain) ? plain : undefined;
}

export class CertificateAuthentication implements StandingIdentity {
  readonly #callers = new Map<string, Caller>();
  readonly #now: () => number;
  readonly #shown = new PerConnection<Shown | "nobody">();

  /** `now` by the wall clock: certificates say until when they are valid. */
  constructor(identities: readonly CertificateIdentity[], now: () => number) {
    this.#now = now;
    for (const { caller, mark } of identities) this.#callers.set(keyOf(mark), caller);
  }

  callerOf({ socket }: SignInRequest): Caller | undefined {
    let shown = this.#shown.get(socket);
    if (shown === undefined) {
      shown = this.#look(socket);
      this.#shown.set(socket, shown);
    }
    // A connection may outlive its certificate.
    return shown === "nobody" || shown.validTo <= this.#now() ? undefined : shown.caller;
  }

  /** The certificate stays what it is, whatever else is tried on its connection. */
  forget(): void {}

  #look(socket: Socket): Shown | "nobody" {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return "nobody";
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return "nobody";
    const caller = marksOf(certificate)
      .map((mark) => this.#callers.get(keyOf(mark)))
      .find((found) => found !== undefined);
    return caller === undefined ? "nobody" : { caller, validTo: Date.parse(certificate.validTo) };
  }
}

/** The narrowest first. */
function marksOf(certificate: X509Certificate): CertificateMark[] {
  const names = certificate.subject.split("\n").filter((line) => line.startsWith("CN="));
  return [
    { fingerprint: certificate.fingerprint256 },
    ...alternativeNames(certificate.subjectAltName ?? "").map((alternativeName) => ({ alternativeName })),
    // Which of several would be meant nobody knows.
    ...(names.length === 1 ? [{ commonName: (names[0] as string).slice(3) }] : []),
  ];
}

/** Names that would have to be quoted to be told apart could be made to look like two: then none counts. */
function alternativeNames(text: string): string[] {
  return text === "" || text.includes('"') ? [] : text.split(", ");
}

function keyOf(mark: CertificateMark): string {
  if ("fingerprint" in mark) return `fingerprint ${parseFingerprint(mark.fingerprint) ?? "none"}`;
  if ("commonName" in mark) return `CN ${mark.commonName}`;
  return `SAN ${mark.alternativeName}`;
}
