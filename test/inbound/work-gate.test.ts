import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Strain } from "../../src/inbound/process-strain.js";
import { ProcessStrain } from "../../src/inbound/process-strain.js";
import { WorkGate } from "../../src/inbound/work-gate.js";

function gateOf(maximumRequests: number, strain: () => Strain | undefined = () => undefined) {
  const took: number[] = [];
  let now = 0;
  const gate = new WorkGate({ maximumRequests, strain, took: (ms) => took.push(ms), now: () => now });
  return { gate, took, wait: (ms: number) => (now += ms) };
}

describe("the gate", () => {
  it("never has more under way than its limit, and takes one again for each that has left or whose connection has", () => {
    const step = fc.record({ does: fc.constantFrom("comes", "leaves", "breaks"), on: fc.nat(2) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const { gate } = gateOf(limit);
        const connections = [0, 1, 2].map(() => ({ gate: gate.connected(), inside: [] as (() => void)[] }));
        const late: (() => void)[] = [];
        for (const { does, on } of steps) {
          const one = connections[on] as (typeof connections)[number];
          if (does === "leaves") one.inside.shift()?.();
          else if (does === "breaks") {
            one.gate.gone();
            late.push(...one.inside);
            connections[on] = { gate: gate.connected(), inside: [] };
          } else if (gate.refusal === undefined) one.inside.push(one.gate.enter());
          else expect(gate.requests).toBe(limit);
          expect(gate.requests).toBe(connections.reduce((sum, { inside }) => sum + inside.length, 0));
        }
        const before = gate.requests;
        for (const leave of late) leave();
        expect(gate.requests).toBe(before);
      }),
    );
  });

  it("counts a lookup until it is settled, though its request has left; an answer given at once is never counted", async () => {
    const { gate, took, wait } = gateOf(1);
    const leave = gate.connected().enter();
    let settle = (_: number) => {};
    const answer = gate.counting(
      new Promise<number>((resolve) => {
        settle = resolve;
      }),
    );
    wait(40);
    leave();
    expect([gate.requests, gate.lookups, gate.refusal, took]).toEqual([0, 1, "too-many-requests", [40]]);
    settle(7);
    expect(await answer).toBe(7);
    expect([gate.lookups, gate.refusal]).toEqual([0, undefined]);
    expect([gate.counting("known"), gate.lookups]).toEqual(["known", 0]);
  });

  it("forgets a lookup that fails, too", async () => {
    const { gate } = gateOf(1);
    await expect(gate.counting(Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(gate.lookups).toBe(0);
  });

  it("refuses while the process is strained, however little is under way", () => {
    expect(gateOf(9, () => "memory-short").gate.refusal).toBe("memory-short");
  });
});

describe("the strain of a process", () => {
  it("is told as it was last seen, and passes by itself", () => {
    let measures = { delayMs: 0, heapShare: 0.5 };
    const strain = new ProcessStrain({ maximumDelayMs: 500, maximumHeapShare: 0.9 }, () => measures);
    const seen = [
      { delayMs: 501, heapShare: 0.5 },
      { delayMs: 500, heapShare: 0.9 },
      { delayMs: 0, heapShare: 0.91 },
      { delayMs: 900, heapShare: 0.95 },
    ].map((next) => {
      measures = next;
      strain.look();
      return strain.now;
    });
    strain.stop();
    expect(seen).toEqual(["event-loop-late", undefined, "memory-short", "event-loop-late"]);
  });

  it("is seen in a real process whose event loop is kept busy", async () => {
    const strain = new ProcessStrain({ maximumDelayMs: 50, maximumHeapShare: 1 });
    // It looks by itself; what is between two turns is as short as can be, so that no slow machine makes a rest of it.
    for (let turn = 0; turn < 60 && strain.now === undefined; turn++) {
      const until = performance.now() + 150;
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(strain.now).toBe("event-loop-late");
    strain.stop();
  });
});
