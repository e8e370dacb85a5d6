/**
 * Decides how bytes travel to one endpoint with a bearer token (RFC 6750): whoever keeps
 * the token is asked for every request, and when the backend refuses it, one other token
 * is tried, once.
 *
 * Knows no XML, and not where tokens come from.
 */

import type { InstantMs } from "../availability/time-window.js";
import { USER_AGENT } from "../proxy/own-marks.js";
import type { HttpAnswer, HttpChannel } from "./http-channel.js";
import { HttpPool, type HttpPoolOptions } from "./http-pool.js";
import { withPatience } from "./identity-patience.js";
import { QUESTION_HEADERS } from "./question-headers.js";
import { TokenError, type TokenSource } from "./token-source.js";

export interface BearerEndpoint extends HttpPoolOptions {
  /** Closed with the transport. */
  readonly tokens: TokenSource;
  /** How long a request waits for a token. */
  readonly patienceMs: number;
}

export class BearerTransport implements HttpChannel {
  readonly #tokens: TokenSource;
  readonly #patienceMs: number;
  readonly #pool: HttpPool;

  constructor(endpoint: BearerEndpoint) {
    this.#tokens = endpoint.tokens;
    this.#patienceMs = endpoint.patienceMs;
    this.#pool = new HttpPool(endpoint);
  }

  /** When the token in use ends. */
  get expiresAt(): InstantMs | undefined {
    return this.#tokens.expiresAt;
  }

  /** As the port has it; a {@link TokenError} (a TransportError) when there is no token to send. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const token = await this.#token(signal);
    const answer = await this.#send(token, body, signal);
    if (answer.status !== 401) return answer;
    this.#tokens.refused(token);
    const other = await this.#otherToken(signal);
    return other === undefined || other === token ? answer : this.#send(other, body, signal);
  }

  async reach(signal: AbortSignal): Promise<number> {
    return (await this.#pool.get({ "user-agent": USER_AGENT }, signal)).status;
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#tokens.close()]);
  }

  /** Without one, the backend's refusal is the answer; but silence is no refusal. */
  async #otherToken(signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#token(signal);
    } catch (error) {
      if (error instanceof TokenError && error.code !== "TIMEOUT") return undefined;
      throw error;
    }
  }

  #token(signal: AbortSignal): Promise<string> {
    const patience = { patienceMs: this.#patienceMs, detail: "whoever grants tokens is slow or silent" };
    return withPatience((until) => this.#tokens.token(until), patience, signal);
  }

  #send(token: string, body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = {
      ...QUESTION_HEADERS,
      authorization: `Bearer ${token}`,
    };
    return this.#pool.post(headers, body, signal);
  }
}
