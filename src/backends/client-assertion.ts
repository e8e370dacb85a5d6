/**
 * Decides how a client proves with its certificate's key who it is to a token endpoint:
 * a JWT of five minutes, signed with RSA (RFC 7523 §2.2), that names the certificate by
 * its thumbprints. Pure but for the randomness of its id. Knows no HTTP.
 */

import {
  constants,
  createHash,
  createPrivateKey,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from "node:crypto";
import { TokenError } from "./token-source.js";

export interface CertificateCredential {
  /** Microsoft's identity platform takes both, AD FS only RS256. */
  readonly algorithm: "PS256" | "RS256";
  /** PEM. Both may be one and the same text that holds key and certificate. */
  readonly privateKey: string;
  readonly certificate: string;
}

export interface AssertedClient {
  readonly clientId: string;
  /** The token endpoint. */
  readonly audience: string;
  readonly atSeconds: number;
}

const LIFETIME_SECONDS = 300;
/** The server's clock may be behind ours. */
const EARLIER_SECONDS = 60;

/** Throws a {@link TokenError} when key or certificate cannot be used. */
export function clientAssertion(credential: CertificateCredential, client: AssertedClient): string {
  const { key, certificate } = readCredential(credential);
  const thumbprint = (hash: string) => createHash(hash).update(certificate.raw).digest("base64url");
  const header = {
    alg: credential.algorithm,
    typ: "JWT",
    x5t: thumbprint("sha1"),
    "x5t#S256": thumbprint("sha256"),
  };
  const claims = {
    aud: client.audience,
    iss: client.clientId,
    sub: client.clientId,
    jti: randomUUID(),
    iat: client.atSeconds,
    nbf: client.atSeconds - EARLIER_SECONDS,
    exp: client.atSeconds + LIFETIME_SECONDS,
  };
  const signed = `${encoded(header)}.${encoded(claims)}`;
  const padding =
    credential.algorithm === "PS256"
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING };
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, ...padding }).toString("base64url")}`;
}

function readCredential({ privateKey, certificate: text }: CertificateCredential) {
  const key = readPem("KEY_UNREADABLE", "no private key in PEM without a passphrase", () =>
    createPrivateKey(privateKey),
  );
  const certificate = readPem("CERTIFICATE_UNREADABLE", "no certificate in PEM", () => new X509Certificate(text));
  if (!isRsa(key))
    throw new TokenError("KEY_UNREADABLE", { detail: "the private key is no RSA key of 2048 bits or more" });
  if (!certificate.checkPrivateKey(key)) {
    throw new TokenError("KEY_OF_ANOTHER_CERTIFICATE", {
      detail: "the private key does not belong to the certificate",
    });
  }
  return { key, certificate };
}

/** What OpenSSL says of it is dropped: it is about the secret. */
function readPem<T>(code: string, detail: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new TokenError(code, { detail });
  }
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
