/**
 * Decides what is said to a server that wants NTLM: NTLMv2 or nothing, tied to the TLS
 * channel and to the name of the service, with a code over all messages where the server
 * gave its time. Signing and sealing of what follows are not asked for, so no key is exchanged.
 *
 * Pure: from a challenge to the answer. Knows no HTTP.
 */

import { randomBytes } from "node:crypto";
import {
  AV_CHANNEL_BINDINGS,
  AV_FLAG_MIC,
  AV_FLAGS,
  AV_TARGET_NAME,
  AV_TIMESTAMP,
  readAvPairs,
  writeAvPairs,
} from "./av-pairs.js";
import { channelBindingHash } from "./channel-binding.js";
import { NtlmMessageError } from "./message-error.js";
import * as flag from "./negotiate-flags.js";
import {
  type AuthenticateMessage,
  type ChallengeMessage,
  MIC_OFFSET,
  readChallenge,
  writeAuthenticate,
  writeNegotiate,
} from "./ntlm-messages.js";
import {
  fileTime,
  integrityCode,
  lmV2Response,
  type NtHash,
  ntHash,
  proofOf,
  responseKey,
  writeBlob,
} from "./ntlmv2.js";

export interface NtlmCredential {
  readonly user: string;
  /** Empty for `user@domain` and for a plain name: then the server knows where to look. */
  readonly domain: string;
  readonly hash: NtHash;
}

/** `DOMAIN\user`, `user@domain` or `user`. */
export function ntlmCredential(username: string, password: string): NtlmCredential {
  const slash = username.indexOf("\\");
  const hash = ntHash(password);
  return { user: username.slice(slash + 1), domain: slash < 0 ? "" : username.slice(0, slash), hash };
}

/** What an answer is bound to, besides the challenge. */
export interface NtlmTarget {
  /** The service principal name, like "HTTP/mail.corp.example". */
  readonly servicePrincipal: string;
  /** RFC 5929's tls-server-end-point; undefined without TLS. */
  readonly endPoint: Buffer | undefined;
}

/** For tests with known answers. */
export interface NtlmChance {
  readonly now: () => number;
  /** 8 bytes. */
  readonly clientChallenge: () => Buffer;
}

const REAL: NtlmChance = { now: Date.now, clientChallenge: () => randomBytes(8) };

const OFFERED = flag.combined(
  flag.NEGOTIATE_UNICODE,
  flag.REQUEST_TARGET,
  flag.NEGOTIATE_NTLM,
  flag.NEGOTIATE_ALWAYS_SIGN,
  flag.NEGOTIATE_EXTENDED_SESSION_SECURITY,
  flag.NEGOTIATE_TARGET_INFO,
  flag.NEGOTIATE_VERSION,
  flag.NEGOTIATE_128,
  flag.NEGOTIATE_56,
);
const NEEDED = [flag.NEGOTIATE_UNICODE, flag.NEGOTIATE_NTLM, flag.NEGOTIATE_EXTENDED_SESSION_SECURITY];
const NONE = Buffer.alloc(0);

/** The same every time: it names nobody. */
export function negotiateMessage(): Buffer {
  return writeNegotiate({ flags: OFFERED });
}

/** The answer to a challenge that followed {@link negotiateMessage}. Throws an {@link NtlmMessageError}. */
export function authenticateMessage(
  credential: NtlmCredential,
  challengeBytes: Buffer,
  target: NtlmTarget,
  chance: NtlmChance = REAL,
): Buffer {
  const challenge = readChallenge(challengeBytes);
  if (!NEEDED.every((needed) => flag.has(challenge.flags, needed))) {
    throw new NtlmMessageError("the challenge wants less than NTLMv2 in Unicode");
  }
  const { user, domain, hash } = credential;
  const key = responseKey(hash, user, domain);
  const { targetInfo, serverTime } = answeredTargetInfo(challenge, target);
  const clientChallenge = chance.clientChallenge();
  const blob = writeBlob({ time: serverTime ?? fileTime(chance.now()), clientChallenge, targetInfo });
  const { proof, sessionKey } = proofOf(key, challenge.serverChallenge, blob);
  const answer: AuthenticateMessage = {
    flags: flag.common(OFFERED, challenge.flags),
    // With the server's time the LM response is not looked at, and has to be zeros.
    lmResponse: serverTime ? Buffer.alloc(24) : lmV2Response(key, challenge.serverChallenge, clientChallenge),
    ntResponse: Buffer.concat([proof, blob]),
    domain,
    user,
    workstation: "",
    encryptedSessionKey: NONE,
    mic: undefined,
  };
  const message = writeAuthenticate(answer);
  if (serverTime !== undefined) {
    integrityCode(sessionKey, negotiateMessage(), challengeBytes, message).copy(message, MIC_OFFSET);
  }
  return message;
}

/** What the server said of itself, and what we mean it to be. */
function answeredTargetInfo({ targetInfo }: ChallengeMessage, { servicePrincipal, endPoint }: NtlmTarget) {
  const pairs = new Map(targetInfo.length === 0 ? [] : readAvPairs(targetInfo));
  const serverTime = pairs.get(AV_TIMESTAMP);
  if (serverTime !== undefined) {
    const flags = Buffer.alloc(4);
    flags.writeUInt32LE(((pairs.get(AV_FLAGS)?.readUInt32LE() ?? 0) | AV_FLAG_MIC) >>> 0);
    pairs.set(AV_FLAGS, flags);
  }
  pairs.set(AV_CHANNEL_BINDINGS, endPoint === undefined ? Buffer.alloc(16) : channelBindingHash(endPoint));
  pairs.set(AV_TARGET_NAME, Buffer.from(servicePrincipal, "utf16le"));
  return { targetInfo: writeAvPairs(pairs), serverTime };
}
