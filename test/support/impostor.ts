/** Something that listens where a server should be, and is none. */

import { createServer, type Socket } from "node:net";
import type { ServerProcess } from "./server-process.js";

export interface Impostor {
  readonly host: string;
  readonly port: number;
  /** Nobody listens there any more, and every connection is cut. */
  close(): Promise<void>;
}

/** What it says is up to `connected`, told of each connection. */
export async function startImpostor(
  connected: (socket: Socket) => void,
  host = "127.0.0.1",
  port = 0,
): Promise<Impostor> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    host,
    port: (server.address() as { port: number }).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export interface Replaceable {
  readonly server: ServerProcess;
  readonly host: string;
  readonly port: number;
}

/** From `begin` to `end` an impostor is where a server was. */
export function replacement({ server, host, port }: Replaceable, connected: (socket: Socket) => void) {
  let impostor: Impostor | undefined;
  return {
    begin: async () => {
      await server.kill();
      impostor = await startImpostor(connected, host, port);
    },
    end: async () => {
      await impostor?.close();
      await server.start();
    },
  };
}
