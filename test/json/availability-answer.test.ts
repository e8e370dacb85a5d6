import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failed, learnt, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant, type TimeWindow } from "../../src/availability/time-window.js";
import { failureMessage } from "../../src/ews/failure-messages.js";
import { writeAnswers } from "../../src/json/availability-answer.js";
import { readAnswers } from "../../src/json/read-availability-answer.js";
import { anyAnswer, anyWindow, START } from "../support/any-answers.js";

const DAY: TimeWindow = { start: instant(START), end: instant(START + 86_400_000) };
const queryOf = (mailboxes: readonly string[], window: TimeWindow, intervalMinutes: number) => ({
  mailboxes: mailboxes.map((text) => ({ text, routingType: "SMTP" as const, address: undefined })),
  window,
  intervalMinutes,
  view: { detail: "times" as const, merged: true },
});
const write = (answers: readonly MailboxAnswer[], askedAt = START, window = DAY, intervalMinutes = 30) => {
  const query = queryOf(
    answers.map((_, i) => `m${i}@corp.example`),
    window,
    intervalMinutes,
  );
  return writeAnswers(query, answers, failureMessage, instant(askedAt));
};
const free = viewed({ detail: "times", events: [] });

describe("an answer in JSON", () => {
  it("has one entry a mailbox, in order, each a view or a failure and never both, and is read back as it was", () => {
    fc.assert(
      fc.property(
        fc
          .tuple(anyWindow, fc.constantFrom(5, 15, 30))
          .chain(([window, interval]) =>
            fc.tuple(
              fc.constant(window),
              fc.constant(interval),
              fc.array(anyAnswer(window, interval), { maxLength: 8 }),
            ),
          ),
        ([window, interval, answers]) => {
          const { text } = write(answers, START, window, interval);
          const { mailboxes } = JSON.parse(text) as { mailboxes: Record<string, unknown>[] };
          expect(mailboxes.map(({ mailbox }) => mailbox)).toEqual(answers.map((_, i) => `m${i}@corp.example`));
          expect(mailboxes.map(({ view, failure }) => [view === undefined, failure === undefined])).toEqual(
            answers.map(({ kind }) => [kind !== "view", kind !== "failure"]),
          );
          const names = answers.map((_, i) => `m${i}@corp.example`);
          const read = readAnswers(JSON.parse(text), names, window);
          expect(read?.map(({ merged, failure }) => merged?.digits ?? failure?.reason)).toEqual(
            answers.map((answer) =>
              answer.kind === "view" ? mergedFreeBusy(answer.view, window, interval).digits : answer.failure.reason,
            ),
          );
        },
      ),
    );
  });

  it("says where each comes from and how old it is; who was never asked has no source", () => {
    const answers = [
      learnt(free, instant(START - 5000)),
      learnt(free, instant(START)),
      failed({ reason: "not-disclosed" }),
    ];
    const { mailboxes } = JSON.parse(write(answers).text) as { mailboxes: Record<string, unknown>[] };
    expect(mailboxes.map(({ source, learntAt }) => [source, learntAt])).toEqual([
      ["cache", "2026-06-30T23:59:55Z"],
      ["fresh", "2026-07-01T00:00:00Z"],
      [undefined, undefined],
    ]);
  });

  it("is the same substance as long as nobody's time changes, however old it is", () => {
    const { substance } = write([learnt(free, instant(START - 5000))]);
    expect(write([learnt(free, instant(START))]).substance).toBe(substance);
    const busy = viewed({ detail: "times", events: [{ ...DAY, busyType: "Busy" }] });
    expect(write([busy]).substance).not.toBe(substance);
  });

  it("passes nothing on of what a backend said in its own words", () => {
    const { text } = write([failed({ reason: "backend-error", code: "ErrorOdd", detail: "canary, on SERVER7" })]);
    expect(text).not.toMatch(/canary|SERVER7|ErrorOdd/);
  });
});

describe("an answer as its reader takes it", () => {
  const good = JSON.parse(write([free, free]).text);
  const names = ["m0@corp.example", "m1@corp.example"];
  const [first, second] = good.mailboxes;

  it("is believed when it answers what was asked", () => {
    expect(readAnswers(good, names, DAY)).toHaveLength(2);
  });

  it.each([
    ["has its mailboxes in another order", { ...good, mailboxes: [second, first] }],
    ["leaves one out", { ...good, mailboxes: [first] }],
    ["has one more", { ...good, mailboxes: [first, second, second] }],
    ["is about another window", { ...good, from: "2026-07-02T00:00:00Z" }],
    ["has fewer slots than the window", { ...good, mailboxes: [first, { ...second, view: { merged: "00" } }] }],
    ["has slots that mean nothing", { ...good, intervalMinutes: 720, mailboxes: [first, second] }],
    ["has neither view nor failure", { ...good, mailboxes: [first, { mailbox: second.mailbox }] }],
    ["is no object", "free"],
    ["is null", null],
  ])("is not when it %s", (_, answer) => {
    expect(readAnswers(answer, names, DAY)).toBeUndefined();
  });
});
