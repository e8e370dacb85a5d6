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
import { withPatience } from "./identity-patience.js";
import type { KerberosTickets } from "./kerberos-tickets.js";
import { QUESTION_HEADERS } from "./question-headers.js";

export interface NegotiateEndpoint extends HttpPoolOptions {
  readonly tickets: Pick<KerberosTickets, "token">;
  /** How long a request waits for one. */
  readonly patienceMs: number;
}

export class NegotiateTransport implements HttpChannel {
  readonly #tickets: Pick<KerberosTickets, "token">;
  readonly #patienceMs: number;
  readonly #pool: HttpPool;

  constructor(endpoint: NegotiateEndpoint) {
    this.#tickets = endpoint.tickets;
    this.#patienceMs = endpoint.patienceMs;
    this.#pool = new HttpPool(endpoint);
  }

  /** As the port has it; a TokenError (a TransportError) when there is no ticket. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const patience = { patienceMs: this.#patienceMs, detail: "no Kerberos ticket in time: the KDC is slow or silent" };
    const token = await withPatience((until) => this.#tickets.token(until), patience, signal);
    return this.#pool.post({ ...QUESTION_HEADERS, authorization: `Negotiate ${token}` }, body, signal);
  }

  async reach(signal: AbortSignal): Promise<number> {
    return (await this.#pool.get({ "user-agent": USER_AGENT }, signal)).status;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
