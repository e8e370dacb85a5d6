import { beforeEach, describe, expect, it } from "vitest";
import { failed, learnt, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import type { CachedAnswer, ViewCache } from "../../src/proxy/view-cache.js";

export const window = (from: number, to: number) => ({ start: instant(from), end: instant(to) });
/** As the asker keeps it: the answer says itself when it was learnt. */
export const kept = (change: Partial<CachedAnswer> = {}): CachedAnswer => {
  const one = {
    answer: viewed({ detail: "times", events: [] }),
    window: window(0, 100),
    detail: "times" as const,
    learntAt: instant(100_000),
    freshUntil: instant(200_000),
    expiresAt: instant(200_000),
    ...change,
  };
  return { ...one, answer: learnt(one.answer, one.learntAt) };
};

/** What every implementation of the port promises. */
export function viewCacheContract(name: string, create: () => ViewCache | Promise<ViewCache>): void {
  describe(`${name}, as a view cache`, () => {
    let cache: ViewCache;
    beforeEach(async () => {
      cache = await create();
    });
    const find = async (change: object = {}, now = 150_000) =>
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
      expect(await find({}, 199_999)).toBeDefined();
      expect(await find({}, 200_000)).toBeUndefined();
    });

    it("answers several questions by position", async () => {
      await cache.store([{ key: "b", kept: kept() }]);
      const questions = ["a", "b", "a"].map((key) => ({ key, window: window(0, 1), detail: "times" as const }));
      expect((await cache.find(questions, instant(150_000))).map((one) => one !== undefined)).toEqual([
        false,
        true,
        false,
      ]);
    });

    it("keeps several windows of a mailbox, and the newer answer for the same one", async () => {
      const newer = kept({ learntAt: instant(110_000), freshUntil: instant(210_000), expiresAt: instant(210_000) });
      await cache.store([{ key: "a", kept: kept() }]);
      await cache.store([{ key: "a", kept: kept({ window: window(100, 200) }) }]);
      await cache.store([{ key: "a", kept: newer }]);
      expect(await find()).toEqual(newer);
      expect(await find({ window: window(150, 160) })).toBeDefined();
    });

    it("believes 'no such mailbox' for every window, and forgets the views it contradicts", async () => {
      const gone = kept({ answer: failed({ reason: "mailbox-not-found" }), expiresAt: instant(180_000) });
      await cache.store([{ key: "a", kept: kept() }]);
      await cache.store([{ key: "a", kept: gone }]);
      expect(await find({ window: window(500, 600), detail: "details" })).toEqual(gone);
      expect(await find({}, 190_000)).toBeUndefined();
      await cache.store([{ key: "a", kept: kept() }]);
      expect((await find())?.answer.kind).toBe("view");
    });

    it("gives back what is stale until it expires, and whatever is newer before it", async () => {
      await cache.store([{ key: "a", kept: kept({ freshUntil: instant(120_000) }) }]);
      expect((await find())?.freshUntil).toBe(120_000);
      const newer = kept({ window: window(5, 50), learntAt: instant(140_000) });
      await cache.store([{ key: "a", kept: newer }]);
      expect(await find()).toEqual(newer);
    });

    it("does not let older news replace newer, whichever arrives last", async () => {
      const newer = kept({ learntAt: instant(110_000) });
      const gone = kept({ answer: failed({ reason: "mailbox-not-found" }), learntAt: instant(120_000) });
      await cache.store([{ key: "a", kept: newer }]);
      await cache.store([{ key: "a", kept: kept() }]);
      expect(await find()).toEqual(newer);
      await cache.store([{ key: "a", kept: gone }]);
      await cache.store([{ key: "a", kept: kept({ learntAt: instant(115_000) }) }]);
      expect(await find()).toEqual(gone);
    });

    it("forgets the keys named and no others, and everything when told so", async () => {
      await cache.store(["a", "b", "c"].map((key) => ({ key, kept: kept() })));
      await cache.forget(["a", "c"], "everywhere");
      expect([await find(), await find({ key: "b" }), await find({ key: "c" })]).toEqual([
        undefined,
        kept(),
        undefined,
      ]);
      await cache.forget("all", "everywhere");
      expect(await find({ key: "b" })).toBeUndefined();
    });
  });
}
