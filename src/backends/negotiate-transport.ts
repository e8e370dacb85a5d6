/**
 * Decides how bytes travel to one endpoint with Kerberos under the word Negotiate: a token
 * goes along with every request. Servers that remember a connection's identity and servers
 * that ask each time are served alike, and the connections are one account's anyway.
 *
 * Knows HTTP; knows no XML, and not where tokens come from.
 */

import { USER_AGENT } from "../proxy/own-marks.js";
import type { HttpAnswer, HttpChannel } from "./http-channel.js";
import { HttpPool, type HttpPoolOptions } from "./http-pool.js";
import type { KerberosTickets } from "./kerberos-tickets.js";
import { QUESTION_HEADERS } from "./question-headers.js";

export interface NegotiateEndpoint extends HttpPoolOptions {
  readonly tickets: Pick<KerberosTickets, "token">;
}

export class NegotiateTransport implements HttpChannel {
  readonly #tickets: Pick<KerberosTickets, "token">;
  readonly #pool: HttpPool;

  constructor(endpoint: NegotiateEndpoint) {
    this.#tickets = endpoint.tickets;
    this.#pool = new HttpPool(endpoint);
  }

  /** As the port has it; a TokenError (a TransportError) when there is no ticket. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = {
      ...QUESTION_HEADERS,
      authorization: `Negotiate ${await this.#tickets.token(signal)}`,
    };
    return this.#pool.post(headers, body, signal);
  }

  async reach(signal: AbortSignal): Promise<number> {
    return (await this.#pool.get({ "user-agent": USER_AGENT }, signal)).status;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
