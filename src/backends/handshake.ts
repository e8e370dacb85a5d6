/**
 * Port: how a scheme proves who we are to a server, token by token (RFC 4559's form: a
 * word and base64). Decides what is read from the server's WWW-Authenticate headers and
 * how its refusals are called. Knows no scheme and sends nothing.
 */

import { TransportError } from "./http-channel.js";

/** The scheme's name, as it stands in the header. */
export type SchemeWord = "NTLM" | "Negotiate";

/** The connection a proof is made for. */
export interface Peer {
  /** Of the configured URL, without port. */
  readonly host: string;
  /** The server's certificate in DER; undefined without TLS. */
  readonly certificate: Buffer | undefined;
}

export interface HandshakeStep {
  readonly token: Buffer;
  /** Whether the server should need nothing more: the request's body goes with this token. */
  readonly last: boolean;
}

/** One proof, for one connection. Rejects with a {@link HandshakeFailure}. */
export interface Handshake {
  start(): Promise<HandshakeStep>;
  /** With the server's answer to the step before. */
  next(challenge: Buffer): Promise<HandshakeStep>;
}

/** One identity. */
export interface HandshakeScheme {
  readonly word: SchemeWord;
  begin(peer: Peer): Handshake;
}

export type HandshakeFault =
  /** The server does not know the configured scheme. Nothing else is tried. */
  | "SCHEME_NOT_OFFERED"
  | "CHALLENGE_UNREADABLE"
  /** The server closed the connection that was being authenticated. */
  | "CONNECTION_NOT_KEPT"
  /** The server let us in before it knew us: whatever answers there is not what was configured. */
  | "NOT_ASKED_TO_AUTHENTICATE";

/** No identity could be established. `detail` is for logs: statuses and names of schemes, nothing secret. */
export class HandshakeFailure extends TransportError {
  readonly detail: string;

  constructor(fault: HandshakeFault, detail: string, options: { cause?: unknown } = {}) {
    super(fault, { cause: options.cause });
    this.name = "HandshakeFailure";
    this.detail = detail;
  }
}

const MAXIMUM_TOKEN_CHARACTERS = 65_536;

/** The server's token under this word. Undefined when the word is there alone; the failure when it is not there at all. */
export function challengeFor(word: SchemeWord, headers: readonly string[]): Buffer | undefined | HandshakeFailure {
  const offers = headers.flatMap(offersIn);
  const own = offers.filter((offer) => offer.scheme.toLowerCase() === word.toLowerCase());
  if (own.length === 0) {
    const names = [...new Set(offers.map((offer) => offer.scheme))].slice(0, 8).join(", ");
    return new HandshakeFailure("SCHEME_NOT_OFFERED", `HTTP 401 without ${word}; offered: ${names || "nothing"}`);
  }
  const token = own.find((offer) => offer.token !== undefined)?.token;
  if (token === undefined) return undefined;
  if (token.length > MAXIMUM_TOKEN_CHARACTERS || !/^[A-Za-z0-9+/]+={0,2}$/.test(token)) {
    return new HandshakeFailure("CHALLENGE_UNREADABLE", `HTTP 401, ${word} with something that is no base64`);
  }
  return Buffer.from(token, "base64");
}

/**
 * The challenges of one header. Several may share one, parted by commas, and so are a challenge's parameters: what has
 * a `=` right behind its first word is a parameter.
 */
function offersIn(header: string): { scheme: string; token: string | undefined }[] {
  return withoutQuoted(header)
    .split(",")
    .flatMap((part) => {
      const [, scheme, rest] = /^\s*([A-Za-z][A-Za-z0-9-]{0,31})(?:\s+(\S.*?))?\s*$/.exec(part) ?? [];
      return scheme === undefined ? [] : [{ scheme, token: rest }];
    });
}

function withoutQuoted(header: string): string {
  return header.slice(0, 2 * MAXIMUM_TOKEN_CHARACTERS).replace(/"(?:[^"\\]|\\.)*"/g, "");
}
