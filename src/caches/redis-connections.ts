/**
 * Decides how a Redis or Valkey server is reached: one connection for commands and one to
 * listen on, to a single server, to whichever one the sentinels name, or to a cluster.
 *
 * The package is loaded when it is wanted, so nobody without such a server pays for it.
 * Commands are refused, not queued, while there is no connection: a lookup has better things
 * to do than to wait. What is under way when a connection breaks is not sent again.
 */

import type { Cluster, Redis } from "ioredis";
import { loadRedisClient } from "./redis-client.js";

export interface RedisSettings {
  /** One for a single server; one or more sentinels, or nodes of a cluster. */
  readonly urls: readonly string[];
  readonly topology: "single" | "sentinel" | "cluster";
  /** The name under which sentinels know the server. */
  readonly sentinelName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** PEM; the system's authorities when undefined. */
  readonly ca: string | undefined;
}

export type RedisConnection = (Redis | Cluster) & {
  /** Keeps a value unless its name was buried: name, value, milliseconds. */
  freebusyKeep(name: string, value: Buffer, ttlMs: number): Promise<number>;
  /** Signs in: roll, id, word, milliseconds. Whether it was there still (1 or 0), then ids and words of all. */
  freebusySignInBuffer(roll: string, id: string, word: Buffer, ttlMs: number): Promise<(Buffer | number)[]>;
};

/** A buried name holds an empty value until that ends by itself. */
const KEEP = `if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('STRLEN', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** By the server's clock. What is in the roll otherwise, or has ended, is taken out. */
const SIGN_IN = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local there = { 0, ARGV[1], ARGV[2] }
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local ends, word = string.match(all[i + 1], '^(%d+):(.*)$')
  if ends == nil or tonumber(ends) <= now then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] == ARGV[1] then there[1] = 1
  else
    table.insert(there, all[i])
    table.insert(there, word)
  end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:', now + ARGV[3]) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return there`;

const CONNECT_MS = 2_000;
/** A connection that is not closed by then is cut: nobody waits for a farewell. */
const DISCONNECT_MS = 100;
/** A connection on which nothing comes for so long, though something was asked, is replaced. */
const SILENT_MS = 5_000;

export async function openConnections(
  settings: RedisSettings,
): Promise<[commands: RedisConnection, ear: Redis | Cluster]> {
  const { Redis, Cluster } = await loadRedisClient();
  const { urls, topology, sentinelName, sentinelPassword, username, password, ca } = settings;
  const first = new URL(urls[0] as string);
  const secure = first.protocol === "rediss:";
  const tls = secure ? { tls: ca === undefined ? {} : { ca } } : {};
  const db = Number(first.pathname.slice(1) || 0);
  const nodes = urls.map((url) => addressOf(new URL(url), topology === "sentinel" ? 26_379 : 6_379));
  const open = (own: { readonly enableOfflineQueue: boolean; readonly maxRetriesPerRequest: number | null }) => {
    const common = {
      ...own,
      ...tls,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      disconnectTimeout: DISCONNECT_MS,
      socketTimeout: SILENT_MS,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      retryStrategy: backOff,
      scripts: { freebusyKeep: { lua: KEEP, numberOfKeys: 1 }, freebusySignIn: { lua: SIGN_IN, numberOfKeys: 1 } },
    };
    if (topology === "cluster") {
      const { retryStrategy: _, lazyConnect, scripts, enableOfflineQueue, ...redisOptions } = common;
      return new Cluster(nodes, {
        lazyConnect,
        scripts,
        enableOfflineQueue,
        redisOptions,
        clusterRetryStrategy: backOff,
        slotsRefreshTimeout: CONNECT_MS,
        // Certificates are for names, which a lookup of our own would lose.
        ...(secure && { dnsLookup: (address, done) => done(null, address) }),
      });
    }
    if (topology === "sentinel") {
      return new Redis({
        ...common,
        db,
        sentinels: nodes,
        name: sentinelName ?? "mymaster",
        sentinelRetryStrategy: backOff,
        // One that is silent must not keep us from the others.
        sentinelCommandTimeout: CONNECT_MS,
        ...(sentinelPassword !== undefined && { sentinelPassword }),
        ...(tls.tls && { enableTLSForSentinelMode: true, sentinelTLS: tls.tls }),
      });
    }
    return new Redis({ ...common, ...(nodes[0] as { host: string; port: number }), db });
  };
  const commands = open({ enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  const ear = open({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  return [commands as RedisConnection, ear];
}

const backOff = (attempt: number) => Math.min(2_000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);

function addressOf({ hostname, port }: URL, otherwise: number) {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || otherwise) };
}
