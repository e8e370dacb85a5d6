/** A wire between client and server that can be cut, or go dead without a word. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Relay {
  /** On 127.0.0.1. */
  readonly port: number;
  /** How many connections have been made through it so far. */
  connections(): number;
  /** Cuts the next `times` connections on which the client sends something. */
  cut(times: number): void;
  /** What is connected now stays so, and nothing passes any more. */
  silence(): void;
  close(): Promise<void>;
}

export async function startRelay(host: string, port: number): Promise<Relay> {
  const open = new Set<{ client: Socket; dead: boolean }>();
  let cuts = 0;
  let count = 0;
  const server = createServer((client) => {
    const wire = { client, dead: false };
    const onward = connect(port, host);
    open.add(wire);
    count++;
    const end = () => {
      client.destroy();
      onward.destroy();
      open.delete(wire);
    };
    for (const socket of [client, onward]) socket.on("error", end).on("close", end);
    client.on("data", (chunk) => {
      if (cuts > 0) {
        cuts--;
        end();
      } else if (!wire.dead) onward.write(chunk);
    });
    onward.on("data", (chunk) => {
      if (!wire.dead) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => count,
    cut: (times) => {
      cuts = times;
    },
    silence: () => {
      for (const wire of open) wire.dead = true;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { client } of open) client.destroy();
      await closed;
    },
  };
}
