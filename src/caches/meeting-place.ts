/**
 * What gateways need to know of each other and to tell each other, of a server that all of
 * them reach: who is there, words that end by themselves, and announcements. Nothing in it
 * knows what is said. Never rejects; undefined or false: it could not be done in time.
 */

import type { SharedCacheState } from "../proxy/shared-cache-observer.js";

export interface RollCalled {
  /** Whether oneself was still there, from the last time. False: this is the first time, it is too late, or the server has lost everybody. */
  readonly known: boolean;
  /** What all that are there have written, by their ids; oneself included. */
  readonly there: ReadonlyMap<string, Buffer>;
}

export interface KeptWord {
  readonly value: Buffer;
  /** How much longer it is kept, by the server's clock. */
  readonly ttlMs: number;
}

export interface Attendee {
  /** Once a second, whether or not the server is there. */
  beat(): void;
  /** The server is there, for the first time or again: announcements may have been missed. */
  joined(): void;
  /** Somebody's announcement, one's own included. */
  heard(message: Buffer): void;
}

export interface MeetingPlace {
  readonly state: SharedCacheState;
  /** One only, and before the server is first reached. */
  attend(attendee: Attendee): void;
  /** Signs in for so long and reads who else has, in one step and by one clock, the server's. */
  signIn(id: string, word: Buffer, ttlMs: number): Promise<RollCalled | undefined>;
  signOut(id: string): Promise<boolean>;
  keep(name: string, value: Buffer, ttlMs: number): Promise<boolean>;
  kept(names: readonly string[]): Promise<readonly (KeptWord | null)[] | undefined>;
  drop(names: readonly string[]): Promise<boolean>;
  announce(message: Buffer): Promise<boolean>;
}
