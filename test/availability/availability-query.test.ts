import { describe, expect, it } from "vitest";
import {
  type AskedMailbox,
  type AvailabilityQuery,
  availabilityQuery,
} from "../../src/availability/availability-query.js";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { RequestFault } from "../../src/availability/request-fault.js";
import { DAY_MS, instant, MINUTE_MS } from "../../src/availability/time-window.js";
import { UTC_ZONE, wallClock } from "../../src/availability/time-zone.js";
import { timeZoneFromRules, type ZoneRules } from "../../src/availability/zone-rules.js";
import { ZONES } from "../support/zones.js";

const text = "a@corp.example";
const mailbox: AskedMailbox = { text, routingType: "SMTP", address: parseMailboxAddress(text) };
const T0 = Date.UTC(2026, 6, 1);
const minutes = (count: number) => ({ window: { start: instant(T0), end: instant(T0 + count * MINUTE_MS) } });
const query = (change: Partial<AvailabilityQuery>): AvailabilityQuery => ({
  mailboxes: [mailbox],
  ...minutes(1440),
  intervalMinutes: 30,
  view: { detail: "details", merged: true },
  ...change,
});
function faultOf(change: Partial<AvailabilityQuery>, zone = UTC_ZONE): string | undefined {
  try {
    availabilityQuery(query(change), zone);
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    return `${error.reason}: ${error.message}`;
  }
}
const times = { view: { detail: "times", merged: false } } as const;

describe("a query within the limits", () => {
  it("is asked as it was given", () => {
    const asked = query({ mailboxes: [mailbox, mailbox] });
    expect(availabilityQuery(asked, UTC_ZONE)).toBe(asked);
  });

  it.each([
    ["one mailbox", {}],
    ["100 mailboxes", { mailboxes: Array<AskedMailbox>(100).fill(mailbox) }],
    ["a window of 62 days", minutes(62 * 1440)],
    ["an interval of 5", { intervalMinutes: 5 }],
    ["an interval of 1440", { intervalMinutes: 1440 }],
    ["an interval as long as the window", { ...minutes(60), intervalMinutes: 60 }],
    ["an interval longer than the window, when no slots are wanted", { ...minutes(59), intervalMinutes: 60, ...times }],
    ["a window of a minute, when no slots are wanted", { ...minutes(1), ...times }],
  ])("may have %s", (_, change) => {
    expect(faultOf(change)).toBeUndefined();
  });
});

describe("a query beyond them", () => {
  it("is told how many mailboxes are allowed and how many there were", () => {
    expect(faultOf({ mailboxes: [] })).toMatch(/^no-mailboxes: /);
    expect(faultOf({ mailboxes: Array<AskedMailbox>(101).fill(mailbox) })).toMatch(/^too-many-mailboxes: .*100.*101/);
  });

  it.each([0, -1, -100_000])("may not end %i minutes after it starts", (count) => {
    expect(faultOf(minutes(count))).toMatch(/^invalid-window: /);
  });

  it.each([
    [62 * 1440 + 1, 63],
    [63 * 1440, 63],
    [400 * 1440, 400],
  ])("is told how many days are allowed, and that %i minutes are %i days", (count, days) => {
    expect(faultOf(minutes(count))).toMatch(new RegExp(`^window-too-long: .* = 62 days; .* = ${days} days`));
  });

  it.each([
    ["of 4", { intervalMinutes: 4 }],
    ["of 1441", { ...minutes(3000), intervalMinutes: 1441 }],
    ["of 0", { intervalMinutes: 0 }],
    ["of -30", { intervalMinutes: -30 }],
    ["of 4, even when no slots are wanted", { intervalMinutes: 4, ...times }],
    ["longer than the window", { ...minutes(59), intervalMinutes: 60 }],
    [
      "longer than the window, in a view that is nothing but slots",
      { ...minutes(59), intervalMinutes: 60, view: { detail: "merged" as const, merged: false } },
    ],
  ])("may not have an interval %s", (_, change) => {
    expect(faultOf(change)).toMatch(/^invalid-interval: .*between 5 and 1440/);
  });
});

describe("62 days", () => {
  const across = (name: string, month: number, day: number, days: number) => {
    const zone = timeZoneFromRules(ZONES[name] as ZoneRules);
    const start = Date.UTC(2026, month, day);
    const window = {
      start: zone.toInstant(wallClock(start)),
      end: zone.toInstant(wallClock(start + days * DAY_MS)),
    };
    return { zone, window, elapsed: (window.end - window.start) / DAY_MS };
  };

  it.each([
    ["Europe/Berlin", 9, 1],
    ["America/New_York", 9, 15],
    ["Australia/Sydney", 2, 1],
  ])(
    "in %s are counted on the wall clock: an hour more elapses across the end of daylight saving",
    (name, month, day) => {
      const { zone, window, elapsed } = across(name, month, day, 62);
      expect(elapsed).toBeGreaterThan(62);
      expect(faultOf({ window }, zone)).toBeUndefined();
      expect(faultOf({ window }, UTC_ZONE)).toMatch(/^window-too-long/);
    },
  );

  it("are not stretched by the hour that is missing across the start of daylight saving", () => {
    const { zone, window, elapsed } = across("Europe/Berlin", 2, 1, 62);
    expect(elapsed).toBeLessThan(62);
    expect(faultOf({ window }, zone)).toBeUndefined();
    const longer = { start: window.start, end: instant(window.end + MINUTE_MS) };
    expect(faultOf({ window: longer }, zone)).toMatch(/actual limit = 63 days/);
  });
});
