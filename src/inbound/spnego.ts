/**
 * Decides how a token of some mechanism is carried in SPNEGO (RFC 4178): what a client's
 * first and later tokens hold, and what we answer. The code over the list of mechanisms is
 * not looked at: to be talked down from Kerberos to NTLM, a caller has to be configured for
 * NTLM, too.
 *
 * Pure. Throws {@link DerError} for bytes that are no such token.
 */

import { type DerElement, DerError, elementOf, elementsOf, writeElement } from "./der-elements.js";

export interface SpnegoToken {
  /** "init": a client's first, with the mechanisms it could take in order; "response": any later one. */
  readonly kind: "init" | "response";
  /** Object identifiers, in hexadecimal of their DER content. */
  readonly mechanisms: readonly string[];
  /** For the first mechanism, in a first token. */
  readonly token: Buffer | undefined;
}

/** 1.3.6.1.4.1.311.2.2.10 */
export const NTLMSSP = "2b06010401823702020a";
/** Kerberos 5, by its own name (1.2.840.113554.1.2.2) and by the one that Windows puts first. */
export const KERBEROS: ReadonlySet<string> = new Set(["2a864886f712010202", "2a864882f712010202"]);
/** 1.3.6.1.5.5.2 */
const SPNEGO = "2b0601050502";

const APPLICATION_0 = 0x60;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const ENUMERATED = 0x0a;
const SEQUENCE = 0x30;
/** [0], [1], … constructed. */
const context = (number: number) => 0xa0 + number;
const ACCEPT_COMPLETED = Buffer.from([0]);
const ACCEPT_INCOMPLETE = Buffer.from([1]);

/** Whether the bytes claim to be SPNEGO: a token of NTLM may come without it. */
export function isSpnego(bytes: Buffer): boolean {
  return bytes[0] === APPLICATION_0 || bytes[0] === context(1);
}

export function readSpnego(bytes: Buffer): SpnegoToken {
  if (bytes[0] === context(1)) {
    const fields = elementsOf(elementOf(elementOf(bytes, context(1)), SEQUENCE));
    return { kind: "response", mechanisms: [], token: octets(fields, 2) };
  }
  const [name, token, ...more] = elementsOf(elementOf(bytes, APPLICATION_0));
  const isOurs = name?.tag === OBJECT_IDENTIFIER && name.content.toString("hex") === SPNEGO;
  if (!isOurs || token?.tag !== context(0) || more.length > 0) throw new DerError("no first token of SPNEGO");
  const fields = elementsOf(elementOf(token.content, SEQUENCE));
  const list = field(fields, 0);
  if (list === undefined) throw new DerError("no mechanisms");
  const mechanisms = elementsOf(elementOf(list, SEQUENCE)).map(({ tag, content }) => {
    if (tag !== OBJECT_IDENTIFIER) throw new DerError("a mechanism without a name");
    return content.toString("hex");
  });
  return { kind: "init", mechanisms, token: octets(fields, 2) };
}

/** Not yet: `token` is the mechanism's next message, or undefined when the client is to begin with it. */
export function writeSpnegoResponse(mechanism: string, token: Buffer | undefined): Buffer {
  return writeResponse(ACCEPT_INCOMPLETE, mechanism, token);
}

/** The last word: `token` is the mechanism's own proof, where it has one. */
export function writeSpnegoAccepted(mechanism: string, token: Buffer | undefined): Buffer {
  return writeResponse(ACCEPT_COMPLETED, mechanism, token);
}

function writeResponse(state: Buffer, mechanism: string, token: Buffer | undefined): Buffer {
  const fields = [
    writeElement(context(0), writeElement(ENUMERATED, state)),
    writeElement(context(1), writeElement(OBJECT_IDENTIFIER, Buffer.from(mechanism, "hex"))),
  ];
  if (token !== undefined) fields.push(writeElement(context(2), writeElement(OCTET_STRING, token)));
  return writeElement(context(1), writeElement(SEQUENCE, ...fields));
}

function field(fields: readonly DerElement[], number: number): Buffer | undefined {
  return fields.find(({ tag }) => tag === context(number))?.content;
}

function octets(fields: readonly DerElement[], number: number): Buffer | undefined {
  const content = field(fields, number);
  return content === undefined ? undefined : elementOf(content, OCTET_STRING);
}
