/**
 * Decides whose a connection is, by NTLM, in a header of that name or in Negotiate, there
 * bare or inside of SPNEGO. Three messages on one connection, of which each may be used
 * once; from then on the connection is its caller's until it ends or somebody signs in on
 * it again. What Negotiate brings of Kerberos is handed on, where somebody takes it.
 *
 * To check an answer the password itself is needed, or its NT hash, which is worth as much:
 * a caller that signs in so has `password` or `ntHash` by reference, beside or in place of
 * `passwordHash`. Never throws, never logs.
 */

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { serverEndPoint } from "../ntlm/channel-binding.js";
import { NtlmMessageError } from "../ntlm/message-error.js";
import { readAuthenticate } from "../ntlm/ntlm-messages.js";
import { beginNtlm, type NtlmExchange, type NtlmServerOptions } from "../ntlm/ntlm-server.js";
import type { NtHash } from "../ntlm/ntlmv2.js";
import type { Caller } from "../proxy/asking.js";
import type { SignInRequest, SignInScheme, StandingIdentity, Verdict } from "./caller-authentication.js";
import { DerError } from "./der-elements.js";
import { HalfDoneHandshakes } from "./half-done-handshakes.js";
import type { KerberosAcceptor } from "./kerberos-acceptor.js";
import { PerConnection } from "./per-connection.js";
import type { SignInBackoff } from "./sign-in-backoff.js";
import { isSpnego, KERBEROS, NTLMSSP, readSpnego, writeSpnegoAccepted, writeSpnegoResponse } from "./spnego.js";

export interface NtlmCallerAccount {
  readonly caller: Caller;
  /** `DOMAIN\user`, `user@domain` or `user`, as the caller writes it; case does not matter. */
  readonly usernames: readonly string[];
  readonly hash: NtHash;
}

export interface NtlmAuthenticationParts extends Omit<NtlmServerOptions, "find" | "now"> {
  readonly accounts: readonly NtlmCallerAccount[];
  readonly backoff: SignInBackoff;
  /** Absent: a client that would rather have Kerberos is told to begin with NTLM. */
  readonly kerberos?: KerberosAcceptor | undefined;
  readonly now: () => number;
}

type Word = "NTLM" | "Negotiate";
/** `exchange`: a challenge was sent; without: the client was told to begin with NTLM. */
interface Step {
  readonly word: Word;
  readonly inSpnego: boolean;
  readonly exchange: NtlmExchange | undefined;
}
/** One message as it came, without its wrapping. */
interface Arrived {
  readonly message: Buffer;
  readonly inSpnego: boolean;
}

const MOST_HALF_DONE = 2_000;
const HALF_DONE_MS = 15_000;
const OUT_OF_TURN = failure("handshake-out-of-turn");
const UNREADABLE = failure("ntlm-unreadable");
const SIGNATURE = "NTLMSSP\0";

export class NtlmAuthentication implements StandingIdentity {
  readonly #parts: NtlmAuthenticationParts;
  readonly #accounts = new Map<string, NtlmCallerAccount>();
  readonly #handshakes: HalfDoneHandshakes<Step>;
  readonly #callers = new PerConnection<Caller>();

  constructor(parts: NtlmAuthenticationParts) {
    this.#parts = parts;
    this.#handshakes = new HalfDoneHandshakes(MOST_HALF_DONE, HALF_DONE_MS, parts.now);
    for (const account of parts.accounts) {
      for (const username of account.usernames) this.#accounts.set(username.toLowerCase(), account);
    }
  }

  /** The way to sign in under one of the two names. They share their connections. */
  scheme(word: Word): SignInScheme {
    return {
      word: word.toLowerCase(),
      offer: word,
      bindsConnection: true,
      authenticate: (header, request) => this.#step(word, header.slice(word.length + 1), request),
    };
  }

  callerOf({ socket }: SignInRequest): Caller | undefined {
    return this.#callers.get(socket);
  }

  forget(socket: Socket): void {
    this.#callers.set(socket, undefined);
  }

  /** How many handshakes wait for their last message. */
  get halfDone(): number {
    return this.#handshakes.size;
  }

  #step(word: Word, text: string, request: SignInRequest): Verdict | Promise<Verdict> {
    this.#callers.set(request.socket, undefined);
    const before = this.#handshakes.take(request.socket);
    const arrived = this.#unwrapped(word, text, request.socket, before);
    if (arrived instanceof Promise || "kind" in arrived) return arrived;
    const { message, inSpnego } = arrived;
    if (message.length < 12 || message.toString("latin1", 0, 8) !== SIGNATURE) return UNREADABLE;
    if (message.readUInt32LE(8) === 1) return this.#challenge(word, arrived, request.socket);
    const fits = before?.exchange !== undefined && before.word === word && before.inSpnego === inSpnego;
    return fits ? this.#proof(message, before.exchange, request) : OUT_OF_TURN;
  }

  /** The message in a header, or what is said to one that holds none for us. */
  #unwrapped(word: Word, text: string, socket: Socket, before: Step | undefined): Arrived | Verdict | Promise<Verdict> {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return UNREADABLE;
    const bytes = Buffer.from(text, "base64");
    if (word === "NTLM" || !isSpnego(bytes)) return { message: bytes, inSpnego: false };
    try {
      const { kind, mechanisms, token } = readSpnego(bytes);
      if (kind === "response") {
        if (before?.inSpnego !== true) return OUT_OF_TURN;
        return token === undefined ? UNREADABLE : { message: token, inSpnego: true };
      }
      const [first = ""] = mechanisms;
      const { kerberos } = this.#parts;
      if (kerberos !== undefined && KERBEROS.has(first) && token !== undefined) {
        return this.#ticket(kerberos, first, token, socket);
      }
      if (!mechanisms.includes(NTLMSSP)) return failure("unsupported-mechanism");
      if (first === NTLMSSP && token !== undefined) return { message: token, inSpnego: true };
      // Its first choice, and the token for it, is something else: it is asked to begin again with NTLM.
      this.#handshakes.begin(socket, { word, inSpnego: true, exchange: undefined });
      return { kind: "continue", challenge: `${word} ${writeSpnegoResponse(NTLMSSP, undefined).toString("base64")}` };
    } catch (error) {
      if (error instanceof DerError) return UNREADABLE;
      throw error;
    }
  }

  async #ticket(kerberos: KerberosAcceptor, mechanism: string, token: Buffer, socket: Socket): Promise<Verdict> {
    const accepted = await kerberos.accept(token);
    if (accepted === undefined) return failure("kerberos-refused");
    const { caller, answer } = accepted;
    this.#callers.set(socket, caller);
    const proof = `Negotiate ${writeSpnegoAccepted(mechanism, answer).toString("base64")}`;
    return { kind: "known", caller, proof };
  }

  #challenge(word: Word, { message, inSpnego }: Arrived, socket: Socket): Verdict {
    const beginning = beginNtlm(message, { ...this.#parts, find: this.#find });
    if (beginning.kind === "refused") return failure(`ntlm-${beginning.reason}`);
    this.#handshakes.begin(socket, { word, inSpnego, exchange: beginning.exchange });
    const answer = inSpnego ? writeSpnegoResponse(NTLMSSP, beginning.message) : beginning.message;
    return { kind: "continue", challenge: `${word} ${answer.toString("base64")}` };
  }

  #proof(message: Buffer, exchange: NtlmExchange, { socket, ip }: SignInRequest): Verdict {
    const name = nameIn(message);
    const { backoff } = this.#parts;
    const wait = backoff.begin(ip, name);
    if (wait > 0) return { kind: "failed", reason: "too-many-failures", retryAfterMs: wait };
    const verdict = exchange.verify(message, endPointsOf(socket));
    if (verdict.kind === "refused") {
      return failure(verdict.reason === "wrong-credentials" ? "bad-credentials" : `ntlm-${verdict.reason}`);
    }
    const account = this.#accounts.get(verdict.account);
    if (account === undefined) return failure("bad-credentials");
    backoff.succeeded(ip, name);
    this.#callers.set(socket, account.caller);
    return { kind: "known", caller: account.caller };
  }

  /** Some clients put `user@domain` in the place of the user and add a domain, which then says nothing. */
  readonly #find = (user: string, domain: string) => {
    const name = nameOf(user, domain);
    const account = this.#accounts.get(name);
    return account === undefined ? undefined : { name, hash: account.hash };
  };
}

function nameOf(user: string, domain: string): string {
  return (domain === "" || user.includes("@") ? user : `${domain}\\${user}`).toLowerCase();
}

/** Whom a message claims to come from; nobody, when it cannot be read. */
function nameIn(message: Buffer): string {
  try {
    const { user, domain } = readAuthenticate(message);
    return nameOf(user, domain);
  } catch (error) {
    if (error instanceof NtlmMessageError) return "";
    throw error;
  }
}

/** The certificate that this very connection was shown, also when it has been renewed since. */
function endPointsOf(socket: Socket): readonly Buffer[] {
  const shown = socket instanceof TLSSocket ? socket.getX509Certificate()?.raw : undefined;
  const endPoint = shown === undefined ? undefined : serverEndPoint(shown);
  return endPoint === undefined ? [] : [endPoint];
}

function failure(reason: Extract<Verdict, { readonly kind: "failed" }>["reason"]): Verdict {
  return { kind: "failed", reason };
}
