/**
 * Servers that speak Redis's language and say nothing that makes sense in it: each costs its own connection. What is
 * thrown where nobody can catch it ends a process, so it is listened for.
 */

import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RedisStoreOptions } from "../../src/caches/redis-store.js";
import { startImpostor } from "../support/impostor.js";
import { hasRedis, startRedis } from "../support/redis-server.js";
import { redisStore } from "../support/redis-store.js";
import { until } from "../support/until.js";

const text = (word: string) => `$${word.length}\r\n${word}\r\n`;
const list = (...words: readonly string[]) => `*${words.length}\r\n${words.join("")}`;
const push = (...words: readonly string[]) => `>${words.length}\r\n${words.join("")}`;
const NIL = "$-1\r\n";
const slots = (first: string, last: string) =>
  list(list(`:${first}\r\n`, `:${last}\r\n`, list(text("host"), ":1\r\n")));

const NONSENSE: Readonly<Record<string, string | Buffer>> = {
  nil: NIL,
  "no list": "*-1\r\n",
  null: "_\r\n",
  "a number": ":1\r\n",
  OK: "+OK\r\n",
  "an empty line": "+\r\n",
  "an empty list": list(),
  "a list of nil": list(NIL),
  "a list of numbers": list(":1\r\n", ":2\r\n", ":3\r\n"),
  "slots without an end": slots("0", "1152921504606846976"),
  "slots that begin before the first": slots("-4", "3"),
  "slots that nil serves": list(list(":0\r\n", ":16383\r\n", NIL)),
  "lists in lists": list(list(list())),
  "a message of nothing": list(text("message")),
  "a message without a text": list(text("message"), text("test:messages"), NIL),
  "a message of numbers": list(text("message"), ":5\r\n", ":6\r\n"),
  "a subscription to nothing": list(text("subscribe")),
  "the end of a subscription to nothing": list(text("unsubscribe"), NIL, ":0\r\n"),
  "a push of nothing": push(),
  "a push of null": push("_\r\n"),
  "a push of numbers": push(":1\r\n", ":2\r\n"),
  "a pushed message of nothing": push(text("message")),
  "a pushed subscription to nothing": push(text("subscribe")),
  "a truth": "#t\r\n",
  "a map": "%1\r\n+a\r\n+b\r\n",
  "a set": "~1\r\n+a\r\n",
  "an error": "-ERR no\r\n",
  "a move to nowhere": "-MOVED\r\n",
  "a question of nobody": "-ASK x y\r\n",
  "a text of a terabyte's length": "$1099511627776\r\nx",
  "a list of a terabyte's length": "*1099511627776\r\n",
  "a greeting in HTTP": "HTTP/1.1 400 Bad Request\r\n\r\n",
  "random bytes": Buffer.from("c3289f00ff0d0a2b2d24", "hex"),
};

/** How many commands there are in a piece of what a client sends. */
const commandsIn = (piece: Buffer) => piece.toString("latin1").match(/^\*\d+\r$/gm)?.length ?? 1;
/** How often it is said when a connection begins, and upon a piece of what was sent. */
const MANNERS: Readonly<Record<string, (piece?: Buffer) => number>> = {
  "as a greeting, and once whatever comes": () => 1,
  "as an answer to each command": (piece) => (piece === undefined ? 0 : commandsIn(piece)),
  "twice to each command": (piece) => (piece === undefined ? 0 : 2 * commandsIn(piece)),
  "three times before anything was asked": (piece) => (piece === undefined ? 3 : 0),
};

async function listening(connected: (socket: Socket) => void): Promise<string> {
  const { host, port, close } = await startImpostor(connected);
  onTestFinished(close);
  return `redis://${host}:${port}`;
}

function storeOf(url: string, topology: RedisStoreOptions["topology"]) {
  const store = redisStore({ urls: [url], topology, timeoutMs: 300 });
  onTestFinished(() => store.stop());
  return store;
}

/** What is thrown meanwhile where nobody catches it. The test runner's own listeners wait. */
async function thrownDuring(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const thrown: unknown[] = [];
  const collect = (error: unknown) => void thrown.push(error);
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const theirs = events.map((event) => [event, process.listeners(event as "exit")] as const);
  for (const event of events) process.removeAllListeners(event).on(event, collect);
  try {
    await work();
  } finally {
    for (const [event, listeners] of theirs) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  }
  return thrown;
}

describe.each(["single", "sentinel", "cluster"] as const)("what listens where a %s Redis should", (topology) => {
  it.each(Object.keys(MANNERS))("says every kind of nonsense %s, and nothing is thrown or believed", async (manner) => {
    const times = MANNERS[manner] as (piece?: Buffer) => number;
    const met = async (says: string | Buffer) => {
      const url = await listening((socket) => {
        const say = (piece?: Buffer) => {
          for (let i = times(piece); i > 0; i--) socket.write(says);
        };
        say();
        socket.on("data", say);
      });
      const store = storeOf(url, topology);
      await store.start({ heard: () => {}, forgetAll: () => {} });
      for (let i = 0; i < 3; i++) await store.write([{ name: "a", value: Buffer.from("of a"), ttlMs: 1_000 }]);
      return store.state.joined || (await store.read(["a"])) !== undefined;
    };
    let believed: readonly boolean[] = [];
    const thrown = await thrownDuring(async () => {
      believed = await Promise.all(Object.values(NONSENSE).map(met));
    });
    expect(thrown).toEqual([]);
    expect(believed.filter(Boolean)).toEqual([]);
  });
});

describe.skipIf(!hasRedis)("a Redis server behind what said nonsense", () => {
  it.each(Object.entries(NONSENSE))("is used once it is heard again: %s", async (_, says) => {
    const redis = await startRedis();
    onTestFinished(() => redis.remove());
    let honest = false;
    const met = new Set<Socket>();
    const url = await listening((socket) => {
      if (honest) {
        const real = connect(redis.port, redis.host).on("error", () => {});
        socket.pipe(real).pipe(socket);
        socket.on("close", () => real.destroy());
        return;
      }
      met.add(socket);
      socket.on("data", (piece) => {
        for (let i = commandsIn(piece); i > 0; i--) socket.write(says);
      });
    });
    const store = storeOf(url, "single");
    const started = store.start({ heard: () => {}, forgetAll: () => {} });
    await until(() => met.size >= 2);
    honest = true;
    for (const socket of met) socket.end();
    await started;
    await until(() => store.state.joined);
    expect(await store.write([{ name: "a", value: Buffer.from("of a"), ttlMs: 1_000 }])).toBe(true);
  });
});
