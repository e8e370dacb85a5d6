import { describe, expect, it } from "vitest";
import { WorkMailMemory } from "../../src/directories/workmail-memory.js";
import type { WorkMailEntity } from "../../src/directories/workmail-records.js";
import { mailbox } from "../support/recipient-records.js";

const entityOf = (i: number): WorkMailEntity => ({
  kind: "user",
  id: `user${i}`,
  email: `user${i}@corp.example`,
  state: "ENABLED",
  role: "USER",
  enabledAt: 1,
  deprovisioned: false,
});

function remembering(count: number) {
  const clock = { now: 0 };
  const memory = new WorkMailMemory(() => clock.now);
  const entities = Array.from({ length: count }, (_, i) => entityOf(i));
  /** How many have to be listed in a reading now; they are then. */
  const read = () => {
    memory.beginReading();
    const due = entities.filter((entity) => memory.aliases(entity) === undefined);
    for (const entity of due) memory.remember(entity, [], mailbox("workmail", entity.id));
    return due.length;
  };
  return { clock, read };
}

describe("what is remembered of WorkMail's aliases", () => {
  it("is listed again no faster than one a second in the mean, however many there are", () => {
    const { clock, read } = remembering(10_000);
    expect(read()).toBe(10_000);
    for (const seconds of [900, 900, 60, 1, 1]) {
      clock.now += seconds * 1000;
      expect(read()).toBe(seconds);
    }
  });

  it("is listed again in its turn also where readings follow so fast that each one's share is less than one", () => {
    const { clock, read } = remembering(12);
    read();
    let listed = 0;
    for (let minute = 0; minute < 60; minute++) {
      clock.now += 60_000;
      listed += read();
    }
    expect(listed).toBeGreaterThanOrEqual(11);
    expect(listed).toBeLessThanOrEqual(12);
  });

  it("is listed again at once, all of it, after a day without a reading", () => {
    const { clock, read } = remembering(10_000);
    read();
    clock.now += 24 * 3_600_000;
    expect(read()).toBe(10_000);
    expect(read()).toBe(0);
  });

  it("is not listed again because the clock was set back", () => {
    const { clock, read } = remembering(100);
    clock.now = 3_600_000;
    read();
    clock.now = 0;
    expect(read()).toBe(0);
  });
});
