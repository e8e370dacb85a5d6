/**
 * Decides which endpoint of a backend a request goes to: the first in the configured order
 * that is not left alone, and the next when that one fails. Asking changes nothing at the
 * other end, so it may be asked twice. As long as there is another one to go to, an endpoint
 * has its share of the time only; the last one has what is left.
 *
 * Each endpoint has a channel of its own, made when it is first needed: an identity is proved
 * to one server.
 */

import type { InstantMs } from "../availability/time-window.js";
import type { AccountChannel } from "./account-options.js";
import { type Endpoint, isEndpointFailure, isGatewayFailure, SILENT } from "./endpoint.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";

/** Every endpoint is left alone. `detail`: since which problems, for logs. */
export class CircuitOpen extends TransportError {
  readonly detail: string;

  constructor(endpoints: readonly Endpoint[]) {
    super("CIRCUIT_OPEN", { cause: undefined });
    this.name = "CircuitOpen";
    this.detail = endpoints.map(({ standing: { name, problem } }) => `${name} after ${problem}`).join(", ");
  }
}

export class EndpointChannel implements AccountChannel {
  readonly #endpoints: readonly Endpoint[];
  readonly #make: (url: URL) => AccountChannel;
  readonly #timeoutMs: number;
  readonly #channels = new Map<Endpoint, AccountChannel>();

  /** `endpoints`: at least one. `timeoutMs`: how long a request may take in all. */
  constructor(endpoints: readonly Endpoint[], make: (url: URL) => AccountChannel, timeoutMs: number) {
    this.#endpoints = endpoints;
    this.#make = make;
    this.#timeoutMs = timeoutMs;
  }

  get expiresAt(): InstantMs | undefined {
    for (const { expiresAt } of this.#channels.values()) if (expiresAt !== undefined) return expiresAt;
    return undefined;
  }

  /** As the port has it; a {@link CircuitOpen} when nothing was sent. */
  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    let failed: { readonly answer: HttpAnswer } | { readonly error: unknown } | undefined;
    const inOrder = this.#inOrder();
    for (const [i, endpoint] of inOrder.entries()) {
      try {
        const send = () => this.#send(endpoint, inOrder.slice(i + 1), body, signal);
        const answer = await endpoint.ask(send, signal);
        if (answer === undefined) continue;
        if (!isGatewayFailure(answer)) return answer;
        failed = { answer };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!isEndpointFailure(error)) throw error;
        failed = { error };
      }
    }
    if (failed === undefined) throw new CircuitOpen(this.#endpoints);
    if ("error" in failed) throw failed.error;
    return failed.answer;
  }

  /** Of whichever answers first; when none does, what the first in the order came to. */
  async reach(signal: AbortSignal): Promise<number> {
    try {
      return await Promise.any(this.#endpoints.map((endpoint) => this.#channelOf(endpoint).reach(signal)));
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel.close()));
  }

  /** Those that are being tried by somebody else come last: they may be gone. */
  #inOrder(): Endpoint[] {
    const tested = this.#endpoints.filter(({ circuit }) => circuit === "half-open");
    return tested.length === 0
      ? [...this.#endpoints]
      : [...this.#endpoints.filter(({ circuit }) => circuit !== "half-open"), ...tested];
  }

  /** `others`: where it may be sent after that. */
  async #send(endpoint: Endpoint, others: readonly Endpoint[], body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const abort = new AbortController();
    const end = () => abort.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", end, { once: true });
    const silent = new TransportError(SILENT, { cause: undefined });
    const share = this.#timeoutMs / this.#endpoints.length;
    const elsewhere = others.some(({ circuit }) => circuit === "closed");
    const timer = elsewhere ? setTimeout(() => abort.abort(silent), share) : undefined;
    const started = performance.now();
    try {
      return await this.#channelOf(endpoint).post(body, abort.signal);
    } catch (error) {
      // Whoever gives up early, because it had waited in line before, says nothing about the endpoint.
      if (signal.aborted && performance.now() - started >= share / 2) throw silent;
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }

  #channelOf(endpoint: Endpoint): AccountChannel {
    let channel = this.#channels.get(endpoint);
    if (channel === undefined) {
      channel = this.#make(endpoint.url);
      this.#channels.set(endpoint, channel);
    }
    return channel;
  }
}
