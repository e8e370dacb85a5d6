/** How gateways that come and go divide an account's limit, in every order in which they may hear of it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GONE_AFTER_MS, NEW_WAITS_MS, partOf, RollCall, type RollWord } from "../../src/replicas/roll-call.js";

const use = (limit: number, inFlight = 0) => [{ name: "svc", limit, inFlight }];

describe("the parts of a limit", () => {
  it("add up to the limit, differ by one at most, and are one at least", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 }), (limit, gateways) => {
        const parts = Array.from({ length: gateways }, (_, rank) => partOf(limit, gateways, rank));
        expect(parts.reduce((a, b) => a + b)).toBe(Math.max(limit, gateways));
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

/** A gateway whose requests come and go as the test says, never more than it may. */
class Member {
  readonly call: RollCall;
  inFlight = 0;
  joinedAt: number | undefined;

  constructor(
    readonly id: string,
    readonly limit: number,
  ) {
    this.call = new RollCall(id, 2);
    this.call.begin(use(limit));
  }

  get share(): number {
    return this.call.shares.get("svc") as number;
  }
}

class Roll {
  now = 0;
  readonly entries = new Map<string, { word: RollWord; ends: number }>();

  signIn(member: Member): void {
    for (const [id, { ends }] of this.entries) if (ends <= this.now) this.entries.delete(id);
    const known = this.entries.has(member.id);
    this.entries.set(member.id, { word: member.call.word, ends: this.now + GONE_AFTER_MS });
    const others = new Map([...this.entries].filter(([id]) => id !== member.id).map(([id, { word }]) => [id, word]));
    member.call.met(others, known, use(member.limit, member.inFlight), this.now);
    member.joinedAt ??= this.now;
  }
}

/** Beats, as they come, until the first ones have all there is. */
function settle(roll: Roll, ...members: readonly Member[]): void {
  for (let passed = 0; passed <= GONE_AFTER_MS + 1_000; passed += 500) {
    roll.now += 500;
    for (const one of members) roll.signIn(one);
  }
}

describe("gateways that share an account", () => {
  const LIMIT = 10;
  const anyStep = fc.oneof(
    { weight: 8, arbitrary: fc.record({ signIn: fc.nat({ max: 3 }) }) },
    { weight: 6, arbitrary: fc.record({ ask: fc.nat({ max: 3 }), more: fc.constantFrom(1, 3, 10) }) },
    { weight: 4, arbitrary: fc.record({ finish: fc.nat({ max: 3 }), fewer: fc.constantFrom(1, 3, 10) }) },
    { weight: 1, arbitrary: fc.record({ end: fc.nat({ max: 3 }) }) },
    { weight: 1, arbitrary: fc.constant("the server begins with nothing" as const) },
  );

  it("never have more under way together than it allows, in whatever order they hear of each other", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 40, maxLength: 120, size: "max" }), (steps) => {
        const roll = new Roll();
        let next = 0;
        const born = () => {
          const member = new Member(`m${(next++ * 7919) % 1000}`, LIMIT);
          roll.signIn(member);
          return member;
        };
        // Whoever starts at an empty server takes what is presumed, so the first ones are there before the others come.
        const first = born();
        settle(roll, first);
        const there: (Member | undefined)[] = [first];
        const check = () => {
          const used = there.reduce((sum, one) => sum + (one?.inFlight ?? 0), 0);
          expect(used).toBeLessThanOrEqual(LIMIT);
        };
        for (const step of steps) {
          // Everybody beats often enough not to be taken for gone, and waits not so long that it stops waiting.
          roll.now += 10;
          if (typeof step === "string") {
            roll.entries.clear();
            for (const one of there) if (one) roll.signIn(one);
          } else if ("signIn" in step) {
            const one = there[step.signIn];
            if (one) roll.signIn(one);
            else there[step.signIn] = born();
          } else if ("ask" in step) {
            const one = there[step.ask];
            if (one) one.inFlight = Math.max(one.inFlight, Math.min(one.share, one.inFlight + step.more));
          } else if ("finish" in step) {
            const one = there[step.finish];
            if (one) one.inFlight = Math.max(0, one.inFlight - step.fewer);
          } else {
            const one = there[step.end];
            // A first one at an empty server is another matter, see above.
            if (one === undefined || there.filter((other) => other !== undefined).length === 1) continue;
            roll.entries.delete(one.id);
            there[step.end] = undefined;
          }
          check();
        }
      }),
      { numRuns: 400 },
    );
  });

  it("each have their whole part soon, and what one leaves is the others' when it counts as gone", () => {
    const roll = new Roll();
    const all = ["a", "b", "c"].map((id) => new Member(id, 10));
    settle(roll, ...all);
    expect(all.map(({ share }) => share)).toEqual([4, 3, 3]);
    settle(roll, ...all.slice(1));
    expect(all.slice(1).map(({ share }) => share)).toEqual([5, 5]);
    expect(all[1]?.call.count).toEqual({ gateways: 2, counted: true });
  });

  it("do not grow over what another still has under way", () => {
    const roll = new Roll();
    const [a, b] = [new Member("a", 10), new Member("b", 10)];
    settle(roll, a);
    expect(a.share).toBe(10);
    a.inFlight = 8;
    for (let i = 0; i < 6; i++) for (const one of [b, a]) roll.signIn(one);
    expect([a.share, b.share]).toEqual([5, 0]);
    a.inFlight = 5;
    for (let i = 0; i < 3; i++) for (const one of [b, a]) roll.signIn(one);
    expect([a.share, b.share]).toEqual([5, 5]);
  });

  it("have one place at least: a new one when it has waited long enough, and all when there are too many", () => {
    const roll = new Roll();
    const [a, b, c] = [new Member("a", 2), new Member("b", 2), new Member("c", 2)];
    settle(roll, a);
    a.inFlight = 2;
    roll.signIn(b);
    expect(b.share).toBe(0);
    roll.now += NEW_WAITS_MS;
    roll.signIn(b);
    expect(b.share).toBe(1);
    a.inFlight = 0;
    for (let i = 0; i < 4; i++) for (const one of [a, b, c]) roll.signIn(one);
    roll.now += NEW_WAITS_MS;
    for (let i = 0; i < 4; i++) for (const one of [a, b, c]) roll.signIn(one);
    expect([a.share, b.share, c.share]).toEqual([1, 1, 1]);
    expect(a.call.crowded).toEqual(["svc"]);
  });

  it("that cannot be counted keep their part for a while, then have no more than is presumed, and never grow", () => {
    const roll = new Roll();
    const one = new Member("a", 10);
    expect(one.share).toBe(5);
    settle(roll, one);
    expect(one.share).toBe(10);
    one.call.missed(use(10), roll.now + GONE_AFTER_MS - 1);
    expect([one.share, one.call.count.counted]).toEqual([10, true]);
    one.call.missed(use(10), roll.now + GONE_AFTER_MS);
    expect([one.share, one.call.count.counted]).toEqual([5, false]);
    one.call.missed(use(10), roll.now + 10 * GONE_AFTER_MS);
    expect(one.share).toBe(5);
  });

  it("and find their server empty wait until the others can have come back", () => {
    const roll = new Roll();
    const [a, b] = [new Member("a", 10), new Member("b", 10)];
    for (let i = 0; i < 20; i++) {
      roll.now += 500;
      for (const one of [a, b]) roll.signIn(one);
    }
    expect([a.share, b.share]).toEqual([5, 5]);
    roll.entries.clear();
    for (let ms = 0; ms < GONE_AFTER_MS; ms += 500) {
      roll.signIn(a);
      expect(a.share).toBe(5);
      roll.now += 500;
    }
    roll.signIn(a);
    expect(a.share).toBe(10);
  });

  it("count somebody whose words they cannot read, and do not wait for it", () => {
    const one = new RollCall("a", 2);
    one.begin(use(10));
    const others = new Map([["z", undefined]]);
    one.met(others, false, use(10), 0);
    one.met(others, true, use(10), 1);
    expect(one.shares.get("svc")).toBe(5);
  });
});
