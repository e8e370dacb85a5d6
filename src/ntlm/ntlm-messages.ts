/**
 * Decides how NTLM's three messages are read and written (MS-NLMP 2.2.1). The version is
 * always written where the flags announce it: other implementations insist.
 *
 * Bytes to fields and back; nothing is computed and nothing is believed here. Every reader
 * throws an {@link NtlmMessageError} for anything that is not such a message, and nothing else.
 */

import { assemble, expectMessage, MAXIMUM_MESSAGE_BYTES, readPart, textOf, writeVersion } from "./message-fields.js";
import { DOMAIN_SUPPLIED, has, NEGOTIATE_UNICODE, NEGOTIATE_VERSION, WORKSTATION_SUPPLIED } from "./negotiate-flags.js";

export { MAXIMUM_MESSAGE_BYTES };

export interface NegotiateMessage {
  readonly flags: number;
}

export interface ChallengeMessage {
  readonly flags: number;
  readonly targetName: string;
  /** 8 bytes. */
  readonly serverChallenge: Buffer;
  /** AV pairs, as sent. */
  readonly targetInfo: Buffer;
}

export interface AuthenticateMessage {
  readonly flags: number;
  readonly lmResponse: Buffer;
  readonly ntResponse: Buffer;
  readonly domain: string;
  readonly user: string;
  readonly workstation: string;
  readonly encryptedSessionKey: Buffer;
  /** 16 bytes; undefined when the message has no room for it. */
  readonly mic: Buffer | undefined;
}

const NEGOTIATE_HEAD = 40;
/** The oldest clients send nothing but flags, others leave out the version. */
const SHORTEST_NEGOTIATE = 16;
const NEGOTIATE_HEAD_WITHOUT_VERSION = 32;

export function readNegotiate(bytes: Buffer): NegotiateMessage {
  expectMessage(bytes, 1, SHORTEST_NEGOTIATE);
  const flags = bytes.readUInt32LE(12);
  // What the client calls itself is of no interest, but a pointer to nowhere makes no message.
  for (const [flag, at] of [[DOMAIN_SUPPLIED, 16] as const, [WORKSTATION_SUPPLIED, 24] as const]) {
    if (!has(flags, flag)) continue;
    expectMessage(bytes, 1, NEGOTIATE_HEAD_WITHOUT_VERSION);
    readPart(bytes, at, NEGOTIATE_HEAD_WITHOUT_VERSION);
  }
  return { flags };
}

export function writeNegotiate({ flags }: NegotiateMessage): Buffer {
  const nothing = Buffer.alloc(0);
  const message = assemble(1, NEGOTIATE_HEAD, new Map([[16, nothing] as const, [24, nothing] as const]));
  message.writeUInt32LE(flags, 12);
  if (has(flags, NEGOTIATE_VERSION)) writeVersion(message, 32);
  return message;
}

const CHALLENGE_HEAD = 56;
const CHALLENGE_HEAD_WITHOUT_VERSION = 48;

export function readChallenge(bytes: Buffer): ChallengeMessage {
  expectMessage(bytes, 2, CHALLENGE_HEAD_WITHOUT_VERSION);
  const flags = bytes.readUInt32LE(20);
  return {
    flags,
    targetName: textOf(readPart(bytes, 12, CHALLENGE_HEAD_WITHOUT_VERSION).bytes, flags),
    serverChallenge: bytes.subarray(24, 32),
    targetInfo: readPart(bytes, 40, CHALLENGE_HEAD_WITHOUT_VERSION).bytes,
  };
}

export function writeChallenge(challenge: ChallengeMessage): Buffer {
  const { flags, targetName, serverChallenge, targetInfo } = challenge;
  const pointers = new Map([[12, encoded(targetName, flags)] as const, [40, targetInfo] as const]);
  const message = assemble(2, CHALLENGE_HEAD, pointers);
  message.writeUInt32LE(flags, 20);
  serverChallenge.copy(message, 24, 0, 8);
  if (has(flags, NEGOTIATE_VERSION)) writeVersion(message, 48);
  return message;
}

const AUTHENTICATE_HEAD = 88;
const AUTHENTICATE_HEAD_WITHOUT_VERSION = 64;
/** Where the MIC is, in a message that has one: it is counted over the message with zeros here. */
export const MIC_OFFSET = 72;
export const MIC_BYTES = 16;

export function readAuthenticate(bytes: Buffer): AuthenticateMessage {
  expectMessage(bytes, 3, AUTHENTICATE_HEAD_WITHOUT_VERSION);
  const flags = bytes.readUInt32LE(60);
  const parts = [12, 20, 28, 36, 44, 52].map((at) => readPart(bytes, at, AUTHENTICATE_HEAD_WITHOUT_VERSION));
  const payload = Math.min(bytes.length, ...parts.map((part) => part.offset));
  const [lmResponse, ntResponse, domain, user, workstation, encryptedSessionKey] = parts.map((part) => part.bytes) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  return {
    flags,
    lmResponse,
    ntResponse,
    domain: textOf(domain, flags),
    user: textOf(user, flags),
    workstation: textOf(workstation, flags),
    encryptedSessionKey,
    mic: payload >= AUTHENTICATE_HEAD ? bytes.subarray(MIC_OFFSET, MIC_OFFSET + MIC_BYTES) : undefined,
  };
}

/** Room for a MIC is always made; without one it is zeros. */
export function writeAuthenticate(authenticate: AuthenticateMessage): Buffer {
  const { flags, lmResponse, ntResponse, domain, user, workstation, encryptedSessionKey, mic } = authenticate;
  const pointers = new Map([
    [12, lmResponse] as const,
    [20, ntResponse] as const,
    [28, encoded(domain, flags)] as const,
    [36, encoded(user, flags)] as const,
    [44, encoded(workstation, flags)] as const,
    [52, encryptedSessionKey] as const,
  ]);
  const message = assemble(3, AUTHENTICATE_HEAD, pointers);
  message.writeUInt32LE(flags, 60);
  if (has(flags, NEGOTIATE_VERSION)) writeVersion(message, 64);
  mic?.copy(message, MIC_OFFSET, 0, MIC_BYTES);
  return message;
}

function encoded(text: string, flags: number): Buffer {
  return Buffer.from(text, has(flags, NEGOTIATE_UNICODE) ? "utf16le" : "latin1");
}
