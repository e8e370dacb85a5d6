import { beforeEach, describe, expect, it } from "vitest";
import { failed, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import type { CachedAnswer, ViewCache } from "../../src/proxy/view-cache.js";

export const window = (from: number, to: number) => ({ start: instant(from), end: instant(to) });
export const kept = (change: Partial<CachedAnswer> = {}): CachedAnswer => ({
  answer: viewed({ detail: "times", events: [] }),
  window: window(0, 100),
  detail: "times",
  learntAt: instant(1000),
  expiresAt: instant(2000),
  ...change,
});

/** What every implementation of the port promises. */
export function viewCacheContract(name: string, create: () => ViewCache): void {
  describe(`${name}, as a view cache`, () => {
    let cache: ViewCache;
    beforeEach(() => {
      cache = create();
    });
    const find = async (change: object = {}, now = 1500) =>
      (await cache.find([{ key: "a", window: window(10, 20), detail: "times", ...change }], instant(now)))[0];

    it("gives back what covers the question, and nothing for another key, window or detail", async () => {
      await cache.store([{ key: "a", kept: kept() }]);
      expect(await find()).toEqual(kept());
      expect(await find({ window: window(0, 100) })).toEqual(kept());
      for (const other of [{ key: "b" }, { window: window(0, 101) }, { detail: "details" }])
        expect(await find(other)).toBeUndefined();
    });

    it("gives back nothing that has expired", async () => {
      await cache.store([{ key: "a", kept: kept() }]);
      expect(await find({}, 1999)).toBeDefined();
      expect(await find({}, 2000)).toBeUndefined();
    });

    it("answers several questions by position", async () => {
      await cache.store([{ key: "b", kept: kept() }]);
      const questions = ["a", "b", "a"].map((key) => ({ key, window: window(0, 1), detail: "times" as const }));
      expect((await cache.find(questions, instant(1500))).map((one) => one !== undefined)).toEqual([
        false,
        true,
        false,
      ]);
    });

    it("keeps several windows of a mailbox, and the newer answer for the same one", async () => {
      const newer = kept({ learntAt: instant(1100), expiresAt: instant(2100) });
      await cache.store([{ key: "a", kept: kept() }]);
      await cache.store([{ key: "a", kept: kept({ window: window(100, 200) }) }]);
      await cache.store([{ key: "a", kept: newer }]);
      expect(await find()).toEqual(newer);
      expect(await find({ window: window(150, 160) })).toBeDefined();
    });

    it("believes 'no such mailbox' for every window, and forgets the views it contradicts", async () => {
      const gone = kept({ answer: failed({ reason: "mailbox-not-found" }), expiresAt: instant(1800) });
      await cache.store([{ key: "a", kept: kept() }]);
      await cache.store([{ key: "a", kept: gone }]);
      expect(await find({ window: window(500, 600), detail: "details" })).toEqual(gone);
      expect(await find({}, 1900)).toBeUndefined();
      await cache.store([{ key: "a", kept: kept() }]);
      expect((await find())?.answer.kind).toBe("view");
    });
  });
}
