/** Decides what can be configured about how much work is taken at once, and how long anybody may take to send it. */

import { z } from "zod";
import { seconds } from "./setting-terms.js";

export const overload = z.strictObject({
  maximumRequests: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe("Callers' requests under way at once, and look-ups at once. New ones beyond that get HTTP 503."),
  maximumConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4000)
    .describe("Callers' connections at once. New ones beyond that are closed."),
  maximumDelaySeconds: seconds(0.05, 10)
    .default(0.5)
    .describe("New requests get HTTP 503 while the event loop is later than this on average."),
  maximumHeapShare: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.9)
    .describe(
      "New requests get HTTP 503 while this share of the heap's limit is in use, large answers on their way out included. 1: never.",
    ),
  requestSeconds: seconds(1, 300).default(10).describe("Within which a request's header and body arrive."),
  idleSeconds: seconds(1, 3600)
    .default(60)
    .describe(
      "A connection on which nothing moves is closed; one that stopped in the middle of an answer after twice as long.",
    ),
});
