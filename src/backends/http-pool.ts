/**
 * Decides how HTTP requests travel to one origin over connections that belong to nobody:
 * TLS verified, no redirect followed, no answer larger than the limit, one repeat when a
 * kept connection turned out to be dead.
 *
 * Knows HTTP; knows no identity, so whatever proves one goes along in the headers. What it
 * throws quotes neither those nor the answer.
 */

import { Pool } from "undici";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { sharedLookup } from "./shared-lookup.js";

export interface HttpPoolOptions {
  readonly url: URL;
  /** PEM of the authorities to trust, as for Node's TLS; the usual ones when undefined. */
  readonly ca?: string | undefined;
  readonly connections: number;
  readonly maximumAnswerBytes: number;
  /** What goes along with a request besides: of the trace it belongs to. */
  readonly alongside?: (() => Readonly<Record<string, string>>) | undefined;
}

const DEAD_CONNECTION: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
const CONNECT_TIMEOUT_MS = 5_000;

export class HttpPool {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #alongside: HttpPoolOptions["alongside"];

  constructor({ url, ca, connections, maximumAnswerBytes, alongside }: HttpPoolOptions) {
    this.#alongside = alongside;
    this.#path = `${url.pathname}${url.search}`;
    this.#pool = new Pool(url.origin, {
      connections,
      maxResponseSize: maximumAnswerBytes,
      // The caller's signal ends a request; undici's own timers are coarser.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
      allowH2: false,
      connect: { timeout: CONNECT_TIMEOUT_MS, lookup: sharedLookup, ...(ca !== undefined && { ca }) },
    });
  }

  /**
   * Any HTTP answer, whatever its status. May be sent twice, so only for what changes nothing at the other end. Throws a
   * {@link TransportError}, or the signal's reason when it aborted.
   */
  async post(headers: Record<string, string>, body: string, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#send("POST", headers, body, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError) || !DEAD_CONNECTION.has(error.code)) throw error;
      return await this.#send("POST", headers, body, signal);
    }
  }

  /** As `post`. */
  get(headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#send("GET", headers, null, signal);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(
    method: "GET" | "POST",
    given: Record<string, string>,
    body: string | null,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const headers = this.#alongside === undefined ? given : { ...given, ...this.#alongside() };
    try {
      const answer = await this.#pool.request({ method, path: this.#path, headers, body, signal });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      const first = (name: string) => [answer.headers[name] ?? []].flat()[0];
      return {
        status: answer.statusCode,
        contentType: first("content-type") ?? "",
        retryAfter: first("retry-after"),
        location: first("location"),
        contentEncoding: first("content-encoding"),
        body: bytes,
      };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // Not kept as a cause: undici's parser errors hold what was received, an echoed credential maybe.
      throw new TransportError(codeOf(error), { cause: undefined });
    }
  }
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: { code?: unknown }[] };
  const found = code ?? errors?.[0]?.code;
  return typeof found === "string" ? found : "UNKNOWN";
}
