import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { BUSY_TYPES, type BusyType, type FreeBusyView } from "../../src/availability/free-busy-view.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant, MINUTE_MS } from "../../src/availability/time-window.js";

const T0 = Date.UTC(2026, 6, 1);
const at = (minutes: number) => instant(T0 + minutes * MINUTE_MS);
const digitsOf = (view: FreeBusyView, from: number, to: number, interval: number) =>
  mergedFreeBusy(view, { start: at(from), end: at(to) }, interval).digits;
const events = (...list: [from: number, to: number, busyType: BusyType][]): FreeBusyView => ({
  detail: "times",
  events: list.map(([from, to, busyType]) => ({ start: at(from), end: at(to), busyType })),
});
const known = (digits: string, intervalMinutes: number, from = 0): FreeBusyView => ({
  detail: "merged",
  merged: { start: at(from), intervalMinutes, digits },
});

describe("the slots of events", () => {
  it("say where they start and how long they are", () => {
    expect(mergedFreeBusy(events(), { start: at(7), end: at(67) }, 20)).toEqual({
      start: at(7),
      intervalMinutes: 20,
      digits: "000",
    });
  });

  it.each([
    [60, 60, 1],
    [61, 60, 2],
    [59, 60, 1],
    [1440, 30, 48],
    [1441, 1440, 2],
  ])("of %i minutes by %i are %i", (length, interval, count) => {
    expect(digitsOf(events(), 0, length, interval)).toBe("0".repeat(count));
  });

  it("show the highest status that touches them, in whatever order the events come", () => {
    const statuses: BusyType[] = ["Free", "Tentative", "Busy", "OOF", "NoData"];
    fc.assert(
      fc.property(fc.shuffledSubarray(statuses, { minLength: 1 }), (some) => {
        const view = events(...some.map((status): [number, number, BusyType] => [10, 20, status]));
        expect(digitsOf(view, 0, 30, 30)).toBe(String(Math.max(...some.map((status) => statuses.indexOf(status)))));
      }),
    );
  });

  it("are raised by the last second of an event, and by no later one", () => {
    const view: FreeBusyView = {
      detail: "times",
      events: [{ start: at(0), end: instant(at(30) + 1000), busyType: "Busy" }],
    };
    expect(digitsOf(view, 0, 90, 30)).toBe("220");
    expect(digitsOf(events([0, 30, "Busy"]), 0, 90, 30)).toBe("200");
  });

  it("are not raised by events before or after the window, nor by one without duration", () => {
    expect(digitsOf(events([-60, 0, "OOF"], [60, 120, "OOF"], [30, 30, "Busy"]), 0, 60, 30)).toBe("00");
  });

  it("are all raised by an event longer than the window", () => {
    expect(digitsOf(events([-100_000, 100_000, "OOF"]), 0, 90, 30)).toBe("333");
  });

  it("are those of each event by itself, laid over each other, however many there are and in whatever order", () => {
    const anyEvent = fc
      .tuple(
        fc.integer({ min: -6000, max: 12_000 }),
        fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 20_000 })),
        fc.constantFrom(...BUSY_TYPES),
      )
      .map(([from, seconds, busyType]) => ({
        start: instant(T0 + from * 1000),
        end: instant(T0 + (from + seconds) * 1000),
        busyType,
      }));
    fc.assert(
      fc.property(
        fc.array(anyEvent, { size: "large", maxLength: 60 }),
        fc.integer({ min: 5, max: 60 }),
        (list, interval) => {
          const slots = (some: typeof list) => digitsOf({ detail: "times", events: some }, 0, 150, interval);
          const alone = list.map((one) => slots([one]));
          const highest = Array.from(slots([]), (_, slot) =>
            Math.max(0, ...alone.map((digits) => Number(digits[slot]))),
          );
          expect(slots(list)).toBe(highest.join(""));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are looked at once for each status, however many events lie over each other", () => {
    let looked = 0;
    const slots = new Proxy(Buffer.alloc(100, "0"), {
      get(target, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) looked++;
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
      set: (target, key, value) => Reflect.set(target, key, value, target),
    });
    const alloc = vi.spyOn(Buffer, "alloc").mockReturnValueOnce(slots);
    const long = Array.from({ length: 300 }, (_, i): [number, number, BusyType] => [
      (i * 7) % 300,
      3000 - i,
      i % 2 === 0 ? "Busy" : "OOF",
    ]);
    expect(digitsOf(events(...long), 0, 3000, 30)).toBe("3".repeat(100));
    expect(looked).toBeLessThanOrEqual(2 * 100);
    alloc.mockRestore();
  });
});

describe("slots known already, put into others", () => {
  it("are the same slots where interval and start are the same", () => {
    expect(digitsOf(known("012340", 30), 0, 180, 30)).toBe("012340");
    expect(digitsOf(known("012340", 30), 0, 61, 30)).toBe("012");
  });

  it("are no data beyond what is known, before it and after it", () => {
    expect(digitsOf(known("00", 30), 0, 120, 30)).toBe("0044");
    expect(digitsOf(known("00", 30), -60, 120, 30)).toBe("440044");
    expect(digitsOf(known("00", 30), 600, 660, 30)).toBe("44");
    expect(digitsOf(known("00", 30), -600, -540, 30)).toBe("44");
    expect(digitsOf(known("", 30), 0, 60, 30)).toBe("44");
  });

  it("show in a coarser slot the highest of the finer ones, and in finer ones the coarse one", () => {
    expect(digitsOf(known("0100", 15), 0, 60, 30)).toBe("10");
    expect(digitsOf(known("02", 30), 0, 60, 15)).toBe("0022");
  });

  it("are exactly the highest of what they touch, unknown counting as no data", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-4]{0,40}$/),
        fc.constantFrom(5, 15, 30, 60),
        fc.integer({ min: -300, max: 300 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 5, max: 120 }),
        (digits, interval, from, length, wanted) => {
          const result = digitsOf(known(digits, interval), from, from + length, wanted);
          expect(result).toHaveLength(Math.ceil(length / wanted));
          // The last slot may reach beyond the window; nothing unknown there concerns the question.
          const expected = [...result].map((_, slot) => {
            let most = 0;
            for (let minute = from + slot * wanted; minute < from + (slot + 1) * wanted; minute++) {
              const there = minute < 0 ? undefined : digits[Math.floor(minute / interval)];
              // The last slot may reach beyond the window; what is unknown there concerns nobody.
              const digit = Number(there ?? (minute < from + length ? "4" : "0"));
              most = Math.max(most, digit);
            }
            return most;
          });
          expect(result).toBe(expected.join(""));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("never show less than the events they were made of", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 700 }),
            fc.integer({ min: 1, max: 200 }),
            fc.constantFrom<BusyType>("Tentative", "Busy", "OOF", "NoData"),
          ),
          { maxLength: 6 },
        ),
        fc.integer({ min: 0, max: 600 }),
        fc.integer({ min: 5, max: 90 }),
        (list, from, interval) => {
          const view = events(
            ...list.map(([start, length, busy]): [number, number, BusyType] => [start, start + length, busy]),
          );
          const stored: FreeBusyView = {
            detail: "merged",
            merged: mergedFreeBusy(view, { start: at(0), end: at(1440) }, 15),
          };
          const direct = digitsOf(view, from, from + 120, interval);
          const viaSlots = digitsOf(stored, from, from + 120, interval);
          [...direct].forEach((digit, slot) => {
            expect(Number(viaSlots[slot])).toBeGreaterThanOrEqual(Number(digit));
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
