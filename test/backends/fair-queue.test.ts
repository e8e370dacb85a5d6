import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FairQueue } from "../../src/backends/fair-queue.js";

const item = (askedBy: string, kind: string, number: number) => ({ askedBy, kind, number });
const anyItem = fc.record({
  askedBy: fc.constantFrom("a", "b", "c"),
  kind: fc.constantFrom("today", "tomorrow"),
  number: fc.nat(),
});
const names = (items: readonly { askedBy: string }[]) => items.map(({ askedBy }) => askedBy).join("");

describe("questions that wait", () => {
  it("go caller by caller in turn, however many one of them has, and in order within each", () => {
    const queue = new FairQueue<ReturnType<typeof item>>(100);
    for (let i = 0; i < 5; i++) queue.add(item("a", "today", i));
    for (let i = 0; i < 2; i++) queue.add(item("b", "today", i));
    const taken = queue.take(5);
    expect(names(taken)).toBe("ababa");
    expect(taken.filter(({ askedBy }) => askedBy === "a").map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(queue.size).toBe(2);
  });

  it("of another kind have the next turn, whoever has more waiting", () => {
    const queue = new FairQueue<ReturnType<typeof item>>(100);
    for (let i = 0; i < 9; i++) queue.add(item("a", "today", i));
    queue.add(item("b", "tomorrow", 0));
    expect(names(queue.take(3))).toBe("aaa");
    expect(names(queue.take(3))).toBe("b");
    expect(names(queue.take(3))).toBe("aaa");
  });

  it("are lost or doubled never: what was let in comes out once, or was turned away, or was removed", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(anyItem, fc.record({ take: fc.integer({ min: 1, max: 4 }) }), fc.constant("remove" as const)),
        ),
        fc.integer({ min: 1, max: 8 }),
        (steps, maximum) => {
          const queue = new FairQueue<{ askedBy: string; kind: string; number: number }>(maximum);
          const came: unknown[] = [];
          const left: unknown[] = [];
          for (const step of steps) {
            if (step === "remove") {
              const one = came.find((known) => !left.includes(known)) as never;
              if (one !== undefined) left.push(queue.remove(one) ? one : "it was not there");
            } else if ("take" in step) {
              const taken = queue.take(step.take);
              expect(new Set(taken.map(({ kind }) => kind)).size).toBeLessThanOrEqual(1);
              expect(taken.length === 0).toBe(came.length === left.length);
              left.push(...taken);
            } else {
              came.push(step);
              const loser = queue.add(step);
              if (loser !== undefined) left.push(loser);
            }
            expect(queue.size).toBe(came.length - left.length);
            expect(queue.size).toBeLessThanOrEqual(maximum);
          }
          for (let rest = queue.take(3); rest.length > 0; rest = queue.take(3)) left.push(...rest);
          expect(left).toHaveLength(came.length);
          expect(new Set(left)).toEqual(new Set(came));
        },
      ),
    );
  });

  it("of a caller with less than its share are never turned away by one with more", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 60 }), (items) => {
        const queue = new FairQueue<(typeof items)[number]>(9);
        const waiting: Record<string, number> = { a: 0, b: 0, c: 0 };
        for (const one of items) {
          waiting[one.askedBy] = (waiting[one.askedBy] as number) + 1;
          const loser = queue.add(one);
          if (loser === undefined) continue;
          waiting[loser.askedBy] = (waiting[loser.askedBy] as number) - 1;
          // A third of nine, and the one that was just turned away.
          expect(waiting[loser.askedBy]).toBeGreaterThanOrEqual(3);
        }
      }),
    );
  });
});
