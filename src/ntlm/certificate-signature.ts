/**
 * Decides with which hash a certificate was signed, from its DER. Node 20 does not tell.
 *
 * Reads just far enough: Certificate is a sequence of the part that is signed, the
 * algorithm, and the signature. Never throws: what cannot be read has no known hash.
 */

export type SignatureHash = "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

/** Undefined when the algorithm has none of its own (Ed25519), or is not known here. */
export function signatureHash(certificate: Buffer): SignatureHash | undefined {
  const [toBeSigned, algorithm] = children(children(certificate)[0]?.content);
  if (toBeSigned === undefined || algorithm === undefined) return undefined;
  const [name, parameters] = children(algorithm.content);
  const oid = name?.content.toString("hex") ?? "";
  if (oid !== RSA_PSS) return HASHES.get(oid);
  // RSASSA-PSS-params: [0] { AlgorithmIdentifier of the hash }, SHA-1 when it is left out.
  const hash = children(parameters?.content).find((child) => child.tag === 0xa0);
  if (hash === undefined) return parameters === undefined ? undefined : "sha1";
  const [hashName] = children(children(hash.content)[0]?.content);
  return HASHES.get(hashName?.content.toString("hex") ?? "");
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements in a row, up to the first that is not one. */
function children(bytes: Buffer | undefined): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (bytes !== undefined && at + 2 <= bytes.length) {
    const tag = bytes[at] as number;
    const first = bytes[at + 1] as number;
    at += 2;
    // Up to 127 it is the length; above, the number of bytes that hold it, of which DER never leaves none.
    const size = first < 0x80 ? 0 : first - 0x80;
    if (first === 0x80 || size > 3 || at + size > bytes.length) break;
    const length = size === 0 ? first : bytes.readUIntBE(at, size);
    at += size;
    if (at + length > bytes.length) break;
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

const RSA_PSS = "2a864886f70d01010a";
/** By object identifier, in hexadecimal: RSA (PKCS 1), ECDSA, DSA, and the hashes themselves. */
const HASHES: ReadonlyMap<string, SignatureHash> = new Map([
  ["2a864886f70d010104", "md5"],
  ["2a864886f70d010105", "sha1"],
  ["2a864886f70d01010e", "sha224"],
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d0401", "sha1"],
  ["2a8648ce3d040301", "sha224"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2a8648ce380403", "sha1"],
  ["608648016503040301", "sha224"],
  ["608648016503040302", "sha256"],
  ["2b0e03021a", "sha1"],
  ["608648016503040204", "sha224"],
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
]);
