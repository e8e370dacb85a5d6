import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogLines } from "../../src/telemetry/log-lines.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function collecting() {
  const written: string[] = [];
  const last: string[] = [];
  const lines = new LogLines({ write: (text) => void written.push(text), flushSync: (text) => void last.push(text) });
  return { lines, written, last };
}

describe("log lines", () => {
  it("leave together, in order, a quarter of a second after the first", () => {
    const { lines, written } = collecting();
    lines.write("one\n");
    vi.advanceTimersByTime(200);
    lines.write("two\n");
    expect(written).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(written).toEqual(["one\ntwo\n"]);
    vi.advanceTimersByTime(1_000);
    expect(written).toHaveLength(1);
  });

  it("leave at once when there are enough of them, and none is lost or written twice", () => {
    const { lines, written } = collecting();
    const all = Array.from({ length: 1_000 }, (_, i) => `${i} ${"x".repeat(90)}\n`);
    for (const line of all) lines.write(line);
    expect(written.length).toBeGreaterThan(0);
    vi.advanceTimersByTime(250);
    expect(written.join("")).toBe(all.join(""));
  });

  it("leave soon, with those before them and of the same turn, when one of them is to", () => {
    const { lines, written } = collecting();
    lines.write("one\n");
    lines.writeSoon("two\n");
    lines.writeSoon("three\n");
    lines.write("four\n");
    expect(written).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(written).toEqual(["one\ntwo\nthree\nfour\n"]);
    vi.advanceTimersByTime(1_000);
    expect(written).toHaveLength(1);
  });

  it("are all out when the process ends", () => {
    const { lines, written, last } = collecting();
    lines.write("last\n");
    lines.writeSoon("words\n");
    lines.flushSync();
    expect([written, last]).toEqual([[], ["last\nwords\n"]]);
    vi.advanceTimersByTime(1_000);
    expect(written).toEqual([]);
  });
});
