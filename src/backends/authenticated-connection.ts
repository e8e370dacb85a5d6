/**
 * Decides when a connection belongs to an identity: after a handshake on it, for as long as
 * it lives, and until the server asks again. Before that it carries no request, and when it
 * ends, so does what was proven on it.
 *
 * The request's body goes along with the last step, so that a new connection costs one
 * exchange more than a kept one.
 */

import { challengeFor, HandshakeFailure, type HandshakeScheme, type HandshakeStep } from "./handshake.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { QUESTION_HEADERS } from "./question-headers.js";
import { CONNECTION_ENDED, type ConnectionAnswer, type SingleConnection } from "./single-connection.js";
import { untilAborted } from "./until-aborted.js";

/** NTLM takes two; more than this no scheme needs. */
const MAXIMUM_STEPS = 6;

export class AuthenticatedConnection {
  readonly #connection: SingleConnection;
  readonly #scheme: HandshakeScheme;
  readonly #host: string;
  #authenticated = false;

  constructor(connection: SingleConnection, scheme: HandshakeScheme, host: string) {
    this.#connection = connection;
    this.#scheme = scheme;
    this.#host = host;
  }

  /** Whether the server has accepted who we are, and has not asked again since. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Whether it may carry a request as it is. */
  get ready(): boolean {
    return this.#authenticated && this.#connection.open;
  }

  /**
   * Proves who we are, and asks. Status 401: the server does not believe it. Another answer that leaves the connection
   * unauthenticated came from something in front of the server. Throws a {@link TransportError}, of which a
   * {@link HandshakeFailure} is one, or the signal's reason when it aborted.
   */
  async authenticate(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { word } = this.#scheme;
    const handshake = this.#scheme.begin({ host: this.#host, certificate: this.#connection.certificate });
    let step = await untilAborted(handshake.start(), signal);
    for (let taken = 1; taken <= MAXIMUM_STEPS; taken++) {
      const answer = await this.#take(step, taken, body, signal);
      if (answer.status !== 401) return this.#settled(step, answer);
      const challenge = challengeFor(word, answer.wwwAuthenticate);
      if (taken === 1 && challenge instanceof HandshakeFailure) throw challenge;
      if (step.last) return answer;
      if (challenge instanceof HandshakeFailure) throw challenge;
      if (challenge === undefined) {
        throw new HandshakeFailure("CHALLENGE_UNREADABLE", `HTTP 401, ${word} without a challenge`);
      }
      step = await untilAborted(handshake.next(challenge), signal);
    }
    throw new HandshakeFailure("CHALLENGE_UNREADABLE", `${word}: no end after ${MAXIMUM_STEPS} steps`);
  }

  /** On a connection that is ready. Status 401: it is no longer authenticated. Throws as `authenticate` does. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    if (!this.#authenticated) throw new Error("a request on a connection that is not authenticated");
    const answer = await this.#connection.send("POST", QUESTION_HEADERS, body, signal);
    if (answer.status === 401) this.#authenticated = false;
    return answer;
  }

  async close(): Promise<void> {
    this.#authenticated = false;
    await this.#connection.close();
  }

  async #take(step: HandshakeStep, count: number, body: string, signal: AbortSignal): Promise<ConnectionAnswer> {
    const { word } = this.#scheme;
    const headers = { ...QUESTION_HEADERS, authorization: `${word} ${step.token.toString("base64")}` };
    try {
      return await this.#connection.send("POST", headers, step.last ? body : null, signal);
    } catch (error) {
      if (count === 1 || !(error instanceof TransportError) || error.code !== CONNECTION_ENDED) throw error;
      const detail = `${word}: the server closes the connection that is being authenticated`;
      throw new HandshakeFailure("CONNECTION_NOT_KEPT", detail, { cause: error });
    }
  }

  /** Only answers that a server gives to somebody it knows count as its consent. */
  #settled(step: HandshakeStep, answer: ConnectionAnswer): HttpAnswer {
    const served = answer.status >= 200 && answer.status < 300;
    if (!step.last && served) {
      throw new HandshakeFailure(
        "NOT_ASKED_TO_AUTHENTICATE",
        `HTTP ${answer.status} to a request that had not been authenticated with ${this.#scheme.word}`,
      );
    }
    // A fault comes with 500.
    this.#authenticated = step.last && (served || answer.status === 500);
    return answer;
  }
}
