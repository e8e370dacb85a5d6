/**
 * The part of the composition root that builds the cache: memory, and before others' answers
 * what they share. Decides nothing but who is connected to whom.
 */

import { readFileSync } from "node:fs";
import type { InstantMs } from "./availability/time-window.js";
import { MemoryViewCache } from "./caches/memory-view-cache.js";
import { RedisMeetingPlace } from "./caches/redis-meeting-place.js";
import { RedisStore } from "./caches/redis-store.js";
import { SealedValues } from "./caches/sealed-values.js";
import { SharedViewCache } from "./caches/shared-view-cache.js";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import type { AccountsInCommon, GatewayCountObserver } from "./proxy/account-news.js";
import type { CacheTimes } from "./proxy/ask-backends.js";
import type { SharedCacheObserver } from "./proxy/shared-cache-observer.js";
import type { ViewCache } from "./proxy/view-cache.js";
import { SharedAccounts } from "./replicas/shared-accounts.js";

const MEGABYTE = 1024 * 1024;

export interface ComposedCache {
  readonly cache: ViewCache;
  /** The same, where it is shared with others. */
  readonly shared: SharedViewCache | undefined;
  /** Service accounts, where they are shared; to be begun before that. */
  readonly sharedAccounts: SharedAccounts | undefined;
}

/** `forgotten`: told what other gateways have forgotten. */
export function composeCache(
  { cache }: Configuration,
  secrets: Secrets,
  observer: () => SharedCacheObserver & GatewayCountObserver,
  now: () => InstantMs,
  forgotten: (keys: readonly string[] | "all") => void,
  unexpected: (what: string, error: unknown) => void,
  accounts: ReadonlyMap<string, AccountsInCommon>,
): ComposedCache {
  const memory = new MemoryViewCache(Math.floor(cache.maximumMegabytes * MEGABYTE));
  if (cache.shared === undefined) return { cache: memory, shared: undefined, sharedAccounts: undefined };
  const { urls, topology, sentinelName, username, caFile, prefix, timeoutMilliseconds } = cache.shared;
  const secret = (setting: string) => secrets.get(`cache.shared.${setting}`);
  const told = observer();
  const store = new RedisStore({
    ...{ urls, topology, sentinelName, username, prefix },
    password: secret("password"),
    sentinelPassword: secret("sentinelPassword"),
    ca: caFile === undefined ? undefined : readFileSync(caFile, "utf8"),
    timeoutMs: timeoutMilliseconds,
    observer: told,
  });
  const sealed = new SealedValues(secret("encryptionKey") as string, secret("previousEncryptionKey"));
  const shared = new SharedViewCache({ memory, store, sealed, observer: told, now, forgotten });
  const sharedAccounts = cache.shared.shareAccountBudget
    ? new SharedAccounts({
        backends: accounts,
        place: new RedisMeetingPlace(store, prefix),
        sealed,
        presumedGateways: cache.shared.replicas,
        observer: told,
        unexpected,
        now: () => performance.now(),
      })
    : undefined;
  return { cache: shared, shared, sharedAccounts };
}

export function cacheTimesOf({ cache }: Configuration): CacheTimes {
  return {
    viewTtlMs: cache.viewSeconds * 1000,
    notFoundTtlMs: cache.notFoundSeconds * 1000,
    staleWhileRevalidateMs: cache.staleWhileRevalidateSeconds * 1000,
    staleIfErrorMs: cache.staleIfErrorSeconds * 1000,
  };
}
