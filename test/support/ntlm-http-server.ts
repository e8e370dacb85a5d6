/**
 * A server that authenticates connections with NTLM, and keeps the books of what came over
 * which connection in whose name. It answers with what it was asked, and by whom.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { serverEndPoint } from "../../src/ntlm/channel-binding.js";
import { beginNtlm, type NtlmExchange, type NtlmServerOptions } from "../../src/ntlm/ntlm-server.js";
import { ntHash } from "../../src/ntlm/ntlmv2.js";

/** One request, as it arrived. */
export interface Arrival {
  readonly connection: number;
  readonly authorization: string | undefined;
  readonly body: string;
  /** In whose name it was answered; undefined: with a 401. */
  readonly user: string | undefined;
}

export interface NtlmHttpServerOptions {
  /** Password by user, of domain CORP. */
  readonly users: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string; readonly der: Buffer };
  readonly ntlm?: Partial<NtlmServerOptions>;
}

export class NtlmHttpServer {
  readonly arrivals: Arrival[] = [];
  /** What a 401 offers. */
  offers: readonly string[] = ["Negotiate", "NTLM", 'Basic realm="somewhere, NTLM"'];
  /** Answers in place of the server, when it returns true. */
  instead: ((request: IncomingMessage, reply: ServerResponse, user: string | undefined) => boolean) | undefined;
  /** Whether refused and challenged connections are closed, too. */
  closesOn401 = false;
  readonly #options: NtlmHttpServerOptions;
  readonly #server: ReturnType<typeof createServer>;
  readonly #connections = new Map<Socket, { number: number; exchange?: NtlmExchange; user?: string | undefined }>();
  #count = 0;

  constructor(options: NtlmHttpServerOptions) {
    this.#options = options;
    const serve = (request: IncomingMessage, reply: ServerResponse) => void this.#serve(request, reply);
    this.#server = options.tls ? createTlsServer({ ...options.tls }, serve) : createServer(serve);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(options.tls ? "secureConnection" : "connection", (socket: Socket) => {
      this.#connections.set(socket, { number: ++this.#count });
      socket.on("close", () => this.#connections.delete(socket));
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): URL {
    const { port } = this.#server.address() as AddressInfo;
    return new URL(`${this.#options.tls ? "https" : "http"}://127.0.0.1:${port}/EWS/Exchange.asmx`);
  }

  /** How many AUTHENTICATE messages came. */
  get proofs(): number {
    return this.arrivals.filter(({ authorization }) => messageType(authorization) === 3).length;
  }

  get connections(): number {
    return this.#count;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Every connection is cut. */
  cut(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  /** Every connection stays, and has to authenticate again. */
  forget(): void {
    for (const state of this.#connections.values()) state.user = undefined;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const state = this.#connections.get(request.socket);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    if (state === undefined) return;
    const { authorization } = request.headers;
    const challenge = this.#authenticate(authorization, state);
    const body = Buffer.concat(chunks).toString("utf8");
    this.arrivals.push({ connection: state.number, authorization, body, user: state.user });
    if (this.instead?.(request, reply, state.user)) return;
    if (state.user === undefined) {
      reply.setHeader("WWW-Authenticate", challenge === undefined ? [...this.offers] : [challenge]);
      if (this.closesOn401) reply.setHeader("Connection", "close");
      reply.writeHead(401, { "content-type": "text/html", "content-length": 2 }).end("no");
      return;
    }
    reply.writeHead(200, { "content-type": "text/xml" }).end(`${state.user}: ${body}`);
  }

  /** The header with the challenge, when there is one. */
  #authenticate(authorization: string | undefined, state: { exchange?: NtlmExchange; user?: string | undefined }) {
    const [word, token = ""] = authorization?.split(" ") ?? [];
    if (word !== "NTLM" && word !== "Negotiate") return undefined;
    state.user = undefined;
    const message = Buffer.from(token, "base64");
    const { tls, users, ntlm } = this.#options;
    if (messageType(authorization) === 3) {
      const endPoint = tls && serverEndPoint(tls.der);
      const verdict = state.exchange?.verify(message, endPoint ? [endPoint] : []);
      if (verdict?.kind === "authenticated") state.user = verdict.account;
      return undefined;
    }
    const beginning = beginNtlm(message, {
      domain: "CORP",
      computer: "EXCHANGE",
      dnsComputer: "exchange.corp.example",
      find: (user, domain) => {
        const password = domain === "CORP" ? users[user] : undefined;
        return password === undefined ? undefined : { name: user, hash: ntHash(password) };
      },
      ...ntlm,
    });
    if (beginning.kind === "refused") return undefined;
    state.exchange = beginning.exchange;
    return `${word} ${beginning.message.toString("base64")}`;
  }
}

/** 1 NEGOTIATE, 3 AUTHENTICATE; undefined for anything else. */
export function messageType(authorization: string | undefined): number | undefined {
  const [, token] = /^(?:NTLM|Negotiate) ([A-Za-z0-9+/=]+)$/.exec(authorization ?? "") ?? [];
  const message = Buffer.from(token ?? "", "base64");
  return message.toString("latin1", 0, 7) === "NTLMSSP" ? message[8] : undefined;
}
