/**
 * Decides how a target information list (AV pairs, MS-NLMP 2.2.2.1) is read and written.
 * What the values mean is not decided here.
 */

import { NtlmMessageError } from "./message-error.js";

export const AV_END = 0;
export const AV_COMPUTER = 1;
export const AV_DOMAIN = 2;
export const AV_DNS_COMPUTER = 3;
export const AV_DNS_DOMAIN = 4;
/** 32 bits; {@link AV_FLAG_MIC} says that the message has a code of its own integrity. */
export const AV_FLAGS = 6;
/** A FILETIME: 100 ns since 1601. */
export const AV_TIMESTAMP = 7;
/** The service the client means to talk to, as a service principal name. */
export const AV_TARGET_NAME = 9;
/** 16 bytes; all zero is the same as none. */
export const AV_CHANNEL_BINDINGS = 10;

export const AV_FLAG_MIC = 0x2;

/** By AV id. A list that names an id twice is refused, so a map holds all of it; its order is the list's. */
export type AvPairs = ReadonlyMap<number, Buffer>;

const MAXIMUM_PAIRS = 64;
/** Values with a size of their own; all others are text of any length. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [AV_FLAGS, 4],
  [AV_TIMESTAMP, 8],
  [AV_CHANNEL_BINDINGS, 16],
]);

/** Reads up to the end mark, which must be there; what follows it is not looked at. Throws an {@link NtlmMessageError}. */
export function readAvPairs(bytes: Buffer): AvPairs {
  const pairs = new Map<number, Buffer>();
  let at = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new NtlmMessageError("target information without an end");
    const id = bytes.readUInt16LE(at);
    const length = bytes.readUInt16LE(at + 2);
    at += 4;
    if (id === AV_END) {
      if (length !== 0) throw new NtlmMessageError("target information with a strange end");
      return pairs;
    }
    if (at + length > bytes.length) throw new NtlmMessageError("target information beyond its end");
    if (pairs.has(id) || pairs.size === MAXIMUM_PAIRS) throw new NtlmMessageError("too much target information");
    if ((SIZES.get(id) ?? length) !== length) throw new NtlmMessageError("target information of a wrong size");
    pairs.set(id, bytes.subarray(at, at + length));
    at += length;
  }
}

/** With the end mark. */
export function writeAvPairs(pairs: AvPairs): Buffer {
  const parts: Buffer[] = [];
  for (const [id, value] of [...pairs, [AV_END, Buffer.alloc(0)] as const]) {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(value.length, 2);
    parts.push(head, value);
  }
  return Buffer.concat(parts);
}
