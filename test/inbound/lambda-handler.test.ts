import { describe, expect, it, vi } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import { type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { type LambdaParts, lambdaHandler } from "../../src/inbound/lambda-handler.js";
import { OwnMarks } from "../../src/inbound/own-marks.js";
import type { Asking } from "../../src/proxy/asking.js";
import { capEvent } from "../support/cap-events.js";

const free = (query: AvailabilityQuery) => query.mailboxes.map(() => viewed({ detail: "times", events: [] }));

function parts(
  answer: (query: AvailabilityQuery, asking: Asking) => MailboxAnswer[] | Promise<MailboxAnswer[]> = free,
) {
  const observer = { requestRefused: vi.fn(), lookupAnswered: vi.fn(), backendAsked: vi.fn(), unexpected: vi.fn() };
  const flush = vi.fn();
  const caller = { name: "workmail", origin: "workmail", maximumDetail: "details" } as const;
  return { answer, caller, ownMarks: new OwnMarks(["svc@corp.example"]), observer, flush } satisfies LambdaParts;
}
const leaving = (remainingMs: number) => ({ awsRequestId: "r", getRemainingTimeInMillis: () => remainingMs });
const event = capEvent(["a@corp.example", "b@corp.example"]);
const failing = (error: string) => ({
  mailboxes: [
    { mailbox: "a@corp.example", error },
    { mailbox: "b@corp.example", error },
  ],
});

describe("the function", () => {
  it("tells the lookup who asks, from where, for whom, and to end before Lambda does", async () => {
    const asked: Asking[] = [];
    const made = parts((query, asking) => {
      asked.push(asking);
      return free(query);
    });
    const handler = lambdaHandler({ ready: async () => made, tell: vi.fn() });
    await handler(event, leaving(3_000));
    await handler(event, leaving(900_000));
    await handler(event);
    expect(asked[0]).toMatchObject({
      caller: made.caller,
      returned: false,
      onBehalfOf: ["bob@corp.example"],
      source: "198.51.100.20",
    });
    const [short, long, unknown] = asked.map(({ withinMs = Number.POSITIVE_INFINITY }) => withinMs) as [
      number,
      number,
      number,
    ];
    expect(short).toBeLessThanOrEqual(2_300);
    for (const within of [long, unknown]) expect(within).toBeLessThanOrEqual(19_300);
    expect(short).toBeGreaterThan(0);
    expect(made.flush).toHaveBeenCalledTimes(3);
  });

  it("knows a question that came back by the service account it names", async () => {
    const answer = vi.fn((query: AvailabilityQuery, _: Asking) => free(query));
    const handler = lambdaHandler({ ready: async () => parts(answer), tell: vi.fn() });
    await handler({ ...event, requester: { email: "SVC@corp.example" } });
    expect(answer.mock.calls[0]?.[1].returned).toBe(true);
  });

  it("answers every mailbox when a lookup never ends, when one throws, and when nothing was composed in time or at all", async () => {
    const never = new Promise<never>(() => {});
    const bug = parts(() => {
      throw new Error("a bug");
    });
    const tell = vi.fn();
    const handlers = [
      [async () => parts(() => never), "ErrorTimeoutExpired"],
      [async () => bug, "ErrorFreeBusyGenerationFailed"],
      [() => never, "ErrorTimeoutExpired"],
      [() => Promise.reject(new Error("no configuration")), "ErrorFreeBusyGenerationFailed"],
    ] as const;
    for (const [ready, error] of handlers) {
      expect(await lambdaHandler({ ready, tell })(event, leaving(550))).toEqual(failing(error));
    }
    expect(bug.observer.unexpected).toHaveBeenCalledOnce();
    expect(tell.mock.calls.map(([what]) => what)).toEqual(["not composed in time", "could not be composed"]);
  });

  it("answers at once when Lambda leaves it no time", async () => {
    const handler = lambdaHandler({ ready: async () => parts(() => new Promise(() => {})), tell: vi.fn() });
    expect(await handler(event, leaving(0))).toEqual(failing("ErrorTimeoutExpired"));
  });

  it("returns less than Lambda takes, with every mailbox in its place", async () => {
    const many = Array(12_000).fill({ start: 0, end: 60_000, busyType: "Busy" });
    const made = parts((query) => query.mailboxes.map(() => viewed({ detail: "times", events: many })));
    const mailboxes = Array.from({ length: 20 }, (_, i) => `m${i}@corp.example`);
    const answer = await lambdaHandler({ ready: async () => made, tell: vi.fn() })(capEvent(mailboxes));
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(6_000_000);
    expect(answer.mailboxes.map(({ mailbox }) => mailbox)).toEqual(mailboxes);
    expect(answer.mailboxes.some((entry) => "events" in entry && entry.events.length === 12_000)).toBe(true);
  });
});
