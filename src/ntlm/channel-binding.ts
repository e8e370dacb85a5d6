/**
 * Decides what ties an authentication to the TLS channel it travels in: RFC 5929's
 * tls-server-end-point, a hash of the server's certificate, in the form in which NTLM
 * carries it. Somebody in the middle has another certificate, and so another hash.
 *
 * Pure. Trusts no certificate and checks none: that is TLS's own work.
 */

import { createHash } from "node:crypto";
import { signatureHash } from "./certificate-signature.js";

/**
 * RFC 5929's binding for a server certificate (DER): what Kerberos and NTLM both start from. Undefined when the
 * certificate's signature has no single hash (Ed25519): then there is no such binding, and clients send none.
 */
export function serverEndPoint(certificate: Buffer): Buffer | undefined {
  const signed = signatureHash(certificate);
  if (signed === undefined) return undefined;
  const hash = signed === "md5" || signed === "sha1" ? "sha256" : signed;
  return Buffer.concat([Buffer.from("tls-server-end-point:"), createHash(hash).update(certificate).digest()]);
}

/** MsvAvChannelBindings: the MD5 of a gss_channel_bindings_struct with no addresses. 16 bytes. */
export function channelBindingHash(applicationData: Buffer): Buffer {
  // Types and lengths of both addresses, all zero; then the length of the application data.
  const struct = Buffer.alloc(20);
  struct.writeUInt32LE(applicationData.length, 16);
  return createHash("md5").update(struct).update(applicationData).digest();
}
