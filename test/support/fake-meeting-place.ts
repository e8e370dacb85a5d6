/** A place where gateways meet, in memory: its clock and its failures are the test's. */

import type { Attendee, KeptWord, MeetingPlace, RollCalled } from "../../src/caches/meeting-place.js";

/** The server that all places are doors to. */
export class FakeServer {
  now = 0;
  readonly roll = new Map<string, { word: Buffer; ends: number }>();
  readonly words = new Map<string, { value: Buffer; ends: number }>();
  readonly attendees = new Set<Attendee>();
  readonly announced: Buffer[] = [];
  /** What it is too late for, or too full. */
  readonly failing = new Set<"keep" | "kept" | "drop" | "announce">();

  /** Everything in memory is lost. */
  restart(): void {
    this.roll.clear();
    this.words.clear();
  }
}

export class FakeMeetingPlace implements MeetingPlace {
  readonly #server: FakeServer;
  #attendee: Attendee | undefined;
  joined = false;

  constructor(server: FakeServer) {
    this.#server = server;
  }

  get state() {
    return { joined: this.joined, problem: undefined };
  }

  attend(attendee: Attendee): void {
    this.#attendee = attendee;
  }

  join(): void {
    this.joined = true;
    if (this.#attendee === undefined) return;
    this.#server.attendees.add(this.#attendee);
    this.#attendee.joined();
  }

  leave(): void {
    this.joined = false;
    if (this.#attendee !== undefined) this.#server.attendees.delete(this.#attendee);
  }

  async signIn(id: string, word: Buffer, ttlMs: number): Promise<RollCalled | undefined> {
    const { roll, now } = this.#server;
    if (!this.joined) return undefined;
    for (const [one, { ends }] of roll) if (ends <= now) roll.delete(one);
    const known = roll.has(id);
    roll.set(id, { word, ends: now + ttlMs });
    return { known, there: new Map([...roll].map(([one, entry]) => [one, entry.word])) };
  }

  async signOut(id: string): Promise<boolean> {
    return this.joined && this.#server.roll.delete(id);
  }

  async keep(name: string, value: Buffer, ttlMs: number): Promise<boolean> {
    if (!this.#does("keep")) return false;
    this.#server.words.set(name, { value, ends: this.#server.now + ttlMs });
    return true;
  }

  async kept(names: readonly string[]): Promise<readonly (KeptWord | null)[] | undefined> {
    if (!this.#does("kept")) return undefined;
    return names.map((name) => {
      const word = this.#server.words.get(name);
      const ttlMs = (word?.ends ?? 0) - this.#server.now;
      return word === undefined || ttlMs <= 0 ? null : { value: word.value, ttlMs };
    });
  }

  async drop(names: readonly string[]): Promise<boolean> {
    if (!this.#does("drop")) return false;
    for (const name of names) this.#server.words.delete(name);
    return true;
  }

  async announce(message: Buffer): Promise<boolean> {
    if (!this.#does("announce")) return false;
    this.#server.announced.push(message);
    for (const attendee of this.#server.attendees) queueMicrotask(() => attendee.heard(message));
    return true;
  }

  #does(what: "keep" | "kept" | "drop" | "announce"): boolean {
    return this.joined && !this.#server.failing.has(what);
  }
}
