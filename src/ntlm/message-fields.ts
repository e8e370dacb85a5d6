/**
 * Decides how the parts of an NTLM message are found in it: a fixed head that points into
 * a payload. Every pointer is checked here, and nowhere else is one followed.
 */

import { NtlmMessageError } from "./message-error.js";
import { has, NEGOTIATE_UNICODE } from "./negotiate-flags.js";

const SIGNATURE = Buffer.from("NTLMSSP\0", "latin1");
/** A ticket of Kerberos may be larger; a message of NTLM with long names has about one KiB. */
export const MAXIMUM_MESSAGE_BYTES = 8192;

/** The type of a message: 1 NEGOTIATE, 2 CHALLENGE, 3 AUTHENTICATE. */
export type MessageType = 1 | 2 | 3;

/** Throws unless the bytes are a message of this type with a head of at least this many bytes. */
export function expectMessage(bytes: Buffer, type: MessageType, headBytes: number): void {
  if (bytes.length > MAXIMUM_MESSAGE_BYTES) throw new NtlmMessageError("message too large");
  if (bytes.length < headBytes) throw new NtlmMessageError("message too short");
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new NtlmMessageError("no NTLM message");
  if (bytes.readUInt32LE(8) !== type) throw new NtlmMessageError("message out of turn");
}

/** A part, and where it begins; an empty part begins nowhere. */
export interface Part {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** The part that the eight bytes at `at` point to: inside the message, and not in its head. */
export function readPart(message: Buffer, at: number, headBytes: number): Part {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) return { bytes: Buffer.alloc(0), offset: Number.POSITIVE_INFINITY };
  if (offset < headBytes || offset + length > message.length) throw new NtlmMessageError("part outside of the message");
  return { bytes: message.subarray(offset, offset + length), offset };
}

/** UTF-16, or what both sides took for OEM: bytes of Latin-1. */
export function textOf(bytes: Buffer, flags: number): string {
  if (!has(flags, NEGOTIATE_UNICODE)) return bytes.toString("latin1");
  if (bytes.length % 2 !== 0) throw new NtlmMessageError("text of a wrong size");
  return bytes.toString("utf16le");
}

/** Head and payload; `pointers` gives for each part the place in the head that points to it. */
export function assemble(type: MessageType, headBytes: number, pointers: ReadonlyMap<number, Buffer>): Buffer {
  const head = Buffer.alloc(headBytes);
  SIGNATURE.copy(head);
  head.writeUInt32LE(type, 8);
  let offset = headBytes;
  for (const [at, part] of pointers) {
    if (part.length > 0xffff) throw new NtlmMessageError("part too large");
    head.writeUInt16LE(part.length, at);
    head.writeUInt16LE(part.length, at + 2);
    head.writeUInt32LE(offset, at + 4);
    offset += part.length;
  }
  if (offset > MAXIMUM_MESSAGE_BYTES) throw new NtlmMessageError("message too large");
  return Buffer.concat([head, ...pointers.values()]);
}

/** The version both sides put beside the flag that announces it: Windows 10, revision 15 of NTLM. For debugging only. */
export function writeVersion(message: Buffer, at: number): void {
  message.set([10, 0, 0, 0, 0, 0, 0, 15], at);
}
