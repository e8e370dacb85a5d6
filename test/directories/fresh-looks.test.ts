import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { FreshLooks, type Look } from "../../src/directories/fresh-looks.js";
import { people } from "../support/kept-directory.js";

const look = (at: number, ...names: string[]): Look => {
  const keys = people(...names);
  return { claim: undefined, keys, asked: keys[0], at: instant(at) };
};

describe("fresh looks", () => {
  it("remembers one look at an address, however often it was looked at", () => {
    const looks = new FreshLooks(1_000);
    for (let at = 0; at < 100; at++) looks.keep(look(at, "bob", "robert"));
    expect(looks.count).toBe(1);
    expect(looks.find(people("bob")[0] as never)?.at).toBe(99);
  });

  it("remembers the older of two looks for the keys that the newer does not speak for", () => {
    const looks = new FreshLooks(1_000);
    const [older, newer] = [look(1, "bob", "robert"), look(2, "robert")];
    looks.keep(older);
    looks.keep(newer);
    expect([looks.keysOf(older), looks.keysOf(newer)]).toEqual([people("bob"), people("robert")]);
    looks.forgetBefore(instant(2));
    expect(looks.count).toBe(1);
    expect(looks.find(people("bob")[0] as never)).toBeUndefined();
  });

  it("forgets the oldest looks, each with all of its keys, when there are too many keys", () => {
    const looks = new FreshLooks(4);
    for (const [at, names] of [["a", "b"], ["c"], ["d"], ["e"]].entries()) looks.keep(look(at, ...names));
    expect(people("a", "b", "c", "d", "e").map((key) => looks.find(key) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("keeps the last look even when it has too many keys by itself", () => {
    const looks = new FreshLooks(2);
    looks.keep(look(0, "a"));
    looks.keep(look(1, "b", "c", "d"));
    expect(people("a", "b", "c", "d").map((key) => looks.find(key)?.at)).toEqual([undefined, 1, 1, 1]);
  });
});
