/** One connection of a client: requests go over it one after another, until it is cut. */

import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { Agent as TlsAgent, type AgentOptions as TlsOptions, request as tlsRequest } from "node:https";
import type { Socket } from "node:net";

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every value of WWW-Authenticate, in order. */
  readonly challenges: readonly string[];
  readonly text: string;
}

export class HttpConnection {
  readonly #url: URL;
  readonly #agent: Agent | TlsAgent;
  readonly sockets = new Set<Socket>();

  constructor(url: string, tls: TlsOptions = {}, maxSockets = 1) {
    this.#url = new URL(url);
    const options = { keepAlive: true, maxSockets };
    this.#agent = this.#url.protocol === "https:" ? new TlsAgent({ ...options, ...tls }) : new Agent(options);
  }

  ask(headers: Record<string, string> = {}, body = ""): Promise<HttpReply> {
    const open = this.#url.protocol === "https:" ? tlsRequest : request;
    return new Promise((resolve, reject) => {
      const outgoing = open(
        this.#url,
        { method: "POST", agent: this.#agent, headers: { "content-type": "text/xml", ...headers } },
        (reply) => {
          let text = "";
          reply.setEncoding("utf8");
          reply.on("data", (chunk: string) => {
            text += chunk;
          });
          reply.on("error", reject);
          reply.on("end", () =>
            resolve({
              status: reply.statusCode ?? 0,
              headers: reply.headers,
              challenges: reply.headersDistinct["www-authenticate"] ?? [],
              text: text.trim(),
            }),
          );
        },
      );
      outgoing.on("socket", (socket) => this.sockets.add(socket));
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  signIn(authorization: string, body = ""): Promise<HttpReply> {
    return this.ask({ authorization }, body);
  }

  close(): void {
    this.#agent.destroy();
  }
}
