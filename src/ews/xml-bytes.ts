/**
 * Decides how bytes become text and text bytes: UTF-8, nothing else, and exactly. A wrong
 * byte is refused, not replaced, because a replaced character in an address is another address.
 */

import { isAscii, isUtf8 } from "node:buffer";
import { RequestFault } from "../availability/request-fault.js";

export function xmlText(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (!isUtf8(bytes)) {
    throw new RequestFault(
      "malformed",
      "The request failed schema validation: the body is not UTF-8. Line 1, position 1.",
      {
        line: 1,
        column: 1,
      },
    );
  }
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** A finished message: a small one as text, which goes out in one write with its HTTP headers, a large one as bytes. */
export type XmlMessage = string | Buffer;

const SMALL_CHARACTERS = 32_768;
const UTF8 = new TextEncoder();

/** Each piece of a large message is encoded on its own: joining them first would cost more than encoding. */
export function xmlMessage(pieces: readonly string[]): XmlMessage {
  let characters = 0;
  for (const piece of pieces) characters += piece.length;
  if (characters <= SMALL_CHARACTERS) return pieces.join("");
  // Nearly everything in a message is ASCII. Counting its bytes first would go through all of it once more.
  return encoded(pieces, characters + (characters >> 3)) ?? (encoded(pieces, characters * 3) as Buffer);
}

/** Undefined when that many bytes are too few. */
function encoded(pieces: readonly string[], room: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(room);
  let at = 0;
  for (const piece of pieces) {
    const { read, written } = UTF8.encodeInto(piece, bytes.subarray(at));
    if (read < piece.length) return undefined;
    at += written;
  }
  return bytes.subarray(0, at);
}
