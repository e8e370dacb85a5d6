/** An HTTP server that does what it is told, and keeps what it was sent: a backend or a canary that must never be called. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface EvilServer {
  readonly origin: string;
  readonly url: string;
  readonly arrivals: { readonly authorization: string | undefined; readonly body: string }[];
  close(): Promise<void>;
}

export async function startEvil(
  serve: (reply: ServerResponse, request: IncomingMessage, body: string) => void = (reply) => reply.end(),
): Promise<EvilServer> {
  const arrivals: EvilServer["arrivals"] = [];
  const server = createServer(async (request, reply) => {
    let body = "";
    try {
      for await (const chunk of request) body += chunk;
    } catch {
      return;
    }
    arrivals.push({ authorization: request.headers.authorization, body });
    serve(reply, request, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/EWS/Exchange.asmx`,
    arrivals,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
