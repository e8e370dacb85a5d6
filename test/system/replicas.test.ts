/** Two real gateways on one real Redis server, which is then taken from them in every way. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ask,
  BACKEND_PASSWORD,
  CALLER_HASH,
  PROJECT,
  type RunningGateway,
  type Site,
  siteConfiguration,
  startGateway,
  startSite,
  told,
} from "../support/gateway-process.js";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const CACHE_KEY = "the key of this test's shared cache, in the environment";
const run = promisify(execFile);

describe.skipIf(!hasRedis)("two gateways on one Redis server", () => {
  let redis: RedisServer;
  let one: Site;
  let two: RunningGateway;
  const shared = () =>
    `cache: { viewSeconds: 600, shared: { urls: ['${redis.url}'], encryptionKey: 'env:CACHE_KEY' } }\n`;

  beforeAll(async () => {
    redis = await startRedis();
    one = await startSite((configuration) => configuration + shared(), { CACHE_KEY });
    two = await startGateway(siteConfiguration(one.exchange.url, one.workmail.url) + shared(), {
      CALLER_HASH,
      BACKEND_PASSWORD,
      CACHE_KEY,
    });
  });
  afterAll(async () => {
    await Promise.all([one?.close(), two?.stop()]);
    await redis?.remove();
  });

  const sharedCacheOf = async (management: string) => {
    const { sharedCache } = (await (await fetch(`${management}/readyz`)).json()) as {
      sharedCache: { joined: boolean; problem: string | null };
    };
    return sharedCache;
  };
  const bothJoined = async (joined: boolean) => {
    const all = [one.gateway, two].map(async ({ management }) => (await sharedCacheOf(management)).joined === joined);
    return !(await Promise.all(all)).includes(false);
  };
  let week = 0;
  const fresh = () => {
    const start = Date.UTC(2031, 0, 6 + 7 * week++);
    const text = (at: number) => new Date(at).toISOString().slice(0, 19);
    return { start: text(start), end: text(start + 86_400_000) };
  };
  const askTwo = async (mailboxes: readonly string[], options: object = {}) =>
    (await ask(two.url, mailboxes, options)).text;

  it("the second is served from the first's answer, with its own caller's rights", async () => {
    const { text } = await one.ask(["alice@corp.example", "nobody@corp.example"]);
    const before = one.exchange.asked.length;
    await until(async () => {
      const answer = await askTwo(["alice@corp.example"]);
      return one.exchange.asked.length === before && told(answer)[0] === told(text)[0];
    });
    expect(told(text)[0]).toBe("DetailedMerged Stand-up Summer review");
    expect(told(await askTwo(["alice@corp.example"], { user: "slots@corp.example" }))).toEqual(["MergedOnly"]);
    expect(one.exchange.asked).toHaveLength(before);
    const metrics = await (await fetch(`${two.management}/metrics`)).text();
    expect(metrics).toMatch(/freebusy_shared_cache_reads_total\{result="found"\} [1-9]/);
  });

  it("a purge reaches both, about one mailbox and under all its addresses", async () => {
    const when = fresh();
    await one.ask(["bob@corp.example", "erin@corp.example"], when);
    await askTwo(["bob@corp.example", "erin@corp.example"], when);
    const before = one.workmail.asked.length;
    const arguments_ = ["purge", "bob@corp.awsapps.com", "--json", "--management", two.management];
    const { stdout } = await run(process.execPath, [join(PROJECT, "dist/src/main.js"), ...arguments_]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "purged", others: "told" });
    expect(JSON.parse(stdout).addresses).toContain("bob@corp.example");
    // What was told is heard a moment later.
    await until(async () => {
      await one.ask(["bob@corp.example", "erin@corp.example"], when);
      return one.workmail.asked.length > before;
    });
    expect(one.workmail.asked.slice(before).map(({ mailboxes }) => mailboxes)).toEqual([["bob@corp.example"]]);
  });

  it("a purge of everything reaches both; words that mean nothing, and pages, are refused", async () => {
    const when = fresh();
    await one.ask(["alice@corp.example"], when);
    await askTwo(["alice@corp.example"], when);
    const before = one.exchange.asked.length;
    const post = async (query: string, headers = {}) => {
      const reply = await fetch(`${one.gateway.management}/purge${query}`, { method: "POST", headers });
      return [reply.status, await reply.json()];
    };
    for (const query of [
      "",
      "?mailbox=",
      "?mailbox=nonsense",
      "?all=false",
      "?mailbox=a@b.example&mailbox=c@d.example",
    ])
      expect((await post(query))[0]).toBe(400);
    expect((await post("?all", { origin: "https://evil.example" }))[0]).toBe(403);
    expect(one.exchange.asked).toHaveLength(before);
    expect(await post("?all")).toEqual([200, { status: "purged", addresses: "all", others: "told" }]);
    await until(async () => {
      await askTwo(["alice@corp.example"], when);
      return one.exchange.asked.length > before;
    });
  });

  it("Redis that is frozen, gone or restarted costs nobody an answer, is said once, and is used again by itself", async () => {
    const answers: string[] = [];
    let loading = true;
    const load = (gateway: string) =>
      (async () => {
        while (loading)
          answers.push(told((await ask(gateway, ["alice@corp.example", "bob@corp.example"], fresh())).text).join());
      })();
    const loads = [load(one.gateway.url), load(two.url)];
    const some = async () => {
      const enough = answers.length + 20;
      await until(async () => answers.length >= enough);
    };
    await some();
    redis.server.pause();
    await until(() => bothJoined(false));
    await some();
    redis.server.resume();
    await until(() => bothJoined(true));
    await some();
    await redis.server.kill();
    await until(() => bothJoined(false));
    await some();
    expect((await sharedCacheOf(two.management)).problem).not.toBeNull();
    const { status } = await fetch(`${two.management}/readyz`);
    expect(status).toBe(200);
    const purged = await (await fetch(`${two.management}/purge?all`, { method: "POST" })).json();
    expect(purged).toMatchObject({ others: "not reached" });
    await redis.server.start();
    await until(() => bothJoined(true));
    await some();
    loading = false;
    await Promise.all(loads);
    expect(new Set(answers)).toEqual(new Set(["DetailedMerged Stand-up,DetailedMerged Sync"]));
    for (const { output } of [one.gateway, two]) {
      // Pino writes in batches.
      await until(async () => output().split("shared cache is used").length >= 4);
      // A busy machine may have been slow once more; but it is said once each time, and so is that it is over.
      const words = output().match(/going on alone|shared cache is used/g) ?? [];
      expect(words.filter((word, i) => word === words[i - 1])).toEqual([]);
      expect(words.filter((word) => word === "going on alone").length).toBeGreaterThanOrEqual(2);
      expect(output()).not.toMatch(/"level":50/);
    }
  });

  it("what was told while a gateway could not hear is not missed: it starts again with nothing", async () => {
    const when = fresh();
    await one.ask(["alice@corp.example"], when);
    const before = one.exchange.asked.length;
    await one.ask(["alice@corp.example"], when);
    expect(one.exchange.asked).toHaveLength(before);
    await redis.server.kill();
    await until(() => bothJoined(false));
    // Alone, it still has what it had.
    await one.ask(["alice@corp.example"], when);
    expect(one.exchange.asked).toHaveLength(before);
    await redis.server.start();
    await until(() => bothJoined(true));
    await one.ask(["alice@corp.example"], when);
    expect(one.exchange.asked).toHaveLength(before + 1);
  });

  it("damaged values, of another version or key, are as if there were none", async () => {
    const when = fresh();
    await one.ask(["alice@corp.example"], when);
    const inside = new Redis(redis.url);
    const names = await inside.keys("freebusy:*:*");
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) await inside.set(name, Buffer.from([2, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    inside.disconnect();
    const before = one.exchange.asked.length;
    expect(told(await askTwo(["alice@corp.example"], when))).toEqual(["DetailedMerged Stand-up"]);
    expect(one.exchange.asked).toHaveLength(before + 1);
  });

  it("a third gateway that cannot reach Redis at all starts, and answers", async () => {
    const configuration =
      siteConfiguration(one.exchange.url, one.workmail.url) + shared().replace(redis.url, "redis://127.0.0.1:1");
    const third = await startGateway(configuration, { CALLER_HASH, BACKEND_PASSWORD, CACHE_KEY });
    try {
      expect(told((await ask(third.url, ["alice@corp.example"])).text)).toEqual([
        "DetailedMerged Stand-up Summer review",
      ]);
      expect(await sharedCacheOf(third.management)).toMatchObject({
        joined: false,
        problem: expect.stringContaining("ECONNREFUSED"),
      });
    } finally {
      expect(await third.stop()).toBe(0);
    }
  });
});
