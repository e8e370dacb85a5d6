import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import { type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { capAnswers, onBehalfOf } from "../../src/inbound/cap-answers.js";
import type { Asking } from "../../src/proxy/asking.js";
import { readCapEvent } from "../../src/workmail-cap/cap-event.js";
import { capEvent } from "../support/cap-events.js";

const asking: Asking = {
  caller: { name: "workmail", origin: "workmail", maximumDetail: "details" },
  returned: false,
};
/** Each mailbox is told apart by its own address as the subject of its one event. */
const own = (query: AvailabilityQuery): MailboxAnswer[] =>
  query.mailboxes.map(({ text }) =>
    viewed({
      detail: "details",
      events: [
        {
          start: query.window.start,
          end: query.window.end,
          busyType: "Busy",
          details: {
            subject: text,
            isMeeting: false,
            isRecurring: false,
            isException: false,
            isReminderSet: false,
            isPrivate: false,
          },
        },
      ],
    }),
  );
const told = (entries: Awaited<ReturnType<typeof capAnswers>>) =>
  entries.map((entry) => ("error" in entry ? entry.error : entry.events[0]?.details?.subject));

function answering(answer: (query: AvailabilityQuery, id: string) => readonly MailboxAnswer[] | Promise<never>) {
  const unexpected = vi.fn();
  return { answer: (query: AvailabilityQuery, _: Asking, id: string) => answer(query, id), observer: { unexpected } };
}

describe("an event's answers", () => {
  it("are each mailbox's own, in the event's order, however many there are and however often one is named", async () => {
    const address = fc.constantFrom("a", "b", "c", "d").map((name) => `${name}@corp.example`);
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 320 }), async (mailboxes) => {
        const parts = answering(own);
        const entries = await capAnswers(readCapEvent(capEvent(mailboxes)), parts, asking, "id", 10_000);
        expect(told(entries)).toEqual(mailboxes);
        expect(entries.map(({ mailbox }) => mailbox)).toEqual(mailboxes);
      }),
      { numRuns: 30 },
    );
  });

  it("of 500 mailboxes come from five lookups at once, each with an id of its own; one that fails costs its own hundred", async () => {
    const mailboxes = Array.from({ length: 500 }, (_, i) => `m${i}@corp.example`);
    const ids: string[] = [];
    const parts = answering((query, id) => {
      ids.push(id);
      if (id === "id.2") throw new Error("a bug");
      if (id === "id.4") return new Promise<never>(() => {});
      return own(query);
    });
    const entries = await capAnswers(readCapEvent(capEvent(mailboxes)), parts, asking, "id", 50);
    expect(ids).toEqual(["id.1", "id.2", "id.3", "id.4", "id.5"]);
    expect(told(entries)).toEqual(
      mailboxes.map((mailbox, i) => {
        if (i >= 100 && i < 200) return "ErrorFreeBusyGenerationFailed";
        return i >= 300 && i < 400 ? "ErrorTimeoutExpired" : mailbox;
      }),
    );
    expect(parts.observer.unexpected).toHaveBeenCalledOnce();
  });

  it("about nobody are none, and nobody is asked", async () => {
    const parts = answering(() => {
      throw new Error("asked");
    });
    expect(await capAnswers(readCapEvent({ mailboxes: [] }), parts, asking, "id", 50)).toEqual([]);
    expect(parts.observer.unexpected).not.toHaveBeenCalled();
  });

  it("are for the requester in lower case, as rules name requesters", () => {
    const question = readCapEvent(capEvent(["a@corp.example"], { requester: { email: "Intern@Corp.example" } }));
    expect(onBehalfOf(question)).toEqual(["intern@corp.example"]);
    expect(onBehalfOf(readCapEvent({ mailboxes: [] }))).toEqual([]);
    // Nobody is named is one thing, and somebody whose name cannot be read another.
    expect(onBehalfOf(readCapEvent({ mailboxes: [], requester: { userName: "intern" } }))).toEqual([""]);
  });
});
