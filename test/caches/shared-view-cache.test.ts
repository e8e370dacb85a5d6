import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { MemoryViewCache } from "../../src/caches/memory-view-cache.js";
import { SealedValues } from "../../src/caches/sealed-values.js";
import { SharedViewCache } from "../../src/caches/shared-view-cache.js";
import type { ViewCache } from "../../src/proxy/view-cache.js";
import { kept, viewCacheContract, window } from "../contracts/view-cache-contract.js";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.js";
import { redisStore } from "../support/redis-store.js";
import { until } from "../support/until.js";

const SECRET = "a secret of this test, 32 characters or more";
const question = { key: "a\0svc\0bob@corp.example", window: window(10, 20), detail: "times" as const };
const { key } = question;
const NOW = instant(150_000);

describe.skipIf(!hasRedis)("on a real Redis server", () => {
  let redis: RedisServer;
  let inside: Redis;
  const open: SharedViewCache[] = [];
  let sites = 0;
  beforeAll(async () => {
    redis = await startRedis();
    inside = new Redis(redis.url);
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
  });
  afterAll(async () => {
    inside.disconnect();
    await redis.remove();
  });

  async function replica(prefix: string, options: { secret?: string; other?: string; now?: number } = {}) {
    const told: string[] = [];
    const forgotten: (readonly string[] | "all")[] = [];
    const observer = {
      sharedCacheChanged: ({ joined, problem }: { joined: boolean; problem: string | undefined }) =>
        void told.push(joined ? (problem ?? "joined") : "alone"),
      sharedCacheRead: (result: string) => void told.push(result),
      sharedCacheFailed: (what: string) => void told.push(`failed: ${what}`),
      sharedCacheForgot: () => {},
    };
    const store = redisStore({ urls: [redis.url], prefix, observer });
    const cache = new SharedViewCache({
      memory: new MemoryViewCache(1_000_000),
      store,
      sealed: new SealedValues(options.secret ?? SECRET, options.other),
      observer,
      now: () => instant(options.now ?? 100_000),
      forgotten: (keys) => void forgotten.push(keys),
    });
    open.push(cache);
    await cache.start();
    expect(cache.state).toEqual({ joined: true, problem: undefined });
    forgotten.length = 0;
    return { cache, store, told, forgotten, find: async (now = NOW) => (await cache.find([question], now))[0] };
  }
  const site = () => `site${++sites}`;

  viewCacheContract("a cache in memory and on Redis", async () => (await replica(site())).cache);

  viewCacheContract("what one gateway has put into Redis for another", async (): Promise<ViewCache> => {
    const prefix = site();
    const writer = await replica(prefix);
    return {
      // A reader that knows nothing, each time.
      find: async (questions, now) => (await replica(prefix)).cache.find(questions, now),
      store: (entries) => writer.cache.store(entries),
      forget: (keys, reach) => writer.cache.forget(keys, reach),
    };
  });

  it("what memory has fresh is there at once, without a promise", async () => {
    const { cache } = await replica(site());
    await cache.store([{ key, kept: kept() }]);
    expect(cache.find([question], NOW)).toEqual([kept()]);
    expect(cache.find([question, { ...question, key: "other" }], NOW)).toBeInstanceOf(Promise);
  });

  it("one gateway's newer answer is taken for what is stale in another's memory", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix)];
    const stale = kept({ freshUntil: instant(120_000) });
    await one.cache.store([{ key, kept: stale }]);
    expect(await two.find()).toEqual(stale);
    const newer = kept({ learntAt: instant(140_000), freshUntil: instant(200_000) });
    await one.cache.store([{ key, kept: newer }]);
    expect(await two.find()).toEqual(newer);
  });

  it("nothing in Redis names a mailbox or tells of its time, and everything ends by itself", async () => {
    const prefix = site();
    const { cache } = await replica(prefix);
    const flags = { isMeeting: false, isRecurring: false, isException: false, isReminderSet: false, isPrivate: false };
    const events = [
      { start: instant(0), end: instant(1), busyType: "Busy" as const, details: { subject: "Gemini", ...flags } },
    ];
    await cache.store([{ key, kept: kept({ detail: "details", answer: viewed({ detail: "details", events }) }) }]);
    const names = await inside.keys(`${prefix}:*`);
    expect(names).toHaveLength(1);
    for (const name of names) {
      const value = (await inside.getBuffer(name)) as Buffer;
      expect(`${name} ${value.toString("latin1")}`).not.toMatch(/bob|corp|svc|Gemini/);
      const ttl = await inside.pttl(name);
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(100_000);
    }
  });

  it("forgetting reaches the other's memory and what is under way there, and not one's own", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix)];
    await one.cache.store([{ key, kept: kept() }]);
    expect(await two.find()).toEqual(kept());
    expect(await one.cache.forget([key], "everywhere")).toBe("everywhere");
    await until(() => two.forgotten.length > 0);
    expect(two.forgotten).toEqual([[key]]);
    expect([await two.find(), await one.find()]).toEqual([undefined, undefined]);
    expect(one.forgotten).toEqual([]);
  });

  it("everything is forgotten by everybody at once, whatever was kept", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix)];
    await one.cache.store([{ key, kept: kept() }]);
    await two.find();
    expect(await two.cache.forget("all", "everywhere")).toBe("everywhere");
    await until(() => one.forgotten.length > 0);
    expect(one.forgotten).toEqual(["all"]);
    expect([await one.find(), await two.find()]).toEqual([undefined, undefined]);
  });

  it("an answer that was on its way when its mailbox was forgotten does not come back", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix)];
    await one.cache.forget([key], "everywhere");
    await two.cache.store([{ key, kept: kept() }]);
    expect(await (await replica(prefix)).find()).toBeUndefined();
  });

  it("what was to be forgotten while the server was away is not believed when it is back", async () => {
    for (const what of [[key], "all"] as const) {
      const { cache, store, find } = await replica(site(), { now: 120_000 });
      await cache.store([{ key, kept: kept() }]);
      expect(await find()).toBeDefined();
      for (const name of ["bury", "buryAll", "tell"] as const) vi.spyOn(store, name).mockResolvedValueOnce(false);
      expect(await cache.forget(what, "everywhere")).toBe("here");
      expect(await find()).toBeUndefined();
    }
  });

  it("forgetting for oneself leaves the others what they have, and disbelieves what they had learnt", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix, { now: 120_000 })];
    await one.cache.store([{ key, kept: kept() }]);
    expect(await two.cache.forget("all", "here")).toBe("here");
    expect(await two.find()).toBeUndefined();
    expect(await one.find()).toEqual(kept());
    const newer = kept({ learntAt: instant(130_000) });
    await one.cache.store([{ key, kept: newer }]);
    expect(await two.find()).toEqual(newer);
  });

  it("what another secret, another version, another mailbox or chance has put there is a miss", async () => {
    const prefix = site();
    const one = await replica(prefix);
    await one.cache.store([{ key, kept: kept() }]);
    const [name] = (await inside.keys(`${prefix}:*`)) as [string];
    const right = (await inside.getBuffer(name)) as Buffer;
    const sealed = new SealedValues(SECRET, undefined);
    const wrong = [
      Buffer.from("garbage"),
      Buffer.alloc(2_000_000, 1),
      right.subarray(0, -1),
      new SealedValues("another secret that is long enough too", undefined).seal(Buffer.from([1, 0]), key),
      sealed.seal(Buffer.from([2, 1, 2, 3]), key),
      sealed.seal(Buffer.from([1, 99]), key),
      sealed.seal(Buffer.from([1, 0]), "another mailbox"),
    ];
    for (const value of wrong) {
      await inside.set(name, value);
      const two = await replica(prefix);
      expect(await two.find()).toBeUndefined();
      expect(two.told).toContain("unreadable");
    }
    await inside.set(name, right);
    expect(await (await replica(prefix)).find()).toEqual(kept());
    const stranger = await replica(prefix, { secret: "another secret that is long enough too" });
    expect(await stranger.find()).toBeUndefined();
  });

  it("what a clock far ahead has learnt is not believed", async () => {
    const prefix = site();
    const one = await replica(prefix);
    await one.cache.store([{ key, kept: kept({ learntAt: instant(160_000) }) }]);
    expect(await (await replica(prefix)).find()).toBeUndefined();
    expect(await (await replica(prefix)).find(instant(159_000))).toBeDefined();
  });

  it("secrets change without a moment in which gateways do not understand each other", async () => {
    const prefix = site();
    const next = "the next secret, which is also long enough";
    const old = await replica(prefix, { other: next });
    const changed = await replica(prefix, { secret: next, other: SECRET });
    await old.cache.store([{ key, kept: kept() }]);
    expect(await changed.find()).toEqual(kept());
    await changed.cache.forget([key], "everywhere");
    await until(() => old.forgotten.length > 0);
    expect([await old.find(), await changed.find()]).toEqual([undefined, undefined]);
  });

  it("a word that cannot be read makes a gateway forget everything, as anything may be meant", async () => {
    const prefix = site();
    const one = await replica(prefix);
    await one.cache.store([{ key, kept: kept() }]);
    await inside.publish(`${prefix}:messages`, "gibberish");
    await until(() => one.forgotten.length > 0);
    expect(one.forgotten).toEqual(["all"]);
  });

  it("a server that is full is still read, and says so once", async () => {
    const prefix = site();
    const [one, two] = [await replica(prefix), await replica(prefix)];
    await one.cache.store([{ key, kept: kept() }]);
    await inside.config("SET", "maxmemory", "1");
    try {
      for (const other of ["x", "y"]) await one.cache.store([{ key: other, kept: kept() }]);
      expect(one.told.filter((word) => word.startsWith("OOM"))).toHaveLength(1);
      expect(one.cache.state).toMatchObject({ joined: true, problem: expect.stringContaining("OOM") });
      expect(await two.find()).toEqual(kept());
      // Full, it still lets go.
      expect(await one.cache.forget([key], "everywhere")).toBe("everywhere");
      await until(() => two.forgotten.length > 0);
      expect(await two.find()).toBeUndefined();
    } finally {
      await inside.config("SET", "maxmemory", "0");
    }
    await one.cache.store([{ key: "z", kept: kept() }]);
    expect(one.cache.state).toEqual({ joined: true, problem: undefined });
  });
});
