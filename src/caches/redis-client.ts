/**
 * Loads the Redis package, and decides what becomes of nonsense: whatever answers as no Redis server would costs
 * its connection, never the process. The package by itself throws into the event loop, where nobody can catch it,
 * when what is pushed, what answers a subscription, or what answers nothing has not the shape it counts on, and when
 * a cluster's slots are no list of slots.
 */

import type { Command } from "ioredis";

/** A cluster has so many, by its protocol. */
const SLOTS = 16_384;

type Handler = {
  dispatch(handle: () => void): void;
  readonly redis: { recoverFromFatalError(error: Error, told: Error, queues: { offlineQueue: boolean }): void };
};

export async function loadRedisClient() {
  const [{ Redis, Cluster, Command }, { default: module }] = await Promise.all([
    import("ioredis"),
    import("ioredis/built/DataHandler.js"),
  ]);
  // A CommonJS module is its own default export, or has one, as whoever loads it sees it.
  const { prototype } = (module.default ?? module) as unknown as { readonly prototype: Handler };
  prototype.dispatch = function (this: Handler, handle) {
    try {
      handle();
    } catch {
      const error = new Error("it does not answer as a Redis server does");
      this.redis.recoverFromFatalError(error, error, { offlineQueue: false });
    }
  };
  Command.setReplyTransformer("cluster", slotsChecked);
  return { Redis, Cluster };
}

/** The answer to CLUSTER SLOTS, or the text of CLUSTER INFO, as it is. Throws, which fails the command, when it is neither. */
const slotsChecked: Parameters<typeof Command.setReplyTransformer>[1] = (reply) => {
  const isSlots = Array.isArray(reply) && reply.every(isSlotRange);
  if (!isSlots && typeof reply !== "string") throw new Error("it does not answer as a cluster does");
  return reply;
};

/** First slot, last slot, then the nodes that serve them: address, which may be unknown, port, and more. */
function isSlotRange(range: unknown): boolean {
  if (!Array.isArray(range)) return false;
  const [first, last, ...nodes] = range;
  return isSlot(first) && isSlot(last) && nodes.every(Array.isArray);
}

function isSlot(slot: unknown): boolean {
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < SLOTS;
}
