import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUSY_TYPES, type CalendarEvent } from "../../src/availability/free-busy-view.js";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { FAILURE_REASONS, failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { timeZoneFromRules, type ZoneRules } from "../../src/availability/zone-rules.js";
import { type AvailabilityRequest, readAvailabilityRequest } from "../../src/ews/get-user-availability-request.js";
import { writeAvailabilityResponse } from "../../src/ews/get-user-availability-response.js";
import { readBackendAnswer } from "../../src/ews/read-backend-answer.js";
import { readSoapRequest, writeSoapResponse } from "../../src/ews/soap-envelope.js";
import { canValidate, hasSamples, samples, validate } from "../support/shared.js";
import { ZONES } from "../support/zones.js";

const readRequest = (text: string) => readSoapRequest(text, readAvailabilityRequest);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
const asked = {
  backend: "exchange",
  window: { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) },
  detail: "details" as const,
  intervalMinutes: 15,
};
const ENVELOPE =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const answerOf = (entry: string) => {
  const result = readBackendAnswer(
    `<s:Envelope ${ENVELOPE}><s:Body><m:GetUserAvailabilityResponse><m:FreeBusyResponseArray><m:FreeBusyResponse>${entry}</m:FreeBusyResponse></m:FreeBusyResponseArray></m:GetUserAvailabilityResponse></s:Body></s:Envelope>`,
    asked,
  );
  return result.kind === "answers" ? result.answers[0] : undefined;
};
const success = (view: string) =>
  answerOf(
    `<m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:FreeBusyView>${view}</m:FreeBusyView>`,
  );
const event = (start: string, end: string, rest = "<t:BusyType>Busy</t:BusyType>") =>
  `<t:CalendarEvent><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime>${rest}</t:CalendarEvent>`;
const viewOf = (answer: MailboxAnswer | undefined) => (answer?.kind === "view" ? answer.view : undefined);
const timed = (answer: MailboxAnswer | undefined) => {
  const view = viewOf(answer);
  return view === undefined || view.detail === "merged" ? [] : view.events;
};

describe.skipIf(!hasSamples)("captured and documented requests", () => {
  it.each(samples(/^req-(?!go-ews)/))("%s is read", (_, text) => {
    const { body } = readRequest(text);
    expect(body.query !== undefined || body.wantsSuggestions).toBe(true);
  });

  it("a request without an envelope is told that one is expected", () => {
    const [, text] = samples(/^req-go-ews/)[0] as [string, string];
    expect(() => readRequest(text)).toThrow(/SOAP 1.1 Envelope is expected/);
    const wrapped = text.replace(/<\?xml[^>]*>|<!--[\s\S]*?-->/g, "");
    const { query } = readRequest(`<s:Envelope ${ENVELOPE}><s:Body>${wrapped}</s:Body></s:Envelope>`).body;
    expect(iso(query?.window.start)).toBe("2006-02-06T00:00:00.000Z");
  });

  it.each([
    ["req-outlook-windows-detailed.xml", "2012-04-18T13:00:00.000Z"],
    ["req-exchangelib.xml", "2025-03-03T07:00:00.000Z"],
    ["req-ewsmanagedapi-2010-timezonecontext-suggestions.xml", "2014-02-13T08:00:00.000Z"],
    ["req-synthetic-exchange-crossforest-2007header.xml", "2025-03-01T08:00:00.000Z"],
  ])("%s starts at the instant its zone means", (name, start) => {
    const [, text] = samples(/./).find(([sample]) => sample === name) as [string, string];
    expect(iso(readRequest(text).body.query?.window.start)).toBe(start);
  });
});

describe.skipIf(!hasSamples)("captured and documented answers of backends", () => {
  it.each(samples(/^resp-(?!exchange2007-suggestions)/))(
    "%s is read, and nothing in it becomes free by mistake",
    (_, text) => {
      // As many slots as it has, where it has some.
      const [, digits] = /MergedFreeBusy>([0-4]+)</.exec(text) ?? [];
      const end = digits === undefined ? Date.UTC(2100, 0, 1) : digits.length * 15 * 60_000;
      const result = readBackendAnswer(text, { ...asked, window: { start: instant(0), end: instant(end) } });
      if (result.kind !== "answers") throw new Error("a fault");
      const errors = [...text.matchAll(/ResponseClass="Error"/g)].length;
      expect(result.answers.filter(({ kind }) => kind === "failure")).toHaveLength(errors);
      expect(result.answers).toHaveLength([...text.matchAll(/<(\w+:)?FreeBusyResponse>/g)].length);
    },
  );

  it.each(samples(/^fault-/))("%s is a fault with its code", (name, text) => {
    const result = readBackendAnswer(text, asked);
    expect(result).toMatchObject({ kind: "fault", fault: { code: expect.stringMatching(/^Error[A-Za-z]+$/) } });
    if (name.includes("backoff"))
      expect(result).toMatchObject({ fault: { code: "ErrorServerBusy", backOffMs: 297749 } });
  });
});

/** A quarter of an hour each, the rest of the day free. */
const day = (digits: string) => digits.padEnd(96, "0");

describe("a backend's answer", () => {
  const nine = Date.UTC(2026, 6, 1, 9);

  it.each([
    ["no offset", "2026-07-01T09:00:00"],
    ["Z", "2026-07-01T09:00:00Z"],
    ["an offset", "2026-07-01T11:00:00.000+02:00"],
  ])("has the same times with %s", (_, start) => {
    const events = timed(
      success(
        `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event(start, "2026-07-01T10:00:00Z")}</t:CalendarEventArray>`,
      ),
    );
    expect(events[0]?.start).toBe(nine);
  });

  it("is put in order, without what lies outside the window", () => {
    const events = timed(
      success(
        `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T12:00:00", "2026-07-01T13:00:00")}${event("2020-01-01T00:00:00", "2020-01-02T00:00:00")}${event("2026-07-01T09:00:00", "2026-07-01T10:00:00")}</t:CalendarEventArray>`,
      ),
    );
    expect(events.map(({ start }) => start)).toEqual([nine, nine + 3 * 3_600_000]);
  });

  it.each([
    [
      "an unreadable time",
      `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("soon", "2026-07-01T10:00:00")}</t:CalendarEventArray>`,
    ],
    [
      "an end before its start",
      `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T11:00:00", "2026-07-01T10:00:00")}</t:CalendarEventArray>`,
    ],
    ["view None", "<t:FreeBusyViewType>None</t:FreeBusyViewType>"],
    ["an unknown view", "<t:FreeBusyViewType>Everything</t:FreeBusyViewType>"],
    ["a merged view without slots", "<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType>"],
    [
      "slots of other digits",
      "<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>0125</t:MergedFreeBusy>",
    ],
    [
      "an event that is none of EWS's",
      '<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><x:CalendarEvent xmlns:x="urn:x"/></t:CalendarEventArray>',
    ],
    [
      "events in a place nobody knows",
      `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><m:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00")}</m:CalendarEventArray>`,
    ],
    [
      "an event that says twice how busy it is",
      `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00", "<t:BusyType>Busy</t:BusyType><t:BusyType>Free</t:BusyType>")}</t:CalendarEventArray>`,
    ],
    [
      "an event that ends twice",
      `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00", "<t:EndTime>2026-07-01T09:00:00</t:EndTime><t:BusyType>Busy</t:BusyType>")}</t:CalendarEventArray>`,
    ],
    ["two types", "<t:FreeBusyViewType>None</t:FreeBusyViewType><t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType>"],
    [
      "two merged strings",
      `<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>${day("2")}</t:MergedFreeBusy><t:MergedFreeBusy>${day("0")}</t:MergedFreeBusy>`,
    ],
  ])("with %s is a failure, not an empty calendar", (_, view) => {
    expect(success(view)).toMatchObject({ kind: "failure", failure: { reason: "backend-unreadable" } });
  });

  it.each([
    ["two codes", "<m:ResponseCode>ErrorNoFreeBusyAccess</m:ResponseCode><m:ResponseCode>NoError</m:ResponseCode>"],
    [
      "two messages",
      '</m:ResponseMessage><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>',
    ],
  ])("with %s is a failure, whichever comes last", (_, said) => {
    const view =
      "<m:FreeBusyView><t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray/></m:FreeBusyView>";
    expect(answerOf(`<m:ResponseMessage ResponseClass="Error">${said}</m:ResponseMessage>${view}`)).toMatchObject({
      kind: "failure",
      failure: { reason: "backend-unreadable" },
    });
  });

  it("may hold what is not EWS's own, as often as it likes", () => {
    const more = '<x:Colour xmlns:x="urn:x"/><x:Colour xmlns:x="urn:x"/>';
    const [one] = timed(
      success(
        `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType>${more}<t:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00", `<t:BusyType>Busy</t:BusyType>${more}`)}</t:CalendarEventArray>`,
      ),
    );
    expect(one?.busyType).toBe("Busy");
  });

  it("without a view at all is a failure", () => {
    expect(
      answerOf(
        '<m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>',
      ),
    ).toMatchObject({ kind: "failure" });
  });

  it("with slots in place of the events is a merged view", () => {
    expect(
      viewOf(
        success(
          `<t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>${day("0220")}</t:MergedFreeBusy>`,
        ),
      ),
    ).toMatchObject({ detail: "merged", merged: { digits: day("0220") } });
  });

  const withSlots = (digits: string, ...events: readonly (readonly [from: string, to: string, busy?: string])[]) =>
    success(
      `<t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>${digits}</t:MergedFreeBusy><t:CalendarEventArray>${events
        .map(([from, to, busy = "Busy"]) =>
          event(`2026-07-01T${from}:00`, `2026-07-01T${to}:00`).replace(/(BusyType>)[^<]*/, `$1${busy}`),
        )
        .join("")}</t:CalendarEventArray>`,
    );

  it("keeps slots without data that no event takes, also where one touches the stretch", () => {
    const unknown = (...answer: Parameters<typeof withSlots>) =>
      timed(withSlots(...answer)).flatMap(({ start, end, busyType }) =>
        busyType === "NoData" ? [[start, end].map((at) => (at - asked.window.start) / 60_000)] : [],
      );
    expect(unknown(day("0044"))).toEqual([[30, 60]]);
    expect(unknown(day("00444444"), ["00:50", "01:20"])).toEqual([
      [30, 45],
      [90, 120],
    ]);
    // What says that nobody is busy does not say that anything is known.
    for (const busy of ["Free", "WorkingElsewhere"]) {
      expect(unknown(day("0044"), ["00:30", "01:00", busy])).toEqual([[30, 60]]);
    }
    expect(unknown(day("0022"), ["00:30", "01:00"])).toEqual([]);
  });

  it("is as busy as the busier of its slots and events", () => {
    const all = (...answer: Parameters<typeof withSlots>) =>
      timed(withSlots(...answer)).map(({ start, end, busyType }) => [
        busyType,
        ...[start, end].map((at) => (at - asked.window.start) / 60_000),
      ]);
    expect(all(day("0123"))).toEqual([
      ["Tentative", 15, 30],
      ["Busy", 30, 45],
      ["OOF", 45, 60],
    ]);
    expect(all(day("0220"), ["00:15", "00:30", "Tentative"])).toEqual([
      ["Tentative", 15, 30],
      ["Busy", 15, 45],
    ]);
    expect(all(day("0000"), ["00:15", "00:30"])).toEqual([["Busy", 15, 30]]);
    const besideEvents = `<t:MergedFreeBusy>${day("0100")}</t:MergedFreeBusy><t:CalendarEventArray>${event("2026-07-01T00:30:00", "2026-07-01T00:45:00")}</t:CalendarEventArray>`;
    expect(viewOf(success(`<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType>${besideEvents}`))).toMatchObject({
      detail: "merged",
      merged: { digits: day("0120") },
    });
  });

  it("with slots of another length is a failure, unless its events say all that the slots could", () => {
    const unreadable = { kind: "failure", failure: { reason: "backend-unreadable" } };
    const ofHalfHours = "0".repeat(20) + "22".padEnd(28, "0");
    expect(
      success(`<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>${ofHalfHours}</t:MergedFreeBusy>`),
    ).toMatchObject(unreadable);
    expect(withSlots(ofHalfHours.replace("22", "44"), ["10:00", "11:00"])).toMatchObject(unreadable);
    expect(withSlots(ofHalfHours)).toMatchObject(unreadable);
    expect(timed(withSlots("0".repeat(48)))).toEqual([]);
    expect(timed(withSlots(ofHalfHours, ["10:00", "11:00"])).map(({ busyType }) => busyType)).toEqual(["Busy"]);
  });

  it("has no working hours where their zone cannot be read, and is none where their XML is none", () => {
    const withZone = (zone: string) =>
      success(
        `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray/><t:WorkingHours><t:TimeZone>${zone}</t:TimeZone></t:WorkingHours>`,
      );
    expect(viewOf(withZone("<t:Bias>soon</t:Bias>"))).toMatchObject({ detail: "times", workingHours: undefined });
    for (const broken of ["<t:Bias>&x;</t:Bias>", "<t:Bias>\u0001</t:Bias>", "<t:Bias>0</t:Base>"]) {
      expect(() => withZone(broken)).toThrow("schema validation");
    }
  });

  it("takes a busy type nobody knows as no data", () => {
    const [one] = timed(
      success(
        `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00", "<t:BusyType>Astral</t:BusyType>")}</t:CalendarEventArray>`,
      ),
    );
    expect(one?.busyType).toBe("NoData");
  });

  it("loses the text of private events, and of those that do not say whether they are", () => {
    const details = (flag: string) =>
      `<t:BusyType>Busy</t:BusyType><t:CalendarEventDetails><t:ID>1</t:ID><t:Subject>secret</t:Subject><t:Location>secret</t:Location>${flag}</t:CalendarEventDetails>`;
    const subject = (flag: string) =>
      timed(
        success(
          `<t:FreeBusyViewType>Detailed</t:FreeBusyViewType><t:CalendarEventArray>${event("2026-07-01T09:00:00", "2026-07-01T10:00:00", details(flag))}</t:CalendarEventArray>`,
        ),
      )[0]?.details?.subject;
    expect([
      subject("<t:IsPrivate>true</t:IsPrivate>"),
      subject(""),
      subject("<t:IsPrivate>true</t:IsPrivate><t:IsPrivate>false</t:IsPrivate>"),
      subject("<t:IsPrivate>false</t:IsPrivate>"),
    ]).toEqual([undefined, undefined, undefined, "secret"]);
  });

  it.each([
    "ErrorMailRecipientNotFound",
    "ErrorNonExistentMailbox",
    "ErrorItemNotFound",
    "ErrorNameResolutionNoResults",
  ])("that says %s says that there is no such mailbox", (code) => {
    expect(
      answerOf(`<m:ResponseMessage ResponseClass="Error"><m:ResponseCode>${code}</m:ResponseCode></m:ResponseMessage>`),
    ).toMatchObject({ failure: { reason: "mailbox-not-found" } });
  });
});

describe("an answer to a caller", () => {
  const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 3)) };
  const zone = timeZoneFromRules(ZONES["Europe/Berlin"] as ZoneRules);
  const anyText = fc.string({ unit: "grapheme", maxLength: 20 });
  const anyEvent: fc.Arbitrary<CalendarEvent> = fc
    .record({
      from: fc.integer({ min: -100, max: 2800 }),
      length: fc.integer({ min: 1, max: 600 }),
      busyType: fc.constantFrom(...BUSY_TYPES),
      details: fc.record({
        id: anyText,
        subject: anyText,
        location: anyText,
        isMeeting: fc.boolean(),
        isRecurring: fc.boolean(),
        isException: fc.boolean(),
        isReminderSet: fc.boolean(),
        isPrivate: fc.constant(false),
      }),
    })
    .map(({ from, length, busyType, details }) => ({
      start: instant(window.start + from * 60_000),
      end: instant(window.start + (from + length) * 60_000),
      busyType,
      details,
    }));
  const request = (count: number): AvailabilityRequest => ({
    zone,
    wantsSuggestions: true,
    query: {
      mailboxes: Array.from({ length: count }, () => ({
        text: "a<b@c",
        routingType: "SMTP" as const,
        address: parseMailboxAddress("a@corp.example"),
      })),
      window,
      intervalMinutes: 30,
      view: { detail: "details", merged: true },
    },
  });
  const written = (answers: MailboxAnswer[], workingElsewhere = true) =>
    writeSoapResponse(
      writeAvailabilityResponse(request(answers.length), answers, { workingElsewhere }),
      "Exchange2013",
    ).toString();

  const told = (text: string) =>
    text
      .split("<m:FreeBusyResponse>")
      .slice(1)
      .map((entry) => /<t:Subject>(.*?)</.exec(entry)?.[1] ?? "none");

  it("read back by the reader of backends' answers is what was written, in any zone", () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyEvent, { maxLength: 5 }), { minLength: 1, maxLength: 5 }), (calendars) => {
        const sorted = calendars.map((events) => [...events].sort((a, b) => a.start - b.start || a.end - b.end));
        const { query, ...rest } = request(sorted.length);
        const events = query && { ...query, view: { ...query.view, merged: false } };
        const text = writeSoapResponse(
          writeAvailabilityResponse(
            { ...rest, query: events, zone: timeZoneFromRules(ZONES["Asia/Kolkata"] as ZoneRules) },
            sorted.map((events) => viewed({ detail: "details", events })),
            { workingElsewhere: true },
          ),
          "Exchange2013",
        ).toString();
        const shift = 330 * 60_000;
        const result = readBackendAnswer(text, {
          ...asked,
          window: { start: instant(0), end: instant(Date.UTC(2100, 0, 1)) },
          intervalMinutes: 30,
        });
        const back = result.kind === "answers" ? result.answers.map(timed) : [];
        const clean = (value: string | undefined) =>
          value?.replace(
            /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
            "\ufffd",
          );
        const expected = sorted.map((events) =>
          events.map((one) => ({
            ...one,
            start: one.start + shift,
            end: one.end + shift,
            details: {
              ...one.details,
              id: clean(one.details?.id),
              subject: clean(one.details?.subject),
              location: clean(one.details?.location),
            },
          })),
        );
        const comparable = back.map((events) => events.filter(({ details }) => details !== undefined));
        expect(comparable).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it("about a mailbox named many times is written once, and stands in each of its places, between others", () => {
    let read = 0;
    const counted = (subject: string): MailboxAnswer => {
      const flags = {
        isMeeting: false,
        isRecurring: false,
        isException: false,
        isReminderSet: false,
        isPrivate: false,
      };
      const events = [
        { start: window.start, end: window.end, busyType: "Busy" as const, details: { subject, ...flags } },
      ];
      return viewed({
        detail: "details",
        get events() {
          read++;
          return events;
        },
      });
    };
    const [a, b, none] = [counted("a"), counted("b"), failed({ reason: "no-access" })];
    written([a, b]);
    const readOnce = read;
    read = 0;
    const text = written([a, none, b, a, none, none, b, ...Array(90).fill(a), b]);
    expect(read).toBe(readOnce);
    expect(told(text)).toEqual(["a", "none", "b", "a", "none", "none", "b", ...Array(90).fill("a"), "b"]);
    validate(text);
  });

  it("has a FreeBusyView and a known code for every reason a mailbox can fail with", () => {
    const text = written(FAILURE_REASONS.map((reason) => failed({ reason, backend: "exchange" })));
    const entries = text.split("<m:FreeBusyResponse>").slice(1);
    expect(entries).toHaveLength(FAILURE_REASONS.length);
    FAILURE_REASONS.forEach((reason, i) => {
      expect(entries[i]).toContain("<t:FreeBusyViewType>None</t:FreeBusyViewType>");
      expect(entries[i]).toContain(`[${reason}]`);
    });
    validate(text);
  });

  it("writes what never ends as the last moment that a date can say, in zones where that is over already, too", () => {
    const never = instant(Date.UTC(9999, 11, 31, 23, 59, 59));
    const answers = [viewed({ detail: "times", events: [{ start: window.start, end: never, busyType: "Busy" }] })];
    const east = { ...request(1), zone: timeZoneFromRules(ZONES["Asia/Kolkata"] as ZoneRules) };
    const response = writeAvailabilityResponse(east, answers, { workingElsewhere: true });
    const text = writeSoapResponse(response, "Exchange2013").toString();
    expect(text).toContain("<t:EndTime>9999-12-31T23:59:59</t:EndTime>");
    validate(text);
  });

  it("never closes an element by itself", () => {
    expect(written([viewed({ detail: "times", events: [] }), failed({ reason: "no-access" })])).not.toContain("/>");
  });

  it("says Free for working elsewhere to callers that do not know it, and always writes digit 0", () => {
    const events = [
      { start: window.start, end: instant(window.start + 3_600_000), busyType: "WorkingElsewhere" as const },
    ];
    const answers = [viewed({ detail: "times" as const, events })];
    expect(written(answers)).toContain("<t:BusyType>WorkingElsewhere<");
    expect(written(answers, false)).toContain("<t:BusyType>Free<");
    for (const knows of [true, false])
      expect(written(answers, knows)).toContain(`<t:MergedFreeBusy>${"0".repeat(96)}<`);
  });

  it.skipIf(!canValidate)("is valid by the schema, whatever is in it", () => {
    const hours = {
      zone: ZONES["America/New_York"] as ZoneRules,
      periods: [{ weekdays: [1, 2], startMinutes: 540, endMinutes: 1020 }],
    };
    fc.assert(
      fc.property(fc.array(fc.array(anyEvent, { maxLength: 4 }), { maxLength: 8 }), (calendars) => {
        validate(
          written([
            ...calendars.map((events) => viewed({ detail: "details", events, workingHours: hours })),
            viewed({ detail: "merged", merged: { start: window.start, intervalMinutes: 30, digits: "0124" } }),
            failed({ reason: "backend-timeout" }),
          ]),
        );
      }),
      { numRuns: 5 },
    );
  });
});
