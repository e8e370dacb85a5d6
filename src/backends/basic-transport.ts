/**
 * Decides how bytes travel to one endpoint with HTTP Basic (RFC 7617): the header goes along
 * with every request, to the configured host and nowhere else.
 *
 * Knows HTTP; knows no XML.
 */

import { USER_AGENT } from "../proxy/own-marks.js";
import type { HttpAnswer, HttpChannel } from "./http-channel.js";
import { HttpPool, type HttpPoolOptions } from "./http-pool.js";
import { QUESTION_HEADERS } from "./question-headers.js";

export interface BasicEndpoint extends HttpPoolOptions {
  readonly username: string;
  readonly password: string;
}

export class BasicTransport implements HttpChannel {
  readonly #pool: HttpPool;
  readonly #headers: Record<string, string>;

  constructor(endpoint: BasicEndpoint) {
    const { username, password } = endpoint;
    this.#pool = new HttpPool(endpoint);
    this.#headers = {
      ...QUESTION_HEADERS,
      authorization: `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`,
    };
  }

  post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    // Asking changes nothing at the other end, so it may be asked again.
    return this.#pool.post(this.#headers, body, signal);
  }

  async reach(signal: AbortSignal): Promise<number> {
    return (await this.#pool.get({ "user-agent": USER_AGENT }, signal)).status;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
