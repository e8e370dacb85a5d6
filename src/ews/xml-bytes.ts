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

/** Each piece of a large message is encoded on its own: joining them first would cost more than encoding. */
export function xmlMessage(pieces: readonly string[]): XmlMessage {
  let characters = 0;
  for (const piece of pieces) characters += piece.length;
  if (characters <= SMALL_CHARACTERS) return pieces.join("");
  let length = 0;
  for (const piece of pieces) length += Buffer.byteLength(piece);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of pieces) at += bytes.write(piece, at);
  return bytes;
}
