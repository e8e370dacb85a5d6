/**
 * Decides how bytes travel to one EWS endpoint: one connection pool, TLS verified, no
 * redirects followed, no answer larger than the limit, one repeat when a kept connection
 * turned out to be dead. Credentials go to the configured host and nowhere else.
 *
 * Knows HTTP; knows no XML.
 */

import { Pool } from "undici";
import { HOP_HEADER, USER_AGENT } from "../proxy/own-marks.js";

export interface EwsEndpoint {
  readonly url: URL;
  readonly username: string;
  readonly password: string;
  /** PEM, in addition to the system's roots, for a private certificate authority. */
  readonly ca?: string | undefined;
  readonly connections: number;
  readonly maximumAnswerBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
}

/** No connection, or none that lived long enough for a whole answer. `code` is Node's or undici's. */
export class TransportError extends Error {
  readonly code: string;

  constructor(code: string, options: { cause: unknown }) {
    super(code, options);
    this.name = "TransportError";
    this.code = code;
  }
}

const DEAD_CONNECTION = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
const CONNECT_TIMEOUT_MS = 5_000;

export class EwsTransport {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string>;

  constructor(endpoint: EwsEndpoint) {
    const { url, username, password, ca } = endpoint;
    this.#path = `${url.pathname}${url.search}`;
    this.#pool = new Pool(url.origin, {
      connections: endpoint.connections,
      maxResponseSize: endpoint.maximumAnswerBytes,
      // The caller's signal ends a request; undici's own timers are coarser.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
      allowH2: false,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca !== undefined && { ca }) },
    });
    this.#headers = {
      "content-type": "text/xml; charset=utf-8",
      accept: "text/xml",
      "user-agent": USER_AGENT,
      [HOP_HEADER]: "1",
      authorization: `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`,
    };
  }

  /** Any HTTP answer, whatever its status. Throws a {@link TransportError}, or the signal's reason when it aborted. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#send("POST", body, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError) || !DEAD_CONNECTION.has(error.code)) throw error;
      // Asking changes nothing at the other end, so it may be asked again.
      return await this.#send("POST", body, signal);
    }
  }

  /** The status of an unauthenticated GET: whether anybody is there. */
  async reach(signal: AbortSignal): Promise<number> {
    return (await this.#send("GET", undefined, signal)).status;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(method: "GET" | "POST", body: string | undefined, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      const headers = method === "POST" ? this.#headers : { "user-agent": USER_AGENT };
      const answer = await this.#pool.request({ method, path: this.#path, headers, body: body ?? null, signal });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      const header = (name: string) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value[0] : value;
      };
      return {
        status: answer.statusCode,
        contentType: header("content-type") ?? "",
        retryAfter: header("retry-after"),
        location: header("location"),
        contentEncoding: header("content-encoding"),
        body: bytes,
      };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new TransportError(codeOf(error), { cause: error });
    }
  }
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: { code?: unknown }[] };
  const found = code ?? errors?.[0]?.code;
  return typeof found === "string" ? found : "UNKNOWN";
}
