/** The ways in which a site may run its server: with a password, over TLS, behind sentinels, as a cluster. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import type { RedisStore, RedisStoreOptions } from "../../src/caches/redis-store.js";
import { issueCertificate } from "../support/certificates.js";
import { startImpostor } from "../support/impostor.js";
import { freePort, hasRedis, type RedisServer, startRedis } from "../support/redis-server.js";
import { redisStore } from "../support/redis-store.js";
import { ownLoopbackAddress, ServerProcess } from "../support/server-process.js";
import { until } from "../support/until.js";

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});
const folderOf = () => {
  const folder = mkdtempSync(join(tmpdir(), "redis-store-"));
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const started = async (...settings: readonly string[]) => {
  const redis = await startRedis(...settings);
  cleanUp.push(() => redis.remove());
  return redis;
};

interface Opened {
  readonly store: RedisStore;
  readonly heard: string[];
  readonly forgottenAll: () => number;
}

async function open(change: Partial<RedisStoreOptions>): Promise<Opened> {
  const heard: string[] = [];
  let forgottenAll = 0;
  const store = redisStore(change);
  cleanUp.push(() => store.stop());
  await store.start({ heard: (message) => void heard.push(message.toString()), forgetAll: () => void forgottenAll++ });
  return { store, heard, forgottenAll: () => forgottenAll };
}

/** All a store is there for, between two gateways. */
async function works(change: Partial<RedisStoreOptions>): Promise<void> {
  const [one, two] = [await open(change), await open(change)];
  await until(() => one.store.state.joined && two.store.state.joined);
  const names = ["a", "b", "c"];
  const written = names.map((name) => ({ name, value: Buffer.from(`of ${name}`), ttlMs: 60_000 }));
  expect(await one.store.write(written)).toBe(true);
  const read = async () => (await two.store.read([...names, "none"]))?.map((value) => value?.toString());
  expect(await read()).toEqual(["of a", "of b", "of c", undefined]);
  expect(await two.store.bury(["b"])).toBe(true);
  await one.store.write(written);
  expect(await read()).toEqual(["of a", "", "of c", undefined]);
  expect(await one.store.tell(Buffer.from("news"))).toBe(true);
  await until(() => two.heard.length > 0);
  expect(two.heard).toEqual(["news"]);
  const before = two.forgottenAll();
  expect(await one.store.buryAll()).toBe(true);
  await until(() => two.forgottenAll() > before);
  expect(await read()).toEqual([undefined, undefined, undefined, undefined]);
}

describe.skipIf(!hasRedis)("a Redis server", () => {
  it("with a password is used by whoever has it, and by nobody else, who is told why", async () => {
    const { url } = await started("--requirepass", "s3cret");
    await works({ urls: [url], password: "s3cret" });
    const { store } = await open({ urls: [url], password: "wrong" });
    expect(store.state.joined).toBe(false);
    expect(store.state.problem).toMatch(/WRONGPASS|NOAUTH/);
    expect(store.state.problem).not.toContain("wrong");
  });

  it("over TLS is used when its certificate is of the authority named, and not otherwise", async () => {
    const folder = folderOf();
    const host = ownLoopbackAddress();
    const { ca, certFile, keyFile, caFile } = issueCertificate(folder, host);
    const files = ["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", caFile];
    const port = await freePort(host);
    await started("--tls-port", String(port), "--tls-auth-clients", "no", ...files);
    const urls = [`rediss://${host}:${port}`];
    await works({ urls, ca });
    const { store } = await open({ urls });
    expect(store.state).toMatchObject({ joined: false, problem: expect.stringMatching(/certificate|issuer/i) });
  });

  it("of a cluster is found through any node", async () => {
    const host = ownLoopbackAddress();
    const bus = ["--cluster-port", String(await freePort(host)), "--cluster-announce-ip", host];
    const redis = await started("--cluster-enabled", "yes", ...bus);
    const inside = new Redis(redis.url);
    await inside.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    while (!String(await inside.call("CLUSTER", "INFO")).includes("cluster_state:ok")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    inside.disconnect();
    await works({ urls: [redis.url], topology: "cluster" });
  });

  it.skipIf(!existsSync("/usr/bin/redis-cli"))(
    "that is one of six in a cluster dies, and the gateways go on with the one that takes its place",
    async () => {
      // One after the other, and again where somebody was quicker to take a port that was free.
      const nodes: RedisServer[] = [];
      for (let attempt = 1; nodes.length < 6; attempt++) {
        const host = ownLoopbackAddress();
        const bus = ["--cluster-port", String(await freePort(host)), "--cluster-announce-ip", host];
        const soon = ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
        const node = await started("--cluster-enabled", "yes", ...soon, ...bus).catch((error: unknown) => {
          if (attempt >= 12) throw error;
          return undefined;
        });
        if (node !== undefined) nodes.push(node);
      }
      const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
      const form = ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
      execFileSync("redis-cli", form, { timeout: 20_000 });
      const asked = async (node: RedisServer, ...command: [string, ...string[]]) => {
        const inside = new Redis(node.url, { lazyConnect: true, retryStrategy: null });
        inside.on("error", () => {});
        try {
          await inside.connect();
          return String(await inside.call(...command));
        } finally {
          inside.disconnect();
        }
      };
      const settled = (alive: readonly RedisServer[]) => {
        const sees = async (node: RedisServer) => {
          const lines = (await asked(node, "CLUSTER", "NODES")).trim().split("\n");
          const up = lines.filter(
            (line) => /master/.test(line) && !/fail|handshake/.test(line) && / connected \d/.test(line),
          );
          return up.length === 3 && (await asked(node, "CLUSTER", "INFO")).includes("cluster_state:ok");
        };
        return until(async () => (await Promise.all(alive.map(sees))).every(Boolean), 50);
      };
      await settled(nodes);
      const hasItsMaster = async (node: RedisServer) =>
        !/role:slave[\s\S]*master_link_status:down/.test(await asked(node, "INFO", "replication"));
      await until(async () => (await Promise.all(nodes.map(hasItsMaster))).every(Boolean), 50);
      // Found through one that is a replica, perhaps; then each goes to whichever node has the name.
      const where = { urls: [nodes[5]?.url ?? ""], topology: "cluster" } as const;
      await works(where);
      const [one, two] = [await open(where), await open(where)];
      await until(() => one.store.state.joined && two.store.state.joined);
      const names = Array.from({ length: 30 }, (_, i) => `name ${i}`);
      const values = names.map((name) => ({ name, value: Buffer.from(name), ttlMs: 60_000 }));
      const read = async () => (await two.store.read(names))?.map((value) => value?.toString());
      expect(await one.store.write(values)).toBe(true);
      expect(await read()).toEqual(names);
      const roles = await Promise.all(nodes.map(async (node) => (await asked(node, "ROLE")).startsWith("master")));
      const held = await Promise.all(nodes.map(async (node) => Number(await asked(node, "DBSIZE"))));
      expect(held.filter((count, i) => roles[i] && count > 0)).toHaveLength(3);

      const dying = nodes.find((_, i) => roles[i]) as RedisServer;
      const left = nodes.filter((node) => node !== dying);
      await dying.server.kill();
      await settled(left);
      // Nobody restarts anything.
      await until(() => one.store.write(values), 100);
      await until(() => two.store.state.joined);
      expect(await read()).toEqual(names);
      two.heard.length = 0;
      await until(async () => {
        await one.store.tell(Buffer.from("still here"));
        return two.heard.length > 0;
      }, 100);
      expect(two.heard[0]).toBe("still here");
    },
    90_000,
  );

  it("behind sentinels is found by its name, even if the first of them is silent", async () => {
    const { url, server } = await sentinelOf(await started());
    await server.start();
    // The first one takes connections and says nothing.
    const silent = await startImpostor(() => {});
    cleanUp.push(() => silent.close());
    const urls = [`redis://${silent.host}:${silent.port}`, url];
    await works({ urls, topology: "sentinel", sentinelName: "calendars" });
  });

  it("behind sentinels is found when they come late", async () => {
    const { url, server } = await sentinelOf(await started());
    const { store } = await open({ urls: [url], topology: "sentinel", sentinelName: "calendars" });
    // So long nothing is heard, a connection counts as deaf.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(store.state.joined).toBe(false);
    await server.start();
    await until(() => store.state.joined);
  }, 60_000);
});

async function sentinelOf({ host, port: master }: RedisServer) {
  const folder = folderOf();
  const port = await freePort(host);
  const file = join(folder, "sentinel.conf");
  writeFileSync(file, `port ${port}\nbind ${host}\ndir ${folder}\nsentinel monitor calendars ${host} ${master} 1\n`);
  const server = new ServerProcess(["/usr/bin/redis-server", file, "--sentinel"], host, port);
  cleanUp.push(() => server.kill());
  return { url: `redis://${host}:${port}`, server };
}
