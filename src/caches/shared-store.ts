/**
 * What the shared cache needs of a server that all gateways reach: values by name that end
 * by themselves, and messages. Nothing in it knows what a value means.
 */

import type { SharedCacheState } from "../proxy/shared-cache-observer.js";

export interface SharedValue {
  readonly name: string;
  readonly value: Buffer;
  readonly ttlMs: number;
}

export interface StoreListener {
  /** Another gateway's message, or one of our own. */
  heard(message: Buffer): void;
  /** Another gateway has forgotten everything, or news may have been missed: whatever came before counts for nothing. */
  forgetAll(): void;
}

export interface SharedStore {
  readonly state: SharedCacheState;
  /** Begins to reach the server, and goes on trying; resolves when it has been reached or a little later. */
  start(listener: StoreListener): Promise<void>;
  /** In order. Undefined: it could not be asked in time. Never rejects, as nothing here does. */
  read(names: readonly string[]): Promise<readonly (Buffer | null)[] | undefined>;
  /** A name that was buried a moment ago keeps nothing. */
  write(values: readonly SharedValue[]): Promise<boolean>;
  /** Ends what is kept under these names, and for a moment whatever is on its way there. */
  bury(names: readonly string[]): Promise<boolean>;
  /** Ends everything that is kept, and tells the others. */
  buryAll(): Promise<boolean>;
  tell(message: Buffer): Promise<boolean>;
  stop(): Promise<void>;
}
