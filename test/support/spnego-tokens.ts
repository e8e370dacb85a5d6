/** SPNEGO as a client writes it. */

import { writeElement } from "../../src/inbound/der-elements.js";

const oid = (hex: string) => writeElement(0x06, Buffer.from(hex, "hex"));

export function negTokenInit(mechanisms: readonly string[], token: Buffer | undefined): Buffer {
  const fields = [writeElement(0xa0, writeElement(0x30, ...mechanisms.map(oid)))];
  if (token !== undefined) fields.push(writeElement(0xa2, writeElement(0x04, token)));
  return writeElement(0x60, oid("2b0601050502"), writeElement(0xa0, writeElement(0x30, ...fields)));
}

/** A client's later token. */
export function negTokenResponse(token: Buffer): Buffer {
  return writeElement(0xa1, writeElement(0x30, writeElement(0xa2, writeElement(0x04, token))));
}
