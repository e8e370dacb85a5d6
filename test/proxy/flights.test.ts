import { describe, expect, it } from "vitest";
import type { MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { Flights } from "../../src/proxy/flights.js";
import { collector } from "../support/garbage.js";

const WEEK = { start: instant(0), end: instant(7 * 86_400_000) };
const MIB = 1024 * 1024;

describe("an answer that has arrived", () => {
  it("is not kept by the register of what is under way until the next full collection", async () => {
    const collect = collector();
    const flights = new Flights(() => 0);
    const { signal } = new AbortController();
    const look = async () => {
      let arrive: (answer: MailboxAnswer) => void = () => undefined;
      const answer = new Promise<MailboxAnswer>((resolve) => {
        arrive = resolve;
      });
      for (let i = 0; i < 100; i++)
        flights.begin({ key: `${i}`, window: WEEK, detail: "times" }, answer, signal, 1, "");
      arrive({ kind: "view", view: { detail: "times", events: new Array(MIB / 8) } });
      await answer;
    };
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 60; i++) {
      await look();
      // What outlives two of them is left to the next full one.
      collect({ type: "minor" });
      collect({ type: "minor" });
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * MIB);
  });
});
