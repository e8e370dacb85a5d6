/**
 * Decides how gateways meet on the Redis server that keeps what they share. One hash names
 * those that are there, each with the end of its time by the server's own clock, so that
 * nobody's clock matters. Names do not carry the cache's epoch: purging answers is no reason
 * to forget that an account is paused.
 */

import type { Attendee, KeptWord, MeetingPlace, RollCalled } from "./meeting-place.js";
import type { RedisConnection } from "./redis-connections.js";
import type { RedisStore } from "./redis-store.js";

export class RedisMeetingPlace implements MeetingPlace {
  readonly #store: RedisStore;
  readonly #prefix: string;

  constructor(store: RedisStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  get state() {
    return this.#store.state;
  }

  attend(attendee: Attendee): void {
    this.#store.attend(attendee);
  }

  async signIn(id: string, word: Buffer, ttlMs: number): Promise<RollCalled | undefined> {
    const reply = await this.#store.do("read", (redis) => redis.freebusySignInBuffer(this.#roll, id, word, ttlMs));
    // What is no list was said by something that is no Redis.
    if (!Array.isArray(reply)) return undefined;
    const [known, ...flat] = reply;
    const there = new Map<string, Buffer>();
    for (let i = 0; i + 1 < flat.length; i += 2) there.set(String(flat[i]), flat[i + 1] as Buffer);
    return { known: known?.toString() === "1", there };
  }

  async signOut(id: string): Promise<boolean> {
    return (await this.#store.do("write", (redis) => redis.hdel(this.#roll, id))) !== undefined;
  }

  async keep(name: string, value: Buffer, ttlMs: number): Promise<boolean> {
    const keep = (redis: RedisConnection) => redis.set(this.#named(name), value, "PX", Math.max(1, Math.ceil(ttlMs)));
    return (await this.#store.do("write", keep)) !== undefined;
  }

  async kept(names: readonly string[]): Promise<readonly (KeptWord | null)[] | undefined> {
    return this.#store.do("read", (redis) =>
      Promise.all(
        names.map(async (name) => {
          const full = this.#named(name);
          const [value, ttlMs] = await Promise.all([redis.getBuffer(full), redis.pttl(full)]);
          return Buffer.isBuffer(value) && ttlMs > 0 ? { value, ttlMs } : null;
        }),
      ),
    );
  }

  async drop(names: readonly string[]): Promise<boolean> {
    const drop = (redis: RedisConnection) => Promise.all(names.map((name) => redis.unlink(this.#named(name))));
    return (await this.#store.do("write", drop)) !== undefined;
  }

  announce(message: Buffer): Promise<boolean> {
    return this.#store.announce(message);
  }

  get #roll(): string {
    return `${this.#prefix}:gateways`;
  }

  #named(name: string): string {
    return `${this.#prefix}:account:${name}`;
  }
}
