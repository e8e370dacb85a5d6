import { describe, expect, it } from "vitest";
import { WaitingLine } from "../../src/proxy/waiting-line.js";

const never = new AbortController().signal;

describe("a line of those who wait", () => {
  it("lets in as many as there are places, and then in the order they came", async () => {
    const line = new WaitingLine(2);
    const went: number[] = [];
    const all = [1, 2, 3, 4].map((number) => line.enter(never).then(() => went.push(number)));
    await all[1];
    expect(went).toEqual([1, 2]);
    line.leave();
    await all[2];
    expect(went).toEqual([1, 2, 3]);
    line.leave();
    await all[3];
    expect(went).toEqual([1, 2, 3, 4]);
  });

  it("passes over whoever gave up, and loses no place by it", async () => {
    const line = new WaitingLine(1);
    await line.enter(never);
    const impatient = new AbortController();
    const gaveUp = line.enter(impatient.signal);
    const patient = line.enter(never);
    impatient.abort(new Error("too long"));
    await expect(gaveUp).rejects.toThrow("too long");
    line.leave();
    await patient;
    line.leave();
    await line.enter(never);
  });

  it("does not let in whoever has given up before coming", async () => {
    const line = new WaitingLine(1);
    await expect(line.enter(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
    await line.enter(never);
  });
});
