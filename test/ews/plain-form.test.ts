import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { readBackendAnswer } from "../../src/ews/read-backend-answer.js";

const asked = {
  backend: "exchange",
  window: { start: instant(0), end: instant(Date.UTC(2100, 0, 1)) },
  detail: "details" as const,
  intervalMinutes: 15,
};
const TYPES = "http://schemas.microsoft.com/exchange/services/2006/types";
const MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages";

/** An answer whose events are written with this prefix for the types and this between tags. */
function answer(events: readonly (readonly [string, string][])[], prefix: string, between: string): string {
  const scope = prefix === "" ? `xmlns="${TYPES}"` : `xmlns:${prefix.slice(0, -1)}="${TYPES}"`;
  const DETAILS = [
    "ID",
    "Subject",
    "Location",
    "IsMeeting",
    "IsRecurring",
    "IsException",
    "IsReminderSet",
    "IsPrivate",
  ];
  const tag = (name: string, content: string) => `<${prefix}${name}>${content}</${prefix}${name}>`;
  const text = events
    .map((fields) => {
      const outer = fields.filter(([name]) => !DETAILS.includes(name)).map(([name, value]) => tag(name, value));
      const inner = fields.filter(([name]) => DETAILS.includes(name)).map(([name, value]) => tag(name, value));
      const details = inner.length === 0 ? [] : [tag("CalendarEventDetails", between + inner.join(between) + between)];
      return tag("CalendarEvent", between + [...outer, ...details].join(between) + between);
    })
    .join(between);
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:GetUserAvailabilityResponse xmlns:m="${MESSAGES}"><m:FreeBusyResponseArray><m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:FreeBusyView ${scope}>${tag("FreeBusyViewType", "Detailed")}${tag("CalendarEventArray", text)}</m:FreeBusyView></m:FreeBusyResponse></m:FreeBusyResponseArray></m:GetUserAvailabilityResponse></s:Body></s:Envelope>`;
}

const text = fc
  .array(
    fc.constantFrom(
      "a",
      "B",
      "7",
      " ",
      "é",
      "\u{1f600}",
      "&amp;",
      "&lt;",
      "&#65;",
      "]",
      "]]",
      ">",
      "\r\n",
      "\t",
      "<![CDATA[x]]>",
    ),
  )
  .map((parts) => parts.join(""));
const time = fc
  .integer({ min: 0, max: 1_000_000 })
  .map((minutes) => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString().slice(0, 19));
const flag = fc.constantFrom("true", "false", "1", "0", " true ");
const fields = fc.record({
  start: fc.oneof({ weight: 9, arbitrary: time }, { weight: 1, arbitrary: fc.constantFrom("", "nonsense") }),
  minutes: fc.integer({ min: 0, max: 600 }),
  busy: fc.constantFrom("Busy", "Free", "OOF", "Tentative", "WorkingElsewhere", "Lunch", ""),
  details: fc.option(
    fc.record({
      ID: fc.option(text, { nil: undefined }),
      Subject: fc.option(text, { nil: undefined }),
      Location: fc.option(text, { nil: undefined }),
      IsMeeting: flag,
      IsRecurring: flag,
      IsException: flag,
      IsReminderSet: flag,
      IsPrivate: fc.option(flag, { nil: undefined }),
    }),
    { nil: undefined },
  ),
});
const event = fields.map(({ start, minutes, busy, details }) => {
  const end = Number.isNaN(Date.parse(`${start}Z`))
    ? start
    : new Date(Date.parse(`${start}Z`) + minutes * 60_000).toISOString().slice(0, 19);
  const all = { StartTime: start, EndTime: end, BusyType: busy, ...details };
  return Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
});

describe("an event that is matched in one go", () => {
  it("reads exactly as one that is walked tag by tag, whatever its texts and its prefix", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), fc.constantFrom("", "t:", "ns-1.2:"), (events, prefix) => {
        // White space between tags, or a comment, is what the short way does not take.
        const [plain, spaced, commented] = ["", "\n  ", "<!-- -->"].map((between) => {
          try {
            return readBackendAnswer(answer(events, prefix, between), asked);
          } catch {
            return "malformed"; // for example ']]>' in a text
          }
        });
        expect(plain).toEqual(spaced);
        expect(plain).toEqual(commented);
      }),
      { numRuns: 2000 },
    );
  });

  it("is not taken for one when a tag inside is another's, or its end is missing", () => {
    const whole = answer(
      [
        [
          ["StartTime", "2026-07-01T09:00:00"],
          ["EndTime", "2026-07-01T10:00:00"],
          ["BusyType", "Busy"],
        ],
      ],
      "t:",
      "",
    );
    expect(() => readBackendAnswer(whole.replace("</t:BusyType>", "</t:BusyTypes>"), asked)).toThrow(/BusyType/);
    expect(() => readBackendAnswer(whole.replace("</t:CalendarEvent>", ""), asked)).toThrow();
    expect(() => readBackendAnswer(whole.replace("<t:BusyType>Busy", "<t:BusyType>a ]]> b"), asked)).toThrow(/\]\]>/);
  });

  it("is not taken for one behind another when it is of another namespace, or not well-formed", () => {
    const one: [string, string][] = [
      ["StartTime", "2026-07-01T09:00:00"],
      ["EndTime", "2026-07-01T10:00:00"],
      ["BusyType", "Busy"],
    ];
    const two = answer([one, one], "t:", "");
    const second = (change: (event: string) => string) => {
      const at = two.lastIndexOf("<t:CalendarEvent>");
      return readBackendAnswer(two.slice(0, at) + change(two.slice(at)), asked);
    };
    const views = (read: ReturnType<typeof readBackendAnswer>) => (read.kind === "answers" ? read.answers : []);
    expect(views(second((event) => event))).toMatchObject([{ kind: "view", view: { events: [{}, {}] } }]);
    const elsewhere = second((event) => event.replace("<t:CalendarEvent>", '<t:CalendarEvent xmlns:t="urn:other">'));
    expect(views(elsewhere)).toMatchObject([{ kind: "failure", failure: { reason: "backend-unreadable" } }]);
    expect(() => second((event) => event.replace("</t:CalendarEvent>", ""))).toThrow();
    expect(() => second((event) => event.replace("Busy<", "a ]]> b<"))).toThrow(/\]\]>/);
  });

  it("is refused with any other of its message when a character that XML forbids is anywhere in it", () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("", "\n"),
        fc.constantFrom("\0", "\u0001", "\u001f", "\ufffe", "\uffff"),
        fc.nat(),
        (events, between, character, anywhere) => {
          const whole = answer(events, "t:", between);
          const at = anywhere % (whole.length + 1);
          expect(() => readBackendAnswer(whole.slice(0, at) + character + whole.slice(at), asked)).toThrow(
            "The request failed schema validation",
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("loses its text when it is private, or does not say that it is not", () => {
    const details: [string, string][] = [
      ["ID", "1"],
      ["Subject", "canary"],
      ["Location", "canary"],
      ["IsMeeting", "true"],
      ["IsRecurring", "false"],
      ["IsException", "false"],
      ["IsReminderSet", "true"],
    ];
    const base: [string, string][] = [
      ["StartTime", "2026-07-01T09:00:00"],
      ["EndTime", "2026-07-01T10:00:00"],
      ["BusyType", "Busy"],
    ];
    for (const isPrivate of ["true", "1", "", "perhaps"]) {
      const read = readBackendAnswer(answer([[...base, ...details, ["IsPrivate", isPrivate]]], "t:", ""), asked);
      expect(JSON.stringify(read)).not.toContain("canary");
    }
  });

  it("is read under a prefix of a million letters as under any other", () => {
    const one: [string, string][] = [
      ["StartTime", "2026-07-01T09:00:00"],
      ["EndTime", "2026-07-01T10:00:00"],
      ["BusyType", "Busy"],
    ];
    const long = `${"p".repeat(1_000_000)}:`;
    expect(readBackendAnswer(answer([one], long, ""), asked)).toEqual(
      readBackendAnswer(answer([one], "t:", ""), asked),
    );
  });
});
