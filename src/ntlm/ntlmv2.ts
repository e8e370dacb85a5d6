/**
 * Decides what is computed in NTLMv2 (MS-NLMP 3.3.2): the hashes of a password, the proof
 * that it is known, and the code over all three messages. Of the older versions there is nothing.
 *
 * Pure: the time and every random byte are the caller's.
 */

import { createHmac } from "node:crypto";
import { md4 } from "./md4.js";

/** 16 bytes: all that a password is to NTLM. Whoever has it can log on, so it is kept like a password. */
export type NtHash = Buffer & { readonly form: "NT hash" };

export function ntHash(password: string): NtHash {
  return md4(Buffer.from(password, "utf16le")) as NtHash;
}

/** From 32 hexadecimal digits, as other tools keep it; undefined when they are not. */
export function ntHashFromHex(hex: string): NtHash | undefined {
  return /^[0-9a-fA-F]{32}$/.test(hex) ? (Buffer.from(hex, "hex") as NtHash) : undefined;
}

const hmacMd5 = (key: Buffer, ...data: readonly Buffer[]): Buffer => {
  const hmac = createHmac("md5", key);
  for (const part of data) hmac.update(part);
  return hmac.digest();
};

/** NTOWFv2. Names as they are in the AUTHENTICATE message: a domain is never changed, not even its case. */
export function responseKey(hash: NtHash, user: string, domain: string): Buffer {
  return hmacMd5(hash, Buffer.from(upperCase(user) + domain, "utf16le"));
}

/** 100 ns since 1601, in 8 bytes. */
export function fileTime(ms: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt(Math.round(ms)) * 10_000n + EPOCH);
  return time;
}

export function msOfFileTime(time: Buffer): number {
  return Number((time.readBigUInt64LE() - EPOCH) / 10_000n);
}

const EPOCH = 116_444_736_000_000_000n;

/** What the proof is about, besides the server's challenge: NTLMv2_CLIENT_CHALLENGE. */
export interface ClientBlob {
  /** A FILETIME, 8 bytes. */
  readonly time: Buffer;
  /** 8 random bytes. */
  readonly clientChallenge: Buffer;
  /** AV pairs with their end. */
  readonly targetInfo: Buffer;
}

const BLOB_HEAD = 28;

export function writeBlob({ time, clientChallenge, targetInfo }: ClientBlob): Buffer {
  return Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), time, clientChallenge, ZERO4, targetInfo, ZERO4]);
}

/** Undefined when it is none. The target information is not looked into. */
export function readBlob(blob: Buffer): ClientBlob | undefined {
  if (blob.length < BLOB_HEAD || blob[0] !== 1 || blob[1] !== 1) return undefined;
  return { time: blob.subarray(8, 16), clientChallenge: blob.subarray(16, 24), targetInfo: blob.subarray(BLOB_HEAD) };
}

const ZERO4 = Buffer.alloc(4);

export interface NtlmV2Proof {
  /** 16 bytes; together with the blob the NT response. */
  readonly proof: Buffer;
  /** 16 bytes, and the exported session key too, as no other is ever exchanged here. */
  readonly sessionKey: Buffer;
}

export function proofOf(key: Buffer, serverChallenge: Buffer, blob: Buffer): NtlmV2Proof {
  const proof = hmacMd5(key, serverChallenge, blob);
  return { proof, sessionKey: hmacMd5(key, proof) };
}

/** LMv2, for servers that gave no time. */
export function lmV2Response(key: Buffer, serverChallenge: Buffer, clientChallenge: Buffer): Buffer {
  return Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]);
}

/** Over the three messages as they were on the wire, the last with zeros where its MIC goes. */
export function integrityCode(sessionKey: Buffer, negotiate: Buffer, challenge: Buffer, authenticate: Buffer): Buffer {
  return hmacMd5(sessionKey, negotiate, challenge, authenticate);
}

/**
 * Windows' upper case, which maps each UTF-16 unit for itself: no letter becomes two, none outside of ASCII becomes one
 * of ASCII, and the micro sign is no Greek letter. JavaScript's would make SS of ß, and the proof another one.
 */
function upperCase(text: string): string {
  let upper = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    const mapped = unit.toUpperCase();
    const kept = mapped.length !== 1 || (unit > "\u007f" && mapped <= "\u007f") || unit === "\u00b5";
    upper += kept ? unit : mapped;
  }
  return upper;
}
