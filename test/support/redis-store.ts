/** A store as tests want it, not started: one server, nobody's password, and an observer that is told in vain. */

import { RedisStore, type RedisStoreOptions } from "../../src/caches/redis-store.js";

export function redisStore(change: Partial<RedisStoreOptions>): RedisStore {
  return new RedisStore({
    urls: [],
    topology: "single",
    sentinelName: "mymaster",
    username: undefined,
    password: undefined,
    sentinelPassword: undefined,
    ca: undefined,
    prefix: "test",
    timeoutMs: 2_000,
    observer: {
      sharedCacheChanged: () => {},
      sharedCacheRead: () => {},
      sharedCacheFailed: () => {},
      sharedCacheForgot: () => {},
    },
    ...change,
  });
}
