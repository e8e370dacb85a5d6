/**
 * Decides what one connection to one origin is: made once, never made again. An HTTP client
 * that reconnects by itself would carry a request over a socket nobody has authenticated;
 * this one fails instead. One request at a time, no redirect followed, no answer larger
 * than the limit.
 *
 * Knows HTTP; knows no identity.
 */

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Client, type Dispatcher } from "undici";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { openSocket } from "./open-socket.js";

export interface ConnectionOptions {
  readonly url: URL;
  /** PEM, for a private certificate authority. */
  readonly ca?: string | undefined;
  readonly maximumAnswerBytes: number;
  /** What goes along with a request besides: of the trace it belongs to. */
  readonly alongside?: (() => Readonly<Record<string, string>>) | undefined;
}

/** An answer, and what it says about who may ask. */
export interface ConnectionAnswer extends HttpAnswer {
  readonly wwwAuthenticate: readonly string[];
}

/** The connection had ended before the request was sent. */
export const CONNECTION_ENDED = "CONNECTION_ENDED";
const CONNECT_TIMEOUT_MS = 5_000;
const KEPT_IDLE_MS = 30_000;
/** How much earlier than the server announces an idle connection is given up; undici's own second would end short ones at once. */
const EARLIER_THAN_SERVER_MS = 500;

export class SingleConnection {
  readonly #client: Client;
  readonly #path: string;
  readonly #socket: Socket;
  readonly #alongside: ConnectionOptions["alongside"];
  #ended = false;

  /** Throws a {@link TransportError}, or the signal's reason when it aborted. */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<SingleConnection> {
    const socket = await openSocket(options.url, { ca: options.ca, timeoutMs: CONNECT_TIMEOUT_MS }, signal);
    return new SingleConnection(options, socket);
  }

  private constructor({ url, maximumAnswerBytes, alongside }: ConnectionOptions, socket: Socket) {
    this.#alongside = alongside;
    this.#path = `${url.pathname}${url.search}`;
    this.#socket = socket;
    // Until the client takes the socket over, and should it never do so.
    socket.on("error", () => undefined);
    let taken = false;
    this.#client = new Client(url.origin, {
      pipelining: 1,
      allowH2: false,
      maxResponseSize: maximumAnswerBytes,
      // The caller's signal ends a request; undici's own timers are coarser.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEPT_IDLE_MS,
      keepAliveTimeoutThreshold: EARLIER_THAN_SERVER_MS,
      connect: (_, callback) => {
        const spent = taken || socket.destroyed;
        taken = true;
        // The client expects to be called back later.
        setImmediate(() => {
          if (spent || socket.destroyed) callback(new TransportError(CONNECTION_ENDED, { cause: undefined }), null);
          else callback(null, socket);
        });
      },
    });
    this.#client.on("disconnect", () => {
      this.#ended = true;
    });
  }

  /** False once it has ended. True promises nothing: the other side may have closed it a moment ago. */
  get open(): boolean {
    return !this.#ended && !this.#socket.destroyed;
  }

  /** Of the server, in DER; undefined without TLS. */
  get certificate(): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate()?.raw : undefined;
  }

  /** Any HTTP answer. Throws a {@link TransportError}, or the signal's reason when it aborted. */
  async send(
    method: "GET" | "POST",
    given: Record<string, string>,
    body: string | null,
    signal: AbortSignal,
  ): Promise<ConnectionAnswer> {
    const headers = this.#alongside === undefined ? given : { ...given, ...this.#alongside() };
    try {
      const answer = await this.#client.request({ method, path: this.#path, headers, body, signal });
      return read(answer, Buffer.from(await answer.body.arrayBuffer()));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const { code } = error as { code?: unknown };
      throw new TransportError(typeof code === "string" ? code : "UNKNOWN", { cause: error });
    }
  }

  /** At once, whatever is under way. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#socket.destroy();
    await this.#client.destroy();
  }
}

function read(answer: Dispatcher.ResponseData, body: Buffer): ConnectionAnswer {
  const all = (name: string) => [answer.headers[name] ?? []].flat();
  return {
    status: answer.statusCode,
    contentType: all("content-type")[0] ?? "",
    retryAfter: all("retry-after")[0],
    location: all("location")[0],
    contentEncoding: all("content-encoding")[0],
    wwwAuthenticate: all("www-authenticate"),
    body,
  };
}
