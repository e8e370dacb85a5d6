/** A token endpoint on a port of its own, which keeps what it was sent and answers what the test says. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface AskedForToken {
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

export interface TokenEndpoint {
  readonly url: URL;
  readonly asked: AskedForToken[];
  /** By default the next token, for an hour. */
  answer: (reply: ServerResponse, count: number) => void;
  close(): Promise<void>;
}

export async function startTokenEndpoint(): Promise<TokenEndpoint> {
  const asked: AskedForToken[] = [];
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push({ headers: request.headers, form: new URLSearchParams(Buffer.concat(chunks).toString()) });
    endpoint.answer(reply, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint: TokenEndpoint = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant/oauth2/v2.0/token?x=1`),
    asked,
    answer: (reply, count) => sendJson(reply, 200, grantOf(`token-${count}`)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return endpoint;
}

export const grantOf = (token: string, expiresIn: unknown = 3600) => ({
  token_type: "Bearer",
  access_token: token,
  expires_in: expiresIn,
});

export function sendJson(reply: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) {
  reply.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}
