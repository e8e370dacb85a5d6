import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CapEntry } from "../../src/workmail-cap/cap-response.js";
import { withinSize } from "../../src/workmail-cap/within-size.js";

const event = (subject: string) => ({
  startTime: "2026-07-01T00:00:00.000Z",
  endTime: "2026-07-01T01:00:00.000Z",
  busyType: "BUSY" as const,
  details: {
    subject,
    location: "",
    instanceType: "SINGLE_INSTANCE" as const,
    isMeeting: false,
    isReminderSet: false,
    isPrivate: false,
  },
});
const entry = (mailbox: string, events: number): CapEntry => ({
  mailbox,
  events: Array(events).fill(event("Ünïcödé")),
});
const bytes = (mailboxes: readonly CapEntry[]) => Buffer.byteLength(JSON.stringify({ mailboxes }));

describe("a response that may be returned", () => {
  it("is the very same when it is small enough", () => {
    const entries = [entry("a", 2), entry("b", 0)];
    expect(withinSize(entries, bytes(entries) + 1)).toBe(entries);
  });

  it("loses details before anybody's calendar, and the largest calendar before others", () => {
    const entries = [entry("a", 1), entry("b", 40), entry("c", 2)];
    const without = withinSize(entries, bytes(entries) - 1);
    expect(JSON.stringify(without)).not.toContain("details");
    expect(without.map((one) => "events" in one && one.events.length)).toEqual([1, 40, 2]);
    const fewer = withinSize(entries, 1000);
    expect(fewer.map((one) => ("events" in one ? one.events.length : one.error))).toEqual([
      1,
      "ErrorFreeBusyGenerationFailed",
      2,
    ]);
  });

  it("does not put an error where that would be longer than what is there", () => {
    const entries = [entry("a", 0), entry("b", 0)];
    expect(withinSize(entries, 10)).toEqual(entries);
  });

  it("keeps every mailbox in its place with its whole calendar or an error, and fits where errors alone would", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 30 }), fc.nat(20_000), (counts, maximum) => {
        const entries = counts.map((count, i) => entry(`m${i}@corp.example`, count));
        const errors = entries.map(({ mailbox }): CapEntry => ({ mailbox, error: "ErrorFreeBusyGenerationFailed" }));
        const kept = withinSize(entries, maximum);
        expect(kept.map(({ mailbox }) => mailbox)).toEqual(entries.map(({ mailbox }) => mailbox));
        kept.forEach((one, i) => {
          if ("events" in one) expect(one.events.length).toBe(counts[i]);
        });
        if (bytes(errors) < maximum) expect(bytes(kept)).toBeLessThanOrEqual(maximum);
      }),
    );
  });
});
