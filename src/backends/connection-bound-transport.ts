/**
 * Decides how bytes travel to one endpoint when it is the connection that is authenticated
 * (NTLM, Negotiate): a few connections of one identity, kept, each used by one request at a
 * time. Requests beyond that wait in the order they came.
 *
 * What a kept connection cannot answer, because it is dead or the server asks again, is
 * asked once more on a new one. As long as the server has not accepted the identity,
 * handshakes are made as in a {@link SecretTrial}, and a refusal answers everybody for a
 * while: a wrong password must not lock the account.
 *
 * Knows connections; knows no scheme and no XML.
 */

import { USER_AGENT } from "../proxy/own-marks.js";
import { WaitingLine } from "../proxy/waiting-line.js";
import { AuthenticatedConnection } from "./authenticated-connection.js";
import type { HandshakeScheme } from "./handshake.js";
import type { HttpChannel } from "./http-channel.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { SecretTrial } from "./secret-trial.js";
import { CONNECTION_ENDED, type ConnectionOptions, SingleConnection } from "./single-connection.js";

export interface ConnectionBoundEndpoint extends ConnectionOptions {
  /** The one identity of all connections. */
  readonly scheme: HandshakeScheme;
  readonly connections: number;
  /** How long a refusal of the identity is believed without asking again, in milliseconds. */
  readonly refusalHeldMs?: number;
}

const DEAD_CONNECTION: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE", CONNECTION_ENDED]);
const REFUSAL_HELD_MS = 30_000;

export class ConnectionBoundTransport implements HttpChannel {
  readonly #endpoint: ConnectionBoundEndpoint;
  readonly #places: WaitingLine;
  readonly #trial = new SecretTrial();
  readonly #open = new Set<AuthenticatedConnection>();
  /** Nobody's at the moment; the last used is used first, so that the others may end. */
  readonly #idle: AuthenticatedConnection[] = [];
  #accepted = false;
  #refusal: { readonly answer: HttpAnswer; readonly at: number } | undefined;
  #closed = false;

  constructor(endpoint: ConnectionBoundEndpoint) {
    this.#endpoint = endpoint;
    this.#places = new WaitingLine(endpoint.connections);
  }

  /** As the port has it; a HandshakeFailure (a TransportError) when no identity could be established. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    await this.#places.enter(signal);
    try {
      return (await this.#onKept(body, signal)) ?? (await this.#onNew(body, signal));
    } finally {
      this.#places.leave();
    }
  }

  async reach(signal: AbortSignal): Promise<number> {
    const connection = await SingleConnection.open(this.#endpoint, signal);
    try {
      return (await connection.send("GET", { "user-agent": USER_AGENT }, null, signal)).status;
    } finally {
      await connection.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((connection) => this.#end(connection)));
  }

  /** Undefined when there is no kept connection, or none that answers. */
  async #onKept(body: string, signal: AbortSignal): Promise<HttpAnswer | undefined> {
    const connection = this.#takeIdle();
    if (connection === undefined) return undefined;
    try {
      const answer = await connection.post(body, signal);
      if (connection.authenticated) {
        this.#idle.push(connection);
        return answer;
      }
      // The password may have changed: the next handshake is a first one again.
      this.#accepted = false;
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError) || !DEAD_CONNECTION.has(error.code)) {
        void this.#end(connection);
        throw error;
      }
    }
    void this.#end(connection);
    return undefined;
  }

  async #onNew(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    while (!this.#accepted) {
      // What was refused is not asked again for a while, so there is nobody to be alone for.
      if (this.#trial.isOpen(false)) return this.#trial.run(() => this.#authenticated(body, signal));
      await this.#trial.news(signal);
    }
    return this.#authenticated(body, signal);
  }

  /** On a new connection, which is kept when the server accepts it. */
  async #authenticated(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { scheme, url, refusalHeldMs = REFUSAL_HELD_MS } = this.#endpoint;
    const refusal = this.#refusal;
    if (refusal !== undefined && performance.now() - refusal.at < refusalHeldMs) return refusal.answer;
    if (this.#closed) throw new TransportError("UND_ERR_CLOSED", { cause: undefined });
    const socket = await SingleConnection.open(this.#endpoint, signal);
    const connection = new AuthenticatedConnection(socket, scheme, url.hostname);
    this.#open.add(connection);
    try {
      if (this.#closed) throw new TransportError("UND_ERR_CLOSED", { cause: undefined });
      const answer = await connection.authenticate(body, signal);
      this.#refusal = answer.status === 401 ? { answer, at: performance.now() } : undefined;
      if (connection.authenticated) this.#accepted = true;
      else if (answer.status === 401) this.#accepted = false;
      if (connection.ready) this.#idle.push(connection);
      else void this.#end(connection);
      return answer;
    } catch (error) {
      void this.#end(connection);
      throw error;
    }
  }

  #takeIdle(): AuthenticatedConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.ready) return connection;
      void this.#end(connection);
    }
    return undefined;
  }

  async #end(connection: AuthenticatedConnection): Promise<void> {
    this.#open.delete(connection);
    await connection.close();
  }
}
