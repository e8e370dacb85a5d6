import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestFault } from "../../src/availability/request-fault.js";
import { eventMailboxes, MAXIMUM_EVENT_MAILBOXES, readCapEvent } from "../../src/workmail-cap/cap-event.js";
import { capEvent } from "../support/cap-events.js";
import { workMailSample } from "../support/shared.js";

const START = Date.UTC(2026, 6, 1);
const END = Date.UTC(2026, 6, 2);
const window = (startDate: unknown, endDate: unknown = "2026-07-02T00:00:00Z") =>
  capEvent(["a@corp.example"], { window: { startDate, endDate } });
const reasonOf = (event: unknown) => {
  try {
    readCapEvent(event);
    return "none";
  } catch (error) {
    if (error instanceof RequestFault) return error.reason;
    throw error;
  }
};

describe("an event", () => {
  it("as the guide shows it asks for details about its mailboxes, in UTC, for its requester", () => {
    const question = readCapEvent(capEvent(["Alice@corp.example", "ghost@corp.example"]));
    expect(question.mailboxes).toEqual(["Alice@corp.example", "ghost@corp.example"]);
    expect(question.requester).toEqual({ email: "bob@corp.example", origin: "198.51.100.20" });
    expect(question.queries).toEqual([
      {
        mailboxes: [
          { text: "Alice@corp.example", routingType: "SMTP", address: "alice@corp.example" },
          { text: "ghost@corp.example", routingType: "SMTP", address: "ghost@corp.example" },
        ],
        window: { start: START, end: END },
        intervalMinutes: 30,
        view: { detail: "details", merged: false },
      },
    ]);
  });

  it("with capitals, as the guide's table has them, asks the same", () => {
    const { requester, mailboxes, window } = capEvent(["alice@corp.example"]);
    const capitals = {
      Requester: { Email: requester.email, Origin: requester.origin },
      Mailboxes: mailboxes,
      Window: { StartDate: window.startDate, EndDate: window.endDate },
    };
    expect(readCapEvent(capitals)).toEqual(readCapEvent(capEvent(mailboxes)));
  });

  it.each(["cap-event.json", "cap-event-variant-offset.json"])("of the published samples is read: %s", (name) => {
    const sample = workMailSample(name) as { mailboxes: string[] } | undefined;
    if (sample === undefined) return;
    const { queries } = readCapEvent(sample);
    expect(queries.map(({ window }) => window)).toEqual([{ start: Date.UTC(2026, 2, 2), end: Date.UTC(2026, 2, 7) }]);
    expect(queries[0]?.mailboxes.map(({ text }) => text)).toEqual(sample.mailboxes);
  });

  it.each([
    ["2026-07-01T00:00:00.000Z"],
    ["2026-07-01T00:00:00+00:00"],
    ["2026-07-01T02:00:00+02:00"],
    ["2026-06-30T16:30:00.000000-07:30"],
    ["2026-07-01t00:00:00z"],
    ["2026-07-01 00:00:00"],
  ])("may write its window's start as %s", (text) => {
    expect(readCapEvent(window(text)).queries[0]?.window.start).toBe(START);
  });

  it.each([
    [undefined],
    [null],
    [1_782_864_000_000],
    [""],
    ["2026-07-01"],
    ["July 1, 2026"],
    ["2026-02-30T00:00:00Z"],
    ["2026-13-01T00:00:00Z"],
    ["2026-07-01T25:00:00Z"],
    ["2026-07-01T00:00:00+99:00"],
    [`2026-07-01T00:00:00.${"0".repeat(100_000)}Z`],
  ])("may not write it as %j", (text) => {
    expect(reasonOf(window(text))).toBe("malformed");
  });

  it.each([
    ["without a requester", undefined, undefined],
    ["with none for a requester", null, undefined],
    ["with a requester that is text", "bob", ""],
    ["with a requester of other kinds", { email: 5, origin: {} }, ""],
    ["with a list of requesters", { email: ["bob@corp.example"] }, ""],
    ["with a requester beyond any address", { email: "x".repeat(10_000) }, ""],
    ["with a requester who has no address", { userName: "bob", userId: "S-1-5-21-1-2-3-1105" }, ""],
  ])("%s asks for nobody, or for somebody whose name cannot be read", (_, requester, email) => {
    expect(readCapEvent(capEvent(["a@corp.example"], { requester })).requester).toEqual({ email, origin: undefined });
  });

  it("that ends before it begins, or lasts longer than 62 days, is refused as such", () => {
    expect(reasonOf(window("2026-07-02T00:00:00Z"))).toBe("invalid-window");
    expect(reasonOf(window("2026-07-03T00:00:00Z"))).toBe("invalid-window");
    expect(reasonOf(window("2026-05-01T00:00:00Z", "2026-07-02T00:00:00Z"))).toBe("none");
    expect(reasonOf(window("2026-05-01T00:00:00Z", "2026-07-02T00:00:01Z"))).toBe("window-too-long");
  });

  it("about nobody asks nothing, whatever its window", () => {
    expect(readCapEvent({ mailboxes: [] }).queries).toEqual([]);
  });

  it.each([
    [undefined],
    [null],
    [5],
    ["text"],
    [[]],
    [{}],
    [{ mailboxes: null }],
    [{ mailboxes: "" }],
    [{ mailboxes: {} }],
  ])("such as %j is none", (event) => {
    expect(reasonOf(event)).toBe("malformed");
  });

  it("whose mailboxes are one text with commas asks about each", () => {
    const event = { ...capEvent([]), mailboxes: "a@corp.example, b@corp.example" };
    expect(readCapEvent(event).mailboxes).toEqual(["a@corp.example", "b@corp.example"]);
  });

  it("of many mailboxes becomes questions of at most 100 that keep count and order, whatever the mailboxes are", () => {
    const anything = fc.oneof(fc.emailAddress(), fc.string(), fc.integer(), fc.constant(null), fc.object());
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 350 }), (mailboxes) => {
        const { queries, mailboxes: kept } = readCapEvent(capEvent(mailboxes));
        expect(kept).toEqual(mailboxes);
        for (const query of queries) expect(query.mailboxes.length).toBeLessThanOrEqual(100);
        expect(queries.flatMap((query) => query.mailboxes.map(({ text }) => text))).toEqual(
          mailboxes.map((mailbox) => (typeof mailbox === "string" ? mailbox : "")),
        );
      }),
      { numRuns: 60 },
    );
    expect(readCapEvent(capEvent(Array(500).fill("a@corp.example"))).queries).toHaveLength(5);
    expect(reasonOf(capEvent(Array(MAXIMUM_EVENT_MAILBOXES + 1).fill("a@corp.example")))).toBe("too-many-mailboxes");
  });

  it("is read or refused, and names its mailboxes either way, whatever JSON it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (mailboxes, window, requester) => {
        const event = { mailboxes, window, requester };
        reasonOf(event);
        if (Array.isArray(mailboxes)) expect(eventMailboxes(event)).toEqual(mailboxes);
        eventMailboxes(mailboxes);
      }),
    );
    const inherited = JSON.parse('{"__proto__":{"mailboxes":["a@corp.example"]}}');
    expect(eventMailboxes(inherited)).toBeUndefined();
  });
});
