/** A real Redis server of the test's own, on a free port of an address of its own, with nothing on disk. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownLoopbackAddress, ServerProcess } from "./server-process.js";

const PROGRAM = ["/usr/bin/redis-server", "/usr/bin/valkey-server"].find(existsSync);
export const hasRedis = PROGRAM !== undefined;
export const REDIS_MISSING = "SKIPPED: no Redis server to test against (Debian: redis-server)\n";
if (!hasRedis) process.stderr.write(REDIS_MISSING);

export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly server: ServerProcess;
  remove(): Promise<void>;
}

export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const host = ownLoopbackAddress();
  const port = await freePort(host);
  const listening = ["--bind", host, "--port", String(port), "--dir", folder, "--save", "", "--appendonly", "no"];
  const server = new ServerProcess([PROGRAM as string, ...listening, ...settings], host, port);
  const remove = async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await server.start();
  return { url: `redis://${host}:${port}`, host, port, server, remove };
}

/** Free now, on an address that only this process uses. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
