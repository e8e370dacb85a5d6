/** Servers and transports of one test, which end with it. */

import { setMaxListeners } from "node:events";
import {
  type ConnectionBoundEndpoint,
  ConnectionBoundTransport,
} from "../../src/backends/connection-bound-transport.js";
import type { TransportError } from "../../src/backends/http-channel.js";
import { ntlmScheme } from "../../src/backends/ntlm-scheme.js";
import { NtlmHttpServer, type NtlmHttpServerOptions } from "./ntlm-http-server.js";

export const USERS = { svc: "canary-Svc-1", other: "canary-Other-2" };
export const never = new AbortController().signal;
// Every request listens to it.
setMaxListeners(0, never);

export class NtlmSite {
  readonly #closing: (() => Promise<unknown> | unknown)[] = [];

  onClose(close: () => Promise<unknown> | unknown): void {
    this.#closing.push(close);
  }

  async server(options: Partial<NtlmHttpServerOptions> = {}): Promise<NtlmHttpServer> {
    const server = await new NtlmHttpServer({ users: USERS, ...options }).listen();
    this.onClose(() => server.close());
    return server;
  }

  /** Three connections as CORP\\svc, unless told otherwise. */
  transport(url: URL, change: Partial<ConnectionBoundEndpoint> = {}, user: keyof typeof USERS = "svc") {
    const scheme = ntlmScheme({ username: `CORP\\${user}`, password: USERS[user] });
    const transport = new ConnectionBoundTransport({
      url,
      scheme,
      connections: 3,
      maximumAnswerBytes: 10_000,
      ...change,
    });
    this.onClose(() => transport.close());
    return transport;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }
}

/** What it was rejected with. */
export function failure(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: TransportError) => error,
  );
}
