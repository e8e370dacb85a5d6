import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { type MailboxParameter, type ReadQuestion, readQuestion } from "../../src/json/availability-question.js";
import { writeInstant } from "../../src/json/date-time.js";

const body = { mailboxes: ["a@corp.example"], from: "2026-07-01", to: "2026-07-02" };
const read = (written: Record<string, unknown>, parameter: MailboxParameter = "mailboxes") =>
  readQuestion(written, parameter, windowsTimeZone);
const questionOf = (result: ReadQuestion) => {
  if (result.kind !== "question") throw new Error(JSON.stringify(result.problems));
  return result.question;
};
const blamed = (written: Record<string, unknown>, parameter?: MailboxParameter) => {
  const result = read(written, parameter);
  return result.kind === "question" ? [] : result.problems.map((one) => `${one.parameter} ${one.problem}`);
};

describe("a look-up", () => {
  it("asks for times and half-hours in UTC where it says nothing else", () => {
    const { query, requester } = questionOf(read(body));
    expect([writeInstant(query.window.start), writeInstant(query.window.end)]).toEqual([
      "2026-07-01T00:00:00Z",
      "2026-07-02T00:00:00Z",
    ]);
    expect([query.intervalMinutes, query.view, requester]).toEqual([30, { detail: "times", merged: true }, undefined]);
  });

  it("means the same in a query string as in a body", () => {
    const rest = { from: "2026-07-01T09:00", to: "2026-07-01T10:00", view: "details", zone: "Europe/Berlin" };
    const inBody = read({ ...rest, mailboxes: ["a@corp.example", "b@corp.example"], interval: 15 });
    const inQuery = read({ ...rest, mailbox: ["a@corp.example", "b@corp.example"], interval: "15" }, "mailbox");
    expect(inQuery).toEqual(inBody);
    expect(questionOf(inBody).query.intervalMinutes).toBe(15);
    expect(questionOf(read({ ...rest, mailbox: "a@corp.example" }, "mailbox")).query.mailboxes).toHaveLength(1);
  });

  it("takes slots that fit where the window is shorter than half an hour", () => {
    const { query } = questionOf(read({ ...body, from: "2026-07-01T09:00", to: "2026-07-01T09:20" }));
    expect(query.intervalMinutes).toBe(20);
  });

  it("takes what is no address as a mailbox all the same, which fails in its own place", () => {
    const { query } = questionOf(read({ ...body, mailboxes: ["nonsense", "", "/o=Corp/cn=x", " A@Corp.Example "] }));
    expect(query.mailboxes.map(({ routingType, address }) => [routingType, address])).toEqual([
      ["SMTP", undefined],
      ["SMTP", undefined],
      ["EX", undefined],
      ["SMTP", "a@corp.example"],
    ]);
  });

  it("takes the plus of an offset that a query string has turned into a blank", () => {
    const { query } = questionOf(
      read({ mailbox: "a@corp.example", from: "2026-07-01T09:00 02:00", to: "2026-07-02" }, "mailbox"),
    );
    expect(writeInstant(query.window.start)).toBe("2026-07-01T07:00:00Z");
  });

  it("names its requester in lower case, and is refused when that is no address: passed over, it would see more", () => {
    expect(questionOf(read({ ...body, requester: "Intern@Corp.Example" })).requester).toBe("intern@corp.example");
    expect(blamed({ ...body, requester: "the intern" })).toEqual(["requester is no address"]);
  });
});

describe("a look-up that is wrong", () => {
  it("is told everything at once", () => {
    expect(
      blamed({ mailboxes: [], from: "heute", interval: 4, view: "all", zone: "Europe/Berln", intervall: 3 }),
    ).toEqual([
      "intervall there is no such parameter",
      "zone is not known",
      "from is no date and time",
      "to is missing",
      "view is not known",
      "mailboxes names nobody",
      "interval does not fit",
    ]);
  });

  it.each([
    [{ ...body, mailboxes: "a@corp.example" }, ["mailboxes is not a list of texts"]],
    [{ ...body, mailboxes: [1] }, ["mailboxes is not a list of texts"]],
    [{ ...body, mailboxes: null }, ["mailboxes is not a list of texts"]],
    [{ ...body, mailboxes: Array(101).fill("a@corp.example") }, ["mailboxes names 101 mailboxes"]],
    [{ ...body, to: "2026-07-01" }, ["to is not later than from"]],
    [{ ...body, to: "2026-09-02" }, ["to is too far from from"]],
    [{ ...body, from: 20260701 }, ["from is not a text"]],
    [{ ...body, view: ["times", "details"] }, ["view is given more than once"]],
    [{ ...body, interval: "5.5" }, ["interval is not a whole number"]],
    [{ ...body, interval: 1441 }, ["interval does not fit"]],
    [{ ...body, to: "2026-07-01T01:00", interval: 90 }, ["interval does not fit"]],
    [{ ...body, interval: null }, ["interval is not a whole number"]],
  ])("%j: %j", (written, problems) => {
    expect(blamed(written)).toEqual(problems);
  });

  it("is allowed 62 days on the asker's clock, however long they are", () => {
    const autumn = { ...body, from: "2026-09-01", to: "2026-11-02", zone: "Europe/Berlin" };
    expect(blamed(autumn)).toEqual([]);
    expect(blamed({ ...autumn, to: "2026-11-02T00:01" })).toEqual(["to is too far from from"]);
  });

  it("never throws, and never lists more than fifty problems, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom("mailboxes", "from", "to", "interval", "view", "zone", "requester"), fc.string()),
          fc.oneof(fc.jsonValue(), fc.array(fc.string(), { maxLength: 3 }), fc.string()),
          { maxKeys: 80 },
        ),
        (written) => {
          const result = read(written as Record<string, unknown>);
          if (result.kind === "problems") expect(result.problems.length).toBeLessThanOrEqual(50);
          else expect(result.question.query.mailboxes.length).toBeGreaterThan(0);
        },
      ),
    );
    expect(blamed(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x${i}`, 1])))).toHaveLength(50);
  });
});
