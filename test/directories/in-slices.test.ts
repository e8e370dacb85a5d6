import { afterEach, describe, expect, it, vi } from "vitest";
import { atOnce, inSlices } from "../../src/directories/in-slices.js";

function* counting(steps: number, done: number[]): Generator<void, string> {
  for (let i = 0; i < steps; i++) {
    done.push(i);
    yield;
  }
  return "done";
}

describe("long work", () => {
  afterEach(() => void vi.restoreAllMocks());
  /** A clock on which each look takes so long. */
  const everyLook = (ms: number) => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => {
      now += ms;
      return now;
    });
  };

  it("lets others in after a hundredth of a second, however many steps that is", async () => {
    everyLook(2);
    const done: number[] = [];
    const seen: number[] = [];
    const others = setInterval(() => {}, 1000);
    const look = () => {
      seen.push(done.length);
      if (done.length < 20) setImmediate(look);
    };
    setImmediate(look);
    expect(await inSlices(counting(20, done))).toBe("done");
    clearInterval(others);
    expect(seen).toEqual([5, 10, 15, 20]);
  });

  it("comes to the same as without a pause", async () => {
    everyLook(20);
    const paused: number[] = [];
    const whole: number[] = [];
    expect(await inSlices(counting(50, paused))).toBe(atOnce(counting(50, whole)));
    expect(paused).toEqual(whole);
  });

  it("ends at the next pause once nobody wants it, and when it fails", async () => {
    everyLook(20);
    const done: number[] = [];
    await expect(inSlices(counting(50, done), AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
    expect(done).toEqual([0]);
    const failing = (function* (): Generator<void, void> {
      yield;
      throw new Error("no");
    })();
    await expect(inSlices(failing)).rejects.toThrow("no");
  });
});
