/**
 * Decides how several gateways keep answers as one: memory first, then what another gateway
 * has put into the shared store. What memory has, and is fresh, is there at once.
 *
 * Forgetting is told to the others. What a gateway reads while it is told to forget
 * something is not believed, and what it has in memory is dropped whenever it may have
 * missed such news: it can be had again from the store or the backend, whereas an answer
 * about a mailbox that has moved could not be told from a right one.
 *
 * A store that cannot be used, or that holds what cannot be read, is an empty one.
 */

import { randomBytes } from "node:crypto";
import type { InstantMs } from "../availability/time-window.js";
import type { SharedCacheObserver, SharedCacheState } from "../proxy/shared-cache-observer.js";
import {
  type CachedAnswer,
  type CacheQuestion,
  type Found,
  type Reached,
  serves,
  type ViewCache,
} from "../proxy/view-cache.js";
import { decodeAnswers, encodeAnswers } from "./answer-encoding.js";
import { ForgetMessages } from "./forget-messages.js";
import type { MemoryViewCache } from "./memory-view-cache.js";
import type { SealedValues } from "./sealed-values.js";
import type { SharedStore, SharedValue } from "./shared-store.js";

export interface SharedViewCacheParts {
  readonly memory: MemoryViewCache;
  readonly store: SharedStore;
  readonly sealed: SealedValues;
  readonly observer: SharedCacheObserver;
  readonly now: () => InstantMs;
  /** Called with the keys another gateway has forgotten: what is under way about them is outdated. */
  readonly forgotten: (keys: readonly string[] | "all") => void;
}

const LARGEST_VALUE = 1_048_576;
/** How far another gateway's clock may be ahead of ours. */
const SKEW_MS = 2_000;

type Entries = Parameters<ViewCache["store"]>[0];

export class SharedViewCache implements ViewCache {
  readonly #parts: SharedViewCacheParts;
  readonly #messages: ForgetMessages;
  /** Counts forgettings: what is read across one is not believed. */
  #forgettings = 0;
  /** What others had learnt before is not believed. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(parts: SharedViewCacheParts) {
    this.#parts = parts;
    this.#messages = new ForgetMessages(parts.sealed, randomBytes(8).toString("hex"));
  }

  get state(): SharedCacheState {
    return this.#parts.store.state;
  }

  start(): Promise<void> {
    return this.#parts.store.start({
      heard: (message) => this.#hear(message),
      forgetAll: () => this.#drop("all"),
    });
  }

  stop(): Promise<void> {
    return this.#parts.store.stop();
  }

  find(questions: readonly CacheQuestion[], now: InstantMs): Found | Promise<Found> {
    const { memory, store } = this.#parts;
    const found = memory.find(questions, now);
    if (!store.state.joined || found.every((kept) => kept !== undefined && kept.freshUntil > now)) return found;
    return this.#findShared(questions, found, now);
  }

  async store(entries: Entries): Promise<void> {
    const { memory, store } = this.#parts;
    await memory.store(entries);
    if (!store.state.joined) return;
    const keys = [...new Set(entries.map(({ key }) => key))];
    const values = keys.flatMap((key) => this.#valueOf(key, entries));
    if (values.length > 0) await store.write(values);
  }

  async forget(keys: readonly string[] | "all", reach: Reached): Promise<Reached> {
    const { memory, store, now } = this.#parts;
    this.#forgettings++;
    await memory.forget(keys);
    if (reach === "here") {
      if (keys === "all") this.#notBefore = now();
      return "here";
    }
    if (keys === "all") {
      if (await store.buryAll()) return "everywhere";
      this.#notBefore = now();
      return "here";
    }
    const buried = await this.#bury(keys);
    // What is still kept there is not believed here any more, whosever it is.
    if (!buried) this.#notBefore = now();
    // Told when it is done, so that nobody reads it again from the store.
    const told = await Promise.all(this.#messages.write(keys).map((message) => store.tell(message)));
    return buried && !told.includes(false) ? "everywhere" : "here";
  }

  async #findShared(questions: readonly CacheQuestion[], inMemory: Found, now: InstantMs): Promise<Found> {
    const { memory, store, sealed, observer } = this.#parts;
    const missing = questions.flatMap((question, i) => {
      const kept = inMemory[i];
      return kept !== undefined && kept.freshUntil > now ? [] : [{ question, i, names: sealed.namesOf(question.key) }];
    });
    const before = this.#forgettings;
    const values = await store.read(missing.flatMap(({ names }) => names));
    if (before !== this.#forgettings) return memory.find(questions, now);
    if (values === undefined) return inMemory;
    const found = [...inMemory];
    const learnt: { key: string; kept: CachedAnswer }[] = [];
    let at = 0;
    for (const { question, i, names } of missing) {
      const shared = names.flatMap(() => this.#opened(values[at++] ?? null, question.key));
      const own = inMemory[i];
      const best = shared
        .filter((kept) => serves(kept, question, now) && this.#credible(kept, now))
        .reduce<CachedAnswer | undefined>((a, b) => (a === undefined || b.learntAt > a.learntAt ? b : a), undefined);
      observer.sharedCacheRead(best === undefined ? "missing" : "found", 1);
      if (best === undefined || (own !== undefined && own.learntAt >= best.learntAt)) continue;
      found[i] = best;
      learnt.push({ key: question.key, kept: best });
    }
    await memory.store(learnt);
    return found;
  }

  #opened(value: Buffer | null, key: string): readonly CachedAnswer[] {
    if (value === null || value.length === 0) return [];
    const { sealed, observer } = this.#parts;
    try {
      const opened = value.length > LARGEST_VALUE ? undefined : sealed.open(value, key);
      const answers = opened && decodeAnswers(opened.bytes);
      if (answers !== undefined) return answers;
    } catch {
      // Sealed by one of us, and yet no encoding we know.
    }
    observer.sharedCacheRead("unreadable", 1);
    return [];
  }

  /** From a clock far ahead of ours it would be fresh for too long. */
  #credible({ learntAt }: CachedAnswer, now: InstantMs): boolean {
    return learntAt >= this.#notBefore && learntAt <= now + SKEW_MS;
  }

  /** Everything memory has of the mailbox, so that one value holds several windows. */
  #valueOf(key: string, entries: Entries): SharedValue[] {
    const { memory, sealed, now } = this.#parts;
    const inMemory = memory.keptUnder(key);
    const answers =
      inMemory.length > 0 ? inMemory : entries.filter((entry) => entry.key === key).map(({ kept }) => kept);
    const ttlMs = Math.max(...answers.map(({ expiresAt }) => expiresAt)) - now();
    if (ttlMs < 1) return [];
    const value = sealed.seal(encodeAnswers(answers), key);
    if (value.length > LARGEST_VALUE) return [];
    return [{ name: sealed.namesOf(key)[0] as string, value, ttlMs: Math.ceil(ttlMs) }];
  }

  #bury(keys: readonly string[]): Promise<boolean> {
    const { store, sealed } = this.#parts;
    return store.bury(keys.flatMap((key) => sealed.namesOf(key)));
  }

  #hear(message: Buffer): void {
    const news = this.#messages.read(message);
    if (news === "own") return;
    // Somebody forgets something we cannot read: anything may be meant.
    if (news === "unreadable") this.#drop("all");
    else {
      this.#drop(news.keys);
      // They do not know the names that we write under.
      if (news.byOther) void this.#bury(news.keys);
    }
  }

  #drop(keys: readonly string[] | "all"): void {
    this.#forgettings++;
    void this.#parts.memory.forget(keys);
    this.#parts.forgotten(keys);
    this.#parts.observer.sharedCacheForgot(keys === "all" ? "all" : "some");
  }
}
