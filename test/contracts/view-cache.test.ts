import { describe, expect, it } from "vitest";
import { viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { MemoryViewCache } from "../../src/caches/memory-view-cache.js";
import { kept, viewCacheContract, window } from "./view-cache-contract.js";

viewCacheContract("the memory cache", () => new MemoryViewCache(100_000));

describe("the memory cache", () => {
  it("stays within its bytes by forgetting what was used least lately", async () => {
    const cache = new MemoryViewCache(20_000);
    const events = Array.from({ length: 10 }, () => ({
      start: instant(0),
      end: instant(1),
      busyType: "Busy" as const,
    }));
    for (let i = 0; i < 100; i++)
      await cache.store([{ key: `k${i}`, kept: kept({ answer: viewed({ detail: "times", events }) }) }]);
    const questions = Array.from({ length: 100 }, (_, i) => ({
      key: `k${i}`,
      window: window(0, 1),
      detail: "times" as const,
    }));
    const found = (await cache.find(questions, instant(150_000))).map((one) => one !== undefined);
    expect(found[99]).toBe(true);
    expect(found.filter(Boolean).length).toBeLessThan(20);
  });
});
