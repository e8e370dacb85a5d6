import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import {
  BUSY_TYPES,
  type CalendarEvent,
  type EventDetails,
  type FreeBusyView,
  inOrder,
} from "../../src/availability/free-busy-view.js";
import { FAILURE_REASONS, failed, viewed } from "../../src/availability/mailbox-answer.js";
import { instant, MINUTE_MS } from "../../src/availability/time-window.js";
import { bias } from "../../src/availability/time-zone.js";
import { UTC_RULES, type ZoneRules } from "../../src/availability/zone-rules.js";
import { capEntry } from "../../src/workmail-cap/cap-response.js";
import type { CapWorkingHours } from "../../src/workmail-cap/cap-working-hours.js";
import { workMailSample } from "../support/shared.js";
import { ZONES } from "../support/zones.js";

const T0 = Date.UTC(2026, 6, 1);
const at = (minutes: number) => instant(T0 + minutes * MINUTE_MS);
const query: AvailabilityQuery = {
  mailboxes: [],
  window: { start: at(0), end: at(240) },
  intervalMinutes: 30,
  view: { detail: "details", merged: false },
};
const event = (from: number, to: number, busyType: CalendarEvent["busyType"], details?: EventDetails) => ({
  start: at(from),
  end: at(to),
  busyType,
  details,
});
const view = (...events: CalendarEvent[]): FreeBusyView => ({ detail: "details", events });
const slots = (digits: string): FreeBusyView => ({
  detail: "merged",
  merged: { start: at(0), intervalMinutes: 30, digits },
});
const MEETING: EventDetails = {
  id: "id",
  subject: "Review",
  location: "Room",
  isMeeting: true,
  isRecurring: false,
  isException: false,
  isReminderSet: true,
  isPrivate: false,
};
const entry = (shown: FreeBusyView) => capEntry("a@corp.example", viewed(shown), query);
const eventsOf = (shown: FreeBusyView) => {
  const told = entry(shown);
  if (!("events" in told)) throw new Error(`an error: ${JSON.stringify(told)}`);
  return told.events;
};
const short = (shown: FreeBusyView) =>
  eventsOf(shown).map(
    ({ startTime, endTime, busyType }) => `${startTime.slice(11, 16)}-${endTime.slice(11, 16)} ${busyType}`,
  );

describe("an entry", () => {
  it("has the form of the documented example", () => {
    const told = entry(view(event(-60, 180, "Busy", MEETING), event(600, 630, "Tentative")));
    expect(told).toEqual({
      mailbox: "a@corp.example",
      events: [
        {
          startTime: "2026-06-30T23:00:00.000Z",
          endTime: "2026-07-01T03:00:00.000Z",
          busyType: "BUSY",
          details: {
            subject: "Review",
            location: "Room",
            instanceType: "SINGLE_INSTANCE",
            isMeeting: true,
            isReminderSet: true,
            isPrivate: false,
          },
        },
        { startTime: "2026-07-01T10:00:00.000Z", endTime: "2026-07-01T10:30:00.000Z", busyType: "TENTATIVE" },
      ],
    });
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  });

  it("is made of the published sample's words and members only", () => {
    const sample = workMailSample("cap-response.json") as { mailboxes: [{ events: object[]; workingHours: object }] };
    if (sample === undefined) return;
    const told = entry({
      detail: "details",
      events: [event(0, 30, "Busy", MEETING)],
      workingHours: {
        zone: ZONES["Europe/Berlin"] as ZoneRules,
        periods: [{ weekdays: [1, 2, 3, 4, 5], startMinutes: 480, endMinutes: 1020 }],
      },
    }) as unknown as { events: object[]; workingHours: CapWorkingHours };
    const members = (value: unknown): unknown =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .map(([key, inner]) => [key, members(inner)])
              .sort(),
          )
        : typeof value;
    expect(members(told.events[0])).toEqual(members(sample.mailboxes[0].events[0]));
    const { timezone, workingPeriods } = sample.mailboxes[0].workingHours as CapWorkingHours;
    expect(told.workingHours).toEqual({ timezone: { ...timezone, name: "UTC+01:00" }, workingPeriods });
  });

  it("calls nobody free of whom something else is known: out of office, elsewhere, unknown", () => {
    const events = BUSY_TYPES.map((busyType, i) => event(i * 30, i * 30 + 30, busyType));
    expect(eventsOf(view(...events)).map(({ busyType }) => busyType)).toEqual([
      "FREE",
      "TENTATIVE",
      "BUSY",
      "BUSY",
      "BUSY",
      "BUSY",
    ]);
  });

  it.each([
    [{ isException: true, isRecurring: true }, "EXCEPTION"],
    [{ isRecurring: true }, "RECURRING_INSTANCE"],
    [{}, "SINGLE_INSTANCE"],
  ])("tells with %j the instance type %s", (flags, expected) => {
    expect(eventsOf(view(event(0, 30, "Busy", { ...MEETING, ...flags })))[0]?.details?.instanceType).toBe(expected);
  });

  it("has all six details where there are any, and none of a private event", () => {
    const { subject, location, ...flags } = MEETING;
    const [bare, hidden] = eventsOf(
      view(event(0, 30, "Busy", flags), event(30, 60, "Busy", { ...MEETING, isPrivate: true })),
    );
    expect(bare?.details).toMatchObject({ subject: "", location: "" });
    expect(Object.keys(bare?.details ?? {})).toHaveLength(6);
    expect(hidden).not.toHaveProperty("details");
  });

  it("of somebody of whom slots are all that may be known has an event for each run of them", () => {
    expect(short(slots("00112300"))).toEqual(["01:00-02:00 TENTATIVE", "02:00-03:00 BUSY"]);
    expect(eventsOf(slots("00000000"))).toEqual([]);
  });

  it("takes unknown slots for busy, also where slots are missing, and is an error when all are unknown", () => {
    expect(short(slots("00044100"))).toEqual(["01:30-02:30 BUSY", "02:30-03:00 TENTATIVE"]);
    expect(short(slots("0000"))).toEqual(["02:00-04:00 BUSY"]);
    for (const digits of ["44444444", "", "444"]) {
      expect(entry(slots(digits))).toEqual({ mailbox: "a@corp.example", error: "ErrorFreeBusyGenerationFailed" });
    }
  });

  it("is an error when events without data leave no moment of the window", () => {
    const whole = view(event(-30, 100, "NoData"), event(20, 30, "Busy"), event(100, 240, "NoData"));
    expect(entry(whole)).toEqual({ mailbox: "a@corp.example", error: "ErrorFreeBusyGenerationFailed" });
    expect(short(view(event(-30, 100, "NoData"), event(101, 240, "NoData")))).toHaveLength(2);
  });

  it("leaves no moment free that is not known to be, for any events and slots", () => {
    const someEvent = fc
      .tuple(fc.integer({ min: -60, max: 260 }), fc.integer({ min: 0, max: 200 }), fc.constantFrom(...BUSY_TYPES))
      .map(([from, length, busyType]) => event(from, from + length, busyType));
    const someView = fc.oneof(
      fc.array(someEvent, { maxLength: 6 }).map((events) => view(...inOrder(events))),
      fc.stringMatching(/^[0-4]{0,9}$/).map(slots),
    );
    const minutes = Array.from({ length: 240 }, (_, minute) => at(minute));
    fc.assert(
      fc.property(someView, (shown) => {
        const told = entry(shown);
        if (!("events" in told)) return;
        for (const minute of minutes) {
          const taken = told.events.some(
            ({ startTime, endTime, busyType }) =>
              busyType !== "FREE" && Date.parse(startTime) <= minute && minute < Date.parse(endTime),
          );
          const known =
            shown.detail === "merged"
              ? shown.merged.digits[Math.floor((minute - T0) / MINUTE_MS / 30)] === "0"
              : shown.events.every(
                  ({ start, end, busyType }) => busyType === "Free" || minute < start || minute >= end,
                );
          expect(taken || known).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("has times that can be read again even at the ends of all calendars", () => {
    const [told] = eventsOf(view({ start: instant(-1e15), end: instant(8e15), busyType: "Busy" }));
    expect(told).toEqual({
      startTime: "0000-01-01T00:00:00.000Z",
      endTime: "9999-12-31T23:59:59.000Z",
      busyType: "BUSY",
    });
  });

  it("says of every failure one of the six words WorkMail knows, and again the mailbox as it came", () => {
    const sample = workMailSample("cap-response-errors.json") as { mailboxes: { error: string }[] } | undefined;
    const known = sample?.mailboxes.map(({ error }) => error) ?? [
      "MailboxNotFound",
      "ErrorAvailabilityConfigNotFound",
      "ErrorServerBusy",
      "ErrorTimeoutExpired",
      "ErrorFreeBusyGenerationFailed",
      "ErrorResponseSchemaValidation",
    ];
    for (const reason of FAILURE_REASONS) {
      const told = capEntry({ odd: 1 }, failed({ reason, code: "ErrorX", detail: "secret" }), query);
      expect(told.mailbox).toEqual({ odd: 1 });
      expect(known).toContain("error" in told && told.error);
      expect(Object.keys(told)).toEqual(["mailbox", "error"]);
    }
    const word = (reason: (typeof FAILURE_REASONS)[number]) => capEntry("a", failed({ reason }), query);
    expect(word("mailbox-not-found")).toEqual({ mailbox: "a", error: "MailboxNotFound" });
    expect(word("belongs-to-origin")).toEqual({ mailbox: "a", error: "ErrorFreeBusyGenerationFailed" });
    expect(word("not-disclosed")).toEqual(word("no-access"));
  });
});

describe("working hours", () => {
  const zoneOf = (zone: ZoneRules) =>
    (
      entry({
        detail: "times",
        events: [],
        workingHours: { zone, periods: [{ weekdays: [0, 6], startMinutes: 0, endMinutes: 60 }] },
      }) as { workingHours: CapWorkingHours }
    ).workingHours;

  it("keep the sign of EWS: Los Angeles is 480, Berlin -60, and daylight time takes an hour off", () => {
    expect(zoneOf(ZONES["America/Los_Angeles"] as ZoneRules).timezone).toEqual({
      name: "UTC-08:00",
      bias: 480,
      standardTime: { offset: 0, time: "02:00:00", month: "NOV", week: "FIRST", dayOfWeek: "SUN" },
      daylightTime: { offset: -60, time: "02:00:00", month: "MAR", week: "SECOND", dayOfWeek: "SUN" },
    });
    expect(zoneOf(ZONES["Europe/Berlin"] as ZoneRules).timezone.bias).toBe(-60);
  });

  it("of a zone without daylight saving have neither change, and the bias that holds", () => {
    expect(zoneOf(ZONES["Asia/Kolkata"] as ZoneRules).timezone).toEqual({ name: "UTC+05:30", bias: -330 });
    expect(zoneOf(UTC_RULES)).toEqual({
      timezone: { name: "UTC", bias: 0 },
      workingPeriods: [{ startMinutes: 0, endMinutes: 60, days: ["SUN", "SAT"] }],
    });
    const odd = {
      ...UTC_RULES,
      standard: { ...UTC_RULES.standard, bias: 60 },
      daylight: { ...UTC_RULES.daylight, bias: 60 },
    };
    expect(zoneOf(odd).timezone).toEqual({ name: "UTC-01:00", bias: 60 });
  });

  it("tell a day of one year by its weekday, and know May", () => {
    const rule = (added: number, month: number, date: number) => ({
      bias: added,
      month,
      dayOrder: date,
      weekday: 0,
      timeOfDayMs: 3_661_000,
      year: 2026,
    });
    const zone = { bias: bias(-60), standard: rule(0, 10, 25), daylight: rule(-60, 5, 8) };
    expect(zoneOf(zone).timezone).toMatchObject({
      standardTime: { week: "LAST", dayOfWeek: "SUN", month: "OCT" },
      daylightTime: { week: "SECOND", dayOfWeek: "FRI", month: "MAY", time: "01:01:01" },
    });
  });
});
