import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instantNow, steadyNow, watchForSetBack } from "../src/compose-clocks.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the clocks", () => {
  it("show the same while nobody sets one, and only the wall clock goes back", async () => {
    await vi.advanceTimersByTimeAsync(5_000);
    expect(Math.abs(steadyNow() - instantNow())).toBeLessThan(5);
    const before = steadyNow();
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(instantNow()).toBeLessThan(before - 3_000_000);
    expect(steadyNow()).toBeGreaterThanOrEqual(before);
  });

  it("tell once when the wall clock was set back, by how much, and nothing when it is set forward or corrected slowly", async () => {
    const told: number[] = [];
    const unwatch = watchForSetBack((byMs) => told.push(byMs));
    await vi.advanceTimersByTimeAsync(3_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(3_000);
    for (let i = 0; i < 5; i++) {
      vi.setSystemTime(Date.now() - 400);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(told).toEqual([]);
    vi.setSystemTime(Date.now() - 7_200_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(told).toEqual([expect.closeTo(7_200_000, -1)]);
    unwatch();
    vi.setSystemTime(Date.now() - 7_200_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(told).toHaveLength(1);
  });
});
