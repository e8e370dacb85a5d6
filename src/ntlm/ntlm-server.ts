/**
 * Decides whether somebody who answers our challenge knows an account's password: NTLMv2
 * only, untampered, for this challenge, now, and through this TLS channel.
 *
 * Knows no HTTP and keeps no list of accounts; never throws, whatever it is given.
 */

import { randomBytes } from "node:crypto";
import { AV_COMPUTER, AV_DNS_COMPUTER, AV_DOMAIN, AV_TIMESTAMP, writeAvPairs } from "./av-pairs.js";
import { NtlmMessageError } from "./message-error.js";
import * as flag from "./negotiate-flags.js";
import { readNegotiate, writeChallenge } from "./ntlm-messages.js";
import { type NtlmAccount, type NtlmExpectation, type NtlmVerdict, verifyAuthenticate } from "./ntlm-verification.js";
import { fileTime } from "./ntlmv2.js";

export interface NtlmServerOptions {
  /** What the server calls itself: NetBIOS names of at most 15 characters, and the name in DNS. */
  readonly domain: string;
  readonly computer: string;
  readonly dnsComputer: string;
  /** Names as the client wrote them; whether case matters is decided here. Must cost the same for known and unknown. */
  readonly find: (user: string, domain: string) => NtlmAccount | undefined;
  /** "when-promised" lets in clients that answer our time without a code over the messages, like curl. */
  readonly integrityCode?: "required" | "when-promised";
  /** "required" keeps out clients without channel binding, and everybody where the channel is not known. */
  readonly channelBinding?: "required" | "when-sent";
  /**
   * How far the time in an answer may be from ours, in milliseconds: 30 minutes. A challenge of our own is what keeps
   * replays out; this keeps an answer that was waited for from being used much later.
   */
  readonly maximumSkewMs?: number;
  readonly now?: () => number;
}

export type NtlmBeginning =
  | { readonly kind: "challenge"; readonly message: Buffer; readonly exchange: NtlmExchange }
  | { readonly kind: "refused"; readonly reason: "unreadable" | "downgraded" };

const DEFAULT_SKEW_MS = 30 * 60_000;
const ECHOED = flag.combined(
  flag.REQUEST_TARGET,
  flag.NEGOTIATE_SIGN,
  flag.NEGOTIATE_ALWAYS_SIGN,
  flag.NEGOTIATE_EXTENDED_SESSION_SECURITY,
  flag.NEGOTIATE_VERSION,
  flag.NEGOTIATE_128,
  flag.NEGOTIATE_56,
);

/** From a NEGOTIATE message to the challenge. The exchange belongs to the connection, and to no other. */
export function beginNtlm(negotiate: Buffer, options: NtlmServerOptions): NtlmBeginning {
  const asked = flagsOf(negotiate);
  if (asked === undefined) return { kind: "refused", reason: "unreadable" };
  const text = [flag.NEGOTIATE_UNICODE, flag.NEGOTIATE_OEM].find((form) => flag.has(asked, form));
  // Not the flag of NTLM itself: python's ntlm_auth, which exchangelib uses, leaves it out.
  if (text === undefined || !flag.has(asked, flag.NEGOTIATE_EXTENDED_SESSION_SECURITY)) {
    return { kind: "refused", reason: "downgraded" };
  }
  const flags = flag.combined(
    flag.common(asked, ECHOED),
    ...[text, flag.NEGOTIATE_NTLM, flag.TARGET_TYPE_SERVER, flag.NEGOTIATE_TARGET_INFO],
  );
  const now = options.now ?? Date.now;
  const timestamp = fileTime(now());
  const serverChallenge = randomBytes(8);
  const message = writeChallenge({
    flags,
    targetName: options.computer,
    serverChallenge,
    targetInfo: targetInfo(options, timestamp),
  });
  const exchange = new NtlmExchange({
    negotiate,
    challenge: message,
    serverChallenge,
    timestamp,
    flags,
    find: options.find,
    requireIntegrityCode: (options.integrityCode ?? "required") === "required",
    requireChannelBinding: options.channelBinding === "required",
    maximumSkewMs: options.maximumSkewMs ?? DEFAULT_SKEW_MS,
    now,
  });
  return { kind: "challenge", message, exchange };
}

/** A challenge that waits for its answer. It takes one. */
export class NtlmExchange {
  #expectation: NtlmExpectation | undefined;

  constructor(expectation: NtlmExpectation) {
    this.#expectation = expectation;
  }

  /**
   * `endPoints`: RFC 5929's tls-server-end-point of every certificate under which clients reach us; none when the
   * channel is not known here (plain HTTP, or TLS that ends elsewhere).
   */
  verify(authenticate: Buffer, endPoints: readonly Buffer[]): NtlmVerdict {
    const expectation = this.#expectation;
    this.#expectation = undefined;
    if (expectation === undefined) return { kind: "refused", reason: "challenge-spent" };
    return verifyAuthenticate(authenticate, endPoints, expectation);
  }
}

function flagsOf(negotiate: Buffer): number | undefined {
  try {
    return readNegotiate(negotiate).flags;
  } catch (error) {
    if (error instanceof NtlmMessageError) return undefined;
    throw error;
  }
}

function targetInfo({ domain, computer, dnsComputer }: NtlmServerOptions, timestamp: Buffer): Buffer {
  const text = (value: string) => Buffer.from(value, "utf16le");
  return writeAvPairs(
    new Map([
      [AV_DOMAIN, text(domain)],
      [AV_COMPUTER, text(computer)],
      [AV_DNS_COMPUTER, text(dnsComputer)],
      [AV_TIMESTAMP, timestamp],
    ]),
  );
}
