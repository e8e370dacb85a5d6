/**
 * Decides when a Redis or Valkey server counts as there. Once a second this gateway sends
 * itself a beat through it. While beats come back the server is used; when one is late, a
 * connection breaks or commands fail one after the other, it is left alone and the gateway
 * goes on by itself; with the first beat that is heard again it is back. Whatever was told
 * in between is lost, so whoever listens is told that it has missed something.
 *
 * Every command has a bound in time, and after three that failed in a row nobody waits for
 * another one. Forgetting everything is one write: the names of values carry an epoch, and
 * another epoch begins. What an epoch leaves behind ends by itself.
 */

import { randomBytes } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import type { SharedCacheObserver, SharedCacheState } from "../proxy/shared-cache-observer.js";
import type { Attendee } from "./meeting-place.js";
import { openConnections, type RedisConnection, type RedisSettings } from "./redis-connections.js";
import type { SharedStore, SharedValue, StoreListener } from "./shared-store.js";

export interface RedisStoreOptions extends RedisSettings {
  /** Before every name and channel. */
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly observer: SharedCacheObserver;
}

const BEAT_MS = 1_000;
const LATE_MS = 2_500;
/** So long unheard, the connection to listen on is replaced. */
const DEAF_MS = 6_000;
const FAILURES_IN_A_ROW = 3;
const BURIED_MS = 5_000;
const START_WITHIN_MS = 2_000;
const CLOSED = "the connection is closed";
const NOT_YET = "it has not been reached yet";

export class RedisStore implements SharedStore {
  readonly #options: RedisStoreOptions;
  readonly #beats: string;
  readonly #messages: string;
  readonly #announcements: string;
  readonly #epochName: string;
  #commands: RedisConnection | undefined;
  #ear: Redis | Cluster | undefined;
  #listener: StoreListener | undefined;
  #attendee: Attendee | undefined;
  #timer: NodeJS.Timeout | undefined;
  #joined = false;
  #joining = false;
  #problem: string | undefined = NOT_YET;
  #failuresInARow = 0;
  #heardAt = 0;
  #epoch = "";
  #onJoined = () => {};

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    const { prefix } = options;
    this.#beats = `${prefix}:beat:${randomBytes(8).toString("hex")}`;
    this.#messages = `${prefix}:messages`;
    this.#announcements = `${prefix}:accounts`;
    this.#epochName = `${prefix}:epoch`;
  }

  get state(): SharedCacheState {
    return { joined: this.#joined, problem: this.#problem };
  }

  /** Somebody who meets others here; before `start`. */
  attend(attendee: Attendee): void {
    this.#attendee = attendee;
  }

  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
    const [commands, ear] = await openConnections(this.#options);
    this.#commands = commands;
    this.#ear = ear;
    for (const connection of [commands, ear]) {
      connection.on("error", (error: Error) => this.#leave(wordsOf(error)));
      connection.on("close", () => this.#leave(CLOSED));
      connection.connect().catch(() => {});
    }
    ear.on("ready", () =>
      ear
        .subscribe(this.#messages, this.#announcements, this.#epochName, this.#beats)
        .catch((error: Error) => this.#leave(wordsOf(error))),
    );
    ear.on("messageBuffer", (channel: Buffer, message: Buffer) => this.#hear(channel.toString(), message));
    this.#heardAt = performance.now();
    this.#timer = setInterval(() => {
      this.#beat();
      this.#attendee?.beat();
    }, BEAT_MS);
    commands.on("ready", () => this.#beat());
    ear.on("ready", () => setTimeout(() => this.#beat(), 20).unref());
    await new Promise<void>((resolve) => {
      this.#onJoined = resolve;
      setTimeout(resolve, START_WITHIN_MS).unref();
    });
  }

  async read(names: readonly string[]): Promise<readonly (Buffer | null)[] | undefined> {
    const full = names.map((name) => this.#named(name));
    return this.do("read", (redis) =>
      // The names of one cluster lie on many nodes.
      redis.isCluster ? Promise.all(full.map((name) => redis.getBuffer(name))) : redis.mgetBuffer(full),
    );
  }

  async write(values: readonly SharedValue[]): Promise<boolean> {
    const keep = (redis: RedisConnection) =>
      Promise.all(values.map(({ name, value, ttlMs }) => redis.freebusyKeep(this.#named(name), value, ttlMs)));
    return (await this.do("write", keep)) !== undefined;
  }

  async bury(names: readonly string[]): Promise<boolean> {
    const full = names.map((name) => this.#named(name));
    const bury = (redis: RedisConnection) =>
      Promise.all(
        full.map((name) =>
          // A server that is full takes no new value, but lets one go.
          redis.set(name, "", "PX", BURIED_MS).catch(() => redis.unlink(name)),
        ),
      );
    return (await this.do("forget", bury)) !== undefined;
  }

  async buryAll(): Promise<boolean> {
    const epoch = randomBytes(6).toString("hex");
    const begin = async (redis: RedisConnection) => {
      // Here at once: nothing of the old epoch is read any more. Should it not get through, the next beat tells.
      this.#epoch = epoch;
      await redis.set(this.#epochName, epoch);
      return redis.publish(this.#epochName, epoch);
    };
    return (await this.do("forget", begin)) !== undefined;
  }

  async tell(message: Buffer): Promise<boolean> {
    return (await this.do("forget", (redis) => redis.publish(this.#messages, message))) !== undefined;
  }

  async announce(message: Buffer): Promise<boolean> {
    return (await this.do("write", (redis) => redis.publish(this.#announcements, message))) !== undefined;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#listener = undefined;
    this.#joined = false;
    this.#commands?.disconnect();
    this.#ear?.disconnect();
  }

  #named(name: string): string {
    return `${this.#options.prefix}:${this.#epoch}:${name}`;
  }

  /** A command. Undefined when it failed, took too long, or the server is not there. */
  async do<T>(what: "read" | "write" | "forget", run: (redis: RedisConnection) => Promise<T>): Promise<T | undefined> {
    if (!this.#joined || this.#commands === undefined) return undefined;
    try {
      const done = await this.#inTime(run(this.#commands));
      this.#failuresInARow = 0;
      if (this.#problem !== undefined && what !== "read") this.#tellState(true, undefined);
      return done;
    } catch (error) {
      this.#options.observer.sharedCacheFailed(what);
      const words = wordsOf(error as Error);
      if (++this.#failuresInARow >= FAILURES_IN_A_ROW && !isRefusal(error)) this.#leave(words);
      else if (isRefusal(error)) this.#tellState(this.#joined, words);
      return undefined;
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it took more than ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a beat, and sees whether the last one came back and the epoch is still the one that is used here. */
  #beat(): void {
    const redis = this.#commands;
    if (redis === undefined || this.#listener === undefined) return;
    const unheardMs = performance.now() - this.#heardAt;
    if (unheardMs > LATE_MS) this.#leave("messages do not come through");
    if (unheardMs > DEAF_MS) {
      this.#heardAt = performance.now();
      // Not while it is being opened: whoever is disturbed at that gives up for good.
      if (this.#ear?.status === "ready" || this.#ear?.status === "connect") this.#ear.disconnect(true);
    }
    for (const connection of [redis, this.#ear]) {
      if (connection?.status === "end") connection.connect().catch(() => {});
    }
    if (redis.status !== "ready") {
      // Why not is told by the connection itself, in better words.
      this.#leave(CLOSED);
      return;
    }
    const epochBefore = this.#epoch;
    const sent = this.#inTime(Promise.all([redis.get(this.#epochName), redis.publish(this.#beats, "")]));
    sent.then(
      ([epoch]) => {
        this.#failuresInARow = 0;
        if (epochBefore === this.#epoch) this.#adopt(epoch ?? "");
      },
      // One that is late may be our own fault.
      (error: Error) => {
        if (!this.#joined || ++this.#failuresInARow >= FAILURES_IN_A_ROW) this.#leave(wordsOf(error));
      },
    );
  }

  #hear(channel: string, message: Buffer): void {
    if (channel === this.#beats) {
      this.#heardAt = performance.now();
      if (!this.#joined) void this.#join();
    } else if (!this.#joined) return;
    else if (channel === this.#epochName) this.#adopt(message.toString());
    else if (channel === this.#announcements) this.#attendee?.heard(message);
    else this.#listener?.heard(message);
  }

  #adopt(epoch: string): void {
    if (!this.#joined || epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#listener?.forgetAll();
  }

  async #join(): Promise<void> {
    if (this.#joining || this.#commands === undefined) return;
    this.#joining = true;
    try {
      this.#epoch = (await this.#inTime(this.#commands.get(this.#epochName))) ?? "";
      // Lost again meanwhile, it may have missed something once more.
      if (this.#listener === undefined || this.#ear?.status !== "ready") return;
      this.#failuresInARow = 0;
      this.#tellState(true, undefined);
      this.#listener.forgetAll();
      this.#attendee?.joined();
      this.#onJoined();
    } catch {
      // The next beat tries again.
    } finally {
      this.#joining = false;
    }
  }

  #leave(problem: string): void {
    if (this.#listener !== undefined) this.#tellState(false, problem);
  }

  /** Once for each change: a server that is gone says so in many ways. */
  #tellState(joined: boolean, problem: string | undefined): void {
    const changed = joined !== this.#joined || (joined && problem !== this.#problem) || this.#problem === NOT_YET;
    this.#joined = joined;
    if (!changed) {
      // Why it cannot be reached now tells more than that it was lost.
      if (!joined && problem !== CLOSED) this.#problem = problem;
      return;
    }
    this.#problem = problem;
    this.#options.observer.sharedCacheChanged(this.state);
  }
}

/** The server has answered, and said no: it is full, or the account may not do this. */
function isRefusal(error: unknown): boolean {
  return (error as Error).name === "ReplyError";
}

/** A server's own words, without whatever it quotes of a command. */
function wordsOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (error.message || code || error.name).split(/\r?\n/)[0]?.slice(0, 120) ?? error.name;
}
