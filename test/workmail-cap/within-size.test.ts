import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { availabilityQuery } from "../../src/availability/availability-query.js";
import type { BusyType, CalendarEvent } from "../../src/availability/free-busy-view.js";
import { failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { DAY_MS, instant } from "../../src/availability/time-window.js";
import { UTC_ZONE } from "../../src/availability/time-zone.js";
import type { CapEntry } from "../../src/workmail-cap/cap-response.js";
import { type AnsweredMailbox, entriesWithin, withinSize } from "../../src/workmail-cap/within-size.js";

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

describe("the entries of an event", () => {
  const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 1) + 62 * DAY_MS) };
  const query = availabilityQuery(
    {
      mailboxes: [{ text: "a", routingType: "SMTP", address: undefined }],
      window,
      intervalMinutes: 30,
      view: { detail: "details", merged: false },
    },
    UTC_ZONE,
  );
  const MINUTE = 60_000;
  let written = 0;
  /** Busy hours of which is counted how often they are written. */
  const calendar = (count: number, busyType: BusyType = "Busy"): MailboxAnswer =>
    viewed({
      detail: "times",
      events: Array.from({ length: count }, (_, i): CalendarEvent => {
        const start = instant(window.start + i * MINUTE);
        return {
          start,
          get end() {
            written++;
            return instant(start + MINUTE);
          },
          busyType,
        };
      }),
    });
  const asked = (answers: readonly MailboxAnswer[]): AnsweredMailbox[] =>
    answers.map((answer, i) => ({ mailbox: `m${i}`, answer, query }));
  const told = (entries: readonly CapEntry[]) =>
    entries.map((one) => ("events" in one ? one.events.length : one.error));
  const TOO_LARGE = "ErrorFreeBusyGenerationFailed";

  it.each([
    ["one mailbox named a thousand times", 1, 1000],
    ["a thousand mailboxes", 1000, 57_000],
  ])("about %s are no larger than may be returned, and no more is written", (_, mailboxes, most) => {
    const calendars = Array.from({ length: mailboxes }, () => calendar(1000));
    written = 0;
    const entries = entriesWithin(
      asked(Array.from({ length: 1000 }, (_, i) => calendars[i % mailboxes] as MailboxAnswer)),
    );
    expect(entries.map(({ mailbox }) => mailbox)).toEqual(Array.from({ length: 1000 }, (_, i) => `m${i}`));
    expect(new Set(told(entries))).toEqual(new Set([1000, TOO_LARGE]));
    expect(bytes(entries)).toBeLessThanOrEqual(5_500_000);
    expect(bytes(entries)).toBeGreaterThan(5_000_000);
    expect(written).toBeLessThanOrEqual(most);
  });

  it("of slots are not larger either", () => {
    const digits = "02".repeat(31 * 48);
    const slots = viewed({ detail: "merged", merged: { start: window.start, intervalMinutes: 30, digits } });
    const entries = entriesWithin(asked(Array(1000).fill(slots)));
    expect(new Set(told(entries))).toEqual(new Set([31 * 48, TOO_LARGE]));
    expect(bytes(entries)).toBeLessThanOrEqual(5_500_000);
  });

  it("lose the largest calendars, never one that is small or a failure that has its own name", () => {
    const answers = [calendar(3), calendar(900), failed({ reason: "mailbox-not-found" }), calendar(500), calendar(0)];
    expect(told(entriesWithin(asked(answers), 60_000))).toEqual([3, TOO_LARGE, "MailboxNotFound", 500, 0]);
  });

  it("are as they would be without a limit while all fit, however much of them says that nothing is known", () => {
    const unknown = calendar(62 * 24 * 60, "NoData");
    const answers = [calendar(20), unknown];
    expect(told(entriesWithin(asked(answers), 4000))).toEqual([20, TOO_LARGE]);
  });
});
