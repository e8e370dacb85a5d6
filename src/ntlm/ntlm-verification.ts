/**
 * Decides whether one AUTHENTICATE message answers one challenge. The password comes first:
 * nothing an outsider sends learns more than that the two do not fit, and an account that
 * does not exist costs what one that exists does.
 */

import { randomBytes, timingSafeEqual } from "node:crypto";
import { AV_CHANNEL_BINDINGS, AV_FLAG_MIC, AV_FLAGS, AV_TIMESTAMP, type AvPairs, readAvPairs } from "./av-pairs.js";
import { channelBindingHash } from "./channel-binding.js";
import { NtlmMessageError } from "./message-error.js";
import * as flag from "./negotiate-flags.js";
import { type AuthenticateMessage, MIC_BYTES, MIC_OFFSET, readAuthenticate } from "./ntlm-messages.js";
import { integrityCode, msOfFileTime, type NtHash, proofOf, readBlob, responseKey } from "./ntlmv2.js";

export interface NtlmAccount {
  /** What the caller is called from now on. */
  readonly name: string;
  readonly hash: NtHash;
}

/** What was sent, and what must come back. */
export interface NtlmExpectation {
  readonly negotiate: Buffer;
  readonly challenge: Buffer;
  readonly serverChallenge: Buffer;
  readonly timestamp: Buffer;
  readonly flags: number;
  readonly find: (user: string, domain: string) => NtlmAccount | undefined;
  readonly requireIntegrityCode: boolean;
  readonly requireChannelBinding: boolean;
  readonly maximumSkewMs: number;
  readonly now: () => number;
}

/** For the log. Whoever is refused is told nothing but that. */
export type NtlmRefusal =
  | "unreadable"
  | "challenge-spent"
  /** Less than NTLMv2, or flags other than those agreed on. */
  | "downgraded"
  | "anonymous"
  /** Unknown account or wrong password; also what an answer to another challenge looks like. */
  | "wrong-credentials"
  | "stale"
  | "no-integrity-code"
  | "wrong-integrity-code"
  | "no-channel-binding"
  /** Somebody is in the middle, or TLS ends at a certificate this server does not know of. */
  | "wrong-channel-binding";

export interface Refused {
  readonly kind: "refused";
  readonly reason: NtlmRefusal;
}

export type NtlmVerdict = { readonly kind: "authenticated"; readonly account: string } | Refused;

const refused = (reason: NtlmRefusal): Refused => ({ kind: "refused", reason });

const PROOF_BYTES = 16;
/** Whoever answers with this knows a random number nobody ever saw. */
const NOBODY: NtlmAccount = { name: "", hash: randomBytes(16) as NtHash };

export function verifyAuthenticate(
  bytes: Buffer,
  endPoints: readonly Buffer[],
  expectation: NtlmExpectation,
): NtlmVerdict {
  try {
    return verify(bytes, endPoints, expectation);
  } catch (error) {
    if (error instanceof NtlmMessageError) return refused("unreadable");
    throw error;
  }
}

function verify(bytes: Buffer, endPoints: readonly Buffer[], expectation: NtlmExpectation): NtlmVerdict {
  const message = readAuthenticate(bytes);
  const { user, domain, ntResponse } = message;
  if (flag.has(message.flags, flag.ANONYMOUS) || (user === "" && ntResponse.length === 0)) return refused("anonymous");
  if (!agreed(message.flags, expectation.flags)) return refused("downgraded");
  const clientBlob = ntResponse.subarray(PROOF_BYTES);
  const blob = readBlob(clientBlob);
  if (blob === undefined) return refused("downgraded");
  const pairs = readAvPairs(blob.targetInfo);

  const account = expectation.find(user, domain) ?? NOBODY;
  const key = responseKey(account.hash, user, domain);
  const { proof, sessionKey } = proofOf(key, expectation.serverChallenge, clientBlob);
  const known = timingSafeEqual(proof, ntResponse.subarray(0, PROOF_BYTES));
  if (!known || account === NOBODY) return refused("wrong-credentials");

  // From here on it is the account's owner who speaks, or somebody who changes what the owner said.
  const wrong =
    integrityFault(bytes, message, pairs, sessionKey, expectation) ??
    timeFault(blob.time, pairs, expectation) ??
    bindingFault(pairs, endPoints, expectation);
  return wrong === undefined ? { kind: "authenticated", account: account.name } : refused(wrong);
}

/** What both agreed on is still there, and nothing that was not offered. */
function agreed(flags: number, offered: number): boolean {
  const kept = flag.common(
    offered,
    flag.combined(flag.NEGOTIATE_UNICODE, flag.NEGOTIATE_OEM, flag.NEGOTIATE_EXTENDED_SESSION_SECURITY),
  );
  const never = flag.combined(flag.NEGOTIATE_LM_KEY, flag.NEGOTIATE_KEY_EXCHANGE);
  return flag.common(flags, kept) === kept && !flag.has(flags, never);
}

function integrityFault(
  bytes: Buffer,
  message: AuthenticateMessage,
  pairs: AvPairs,
  sessionKey: Buffer,
  { negotiate, challenge, requireIntegrityCode }: NtlmExpectation,
): NtlmRefusal | undefined {
  // The promise is part of what the proof is over: nobody in between can take it away.
  const promised = flag.has(pairs.get(AV_FLAGS)?.readUInt32LE() ?? 0, AV_FLAG_MIC);
  if (!promised) return requireIntegrityCode ? "no-integrity-code" : undefined;
  if (message.mic === undefined) return "no-integrity-code";
  const blank = Buffer.from(bytes);
  blank.fill(0, MIC_OFFSET, MIC_OFFSET + MIC_BYTES);
  const code = integrityCode(sessionKey, negotiate, challenge, blank);
  return timingSafeEqual(code, message.mic) ? undefined : "wrong-integrity-code";
}

function timeFault(time: Buffer, pairs: AvPairs, expectation: NtlmExpectation): NtlmRefusal | undefined {
  // A client that leaves our time out does so to be asked for less.
  if (pairs.get(AV_TIMESTAMP)?.equals(expectation.timestamp) !== true) return "downgraded";
  const skew = Math.abs(msOfFileTime(time) - expectation.now());
  return skew <= expectation.maximumSkewMs ? undefined : "stale";
}

function bindingFault(
  pairs: AvPairs,
  endPoints: readonly Buffer[],
  { requireChannelBinding }: NtlmExpectation,
): NtlmRefusal | undefined {
  const sent = pairs.get(AV_CHANNEL_BINDINGS);
  if (sent === undefined || sent.every((byte) => byte === 0)) {
    return requireChannelBinding ? "no-channel-binding" : undefined;
  }
  if (endPoints.length === 0) return requireChannelBinding ? "wrong-channel-binding" : undefined;
  return endPoints.some((endPoint) => timingSafeEqual(channelBindingHash(endPoint), sent))
    ? undefined
    : "wrong-channel-binding";
}
