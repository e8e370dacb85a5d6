import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Strain } from "../../src/inbound/process-strain.js";
import { ProcessStrain } from "../../src/inbound/process-strain.js";
import { WorkGate } from "../../src/inbound/work-gate.js";

function gateOf(
  maximumRequests: number,
  strain: () => Strain | undefined = () => undefined,
  roomBytes = Number.POSITIVE_INFINITY,
) {
  const took: number[] = [];
  let now = 0;
  const gate = new WorkGate({
    maximumRequests,
    strain,
    roomBytes: () => roomBytes,
    took: (ms) => took.push(ms),
    now: () => now,
  });
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

  it("refuses exactly while the answers that have neither gone out nor lost their connection are more than there is room for", () => {
    const step = fc.record({
      does: fc.constantFrom("writes", "sends", "breaks"),
      on: fc.nat(2),
      bytes: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.nat(30), fc.array(step, { maxLength: 60 }), (room, steps) => {
        const { gate } = gateOf(9, undefined, room);
        type Held = { bytes: number; sent: () => void };
        const connections = [0, 1, 2].map(() => ({ gate: gate.connected(), held: [] as Held[], broken: false }));
        const late: Held[] = [];
        for (const { does, on, bytes } of steps) {
          const one = connections[on] as (typeof connections)[number];
          if (does === "writes") {
            const held = { bytes, sent: one.gate.answer(bytes) };
            (one.broken ? late : one.held).push(held);
          } else if (does === "sends") one.held.shift()?.sent();
          else {
            one.gate.gone();
            one.broken = true;
            late.push(...one.held.splice(0));
          }
          for (const held of late.splice(0)) held.sent();
          const unsent = connections.flatMap(({ held }) => held).reduce((sum, { bytes }) => sum + bytes, 0);
          expect([gate.full, gate.refusal]).toEqual(unsent > room ? [true, "memory-short"] : [false, undefined]);
        }
      }),
    );
  });

  it("refuses while the process is strained, however little is under way", () => {
    expect(gateOf(9, () => "memory-short").gate.refusal).toBe("memory-short");
  });
});

describe("the strain of a process", () => {
  it("is told as it was last seen, and passes by itself", () => {
    const heapBytes = 1000;
    let measures = { delayMs: 0, heapShare: 0.5, heapBytes };
    const strain = new ProcessStrain({ maximumDelayMs: 500, maximumHeapShare: 0.9 }, () => measures);
    const seen = [
      { delayMs: 501, heapShare: 0.5, heapBytes },
      { delayMs: 500, heapShare: 0.9, heapBytes },
      { delayMs: 0, heapShare: 0.91, heapBytes },
      { delayMs: 900, heapShare: 0.95, heapBytes },
    ].map((next) => {
      measures = next;
      strain.look();
      return strain.now;
    });
    strain.stop();
    expect(seen).toEqual(["event-loop-late", undefined, "memory-short", "event-loop-late"]);
  });

  it("leaves as much room outside of the heap as the heap leaves of its share, and any when nothing is to be refused", () => {
    const room = (maximumHeapShare: number, heapShare: number) => {
      const measures = { delayMs: 0, heapShare, heapBytes: 1000 };
      const strain = new ProcessStrain({ maximumDelayMs: 500, maximumHeapShare }, () => measures);
      strain.stop();
      return strain.roomBytes;
    };
    expect([room(0.75, 0.25), room(0.75, 0.8), room(1, 0.99)]).toEqual([500, 0, Number.POSITIVE_INFINITY]);
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
