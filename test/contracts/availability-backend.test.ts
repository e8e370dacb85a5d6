import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import type { MailboxAnswer } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { BasicTransport } from "../../src/backends/basic-transport.js";
import { EwsBackend, EXCHANGE, WORKMAIL } from "../../src/backends/ews-backend.js";
import { oneAccount } from "../support/one-account.js";

const person = (i: number) => parseMailboxAddress(`p${i}@corp.example`) as MailboxAddress;
const calendar = new Calendar(
  Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `p${i}@corp.example`,
      {
        rights: i === 7 ? ("merged" as const) : ("details" as const),
        events: [
          {
            start: `2026-07-01T09:${String(i).padStart(2, "0")}:00Z`,
            end: "2026-07-03T10:00:00Z",
            busy: "Busy",
            subject: `p${i}`,
          },
        ],
      },
    ]),
  ),
);
const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 8)) };
const told = (answer: MailboxAnswer | undefined) => {
  if (answer?.kind !== "view") return answer?.failure.reason;
  return answer.view.detail === "merged" ? "merged" : answer.view.events.map(({ details }) => details?.subject).join();
};

describe.each([
  ["exchange", EXCHANGE],
  ["workmail", WORKMAIL],
] as const)("the EWS backend towards %s, as an availability backend", (style, dialect) => {
  let simulator: EwsSimulator;
  let transport: BasicTransport;
  let backend: EwsBackend;
  beforeAll(async () => {
    simulator = await startSimulator({ style, calendar, accounts: [{ username: "svc", password: "p" }] });
    transport = new BasicTransport({
      url: new URL(simulator.url),
      username: "svc",
      password: "p",
      connections: 4,
      maximumAnswerBytes: 1_000_000,
    });
    backend = new EwsBackend(
      {
        name: style,
        timeoutMs: 1000,
        dialect: { ...dialect, maximumMailboxes: 25, maximumWindowDays: 2 },
      },
      oneAccount(transport),
    );
  });
  afterAll(async () => {
    await backend.close();
    await simulator.close();
  });
  const ask = (mailboxes: MailboxAddress[], signal = AbortSignal.timeout(5000)) =>
    backend.ask({ mailboxes, window, detail: "details" }, signal);

  it("gives one answer per mailbox in the order asked, over batches and slices, each event once", async () => {
    const order = Array.from({ length: 60 }, (_, i) => person((i * 7) % 60));
    const answers = await ask([...order.slice(0, 10), person(99), ...order.slice(10)]);
    const expected = order.map((_, i) => ((i * 7) % 60 === 7 ? "merged" : `p${(i * 7) % 60}`));
    expect(answers.map(told)).toEqual([...expected.slice(0, 10), "mailbox-not-found", ...expected.slice(10)]);
    for (const { mailboxes } of simulator.asked) expect(mailboxes.length).toBeLessThanOrEqual(25);
  });

  it("never rejects for what the other side does, and settles promptly after an abort", async () => {
    const abort = new AbortController();
    simulator.behaviour.mode = "hang";
    const answers = ask([person(1), person(2)], abort.signal);
    abort.abort();
    expect((await answers).map(told)).toEqual(["backend-timeout", "backend-timeout"]);
    simulator.behaviour.mode = "normal";
  });

  it("keeps what other batches answered when one does not", async () => {
    const abort = new AbortController();
    const first = Array.from({ length: 25 }, (_, i) => person(i));
    simulator.behaviour.failing = { "p30@corp.example": "ErrorMailboxLogonFailed" };
    const answers = await ask([...first, person(30)], abort.signal);
    simulator.behaviour.failing = {};
    expect([told(answers[0]), told(answers[25])]).toEqual(["p0", "backend-error"]);
  });

  it("says how much to wait when it was asked to", async () => {
    Object.assign(simulator.behaviour, { mode: "busy", backOffMs: 1_500 });
    const [answer] = await ask([person(1)]);
    simulator.behaviour.mode = "normal";
    expect(answer).toMatchObject({ failure: { reason: "backend-busy", retryAfterMs: 1_500 } });
    // For so long the account is left alone, and used again after.
    const before = simulator.asked.length;
    expect((await ask([person(1)])).map(told)).toEqual(["backend-busy"]);
    expect(simulator.asked).toHaveLength(before);
    await expect.poll(async () => (await ask([person(1)])).map(told), { timeout: 5000 }).toEqual(["p1"]);
  });

  it("does not read an answer larger than its limit", async () => {
    const small = new BasicTransport({
      url: new URL(simulator.url),
      username: "svc",
      password: "p",
      connections: 1,
      maximumAnswerBytes: 500,
    });
    const limited = new EwsBackend({ name: style, timeoutMs: 1000, dialect }, oneAccount(small));
    expect(
      (await limited.ask({ mailboxes: [person(1)], window, detail: "times" }, AbortSignal.timeout(5000))).map(told),
    ).toEqual(["backend-unreadable"]);
    await limited.close();
  });

  it("says whether it is usable, from its last answer or by reaching for it", async () => {
    await ask([person(1)]);
    expect(await backend.health()).toMatchObject({ usable: true, reason: "answered when last asked" });
    const nowhere = new BasicTransport({
      url: new URL("http://127.0.0.1:9/"),
      username: "svc",
      password: "p",
      connections: 1,
      maximumAnswerBytes: 500,
    });
    const lost = new EwsBackend({ name: style, timeoutMs: 1000, dialect }, oneAccount(nowhere));
    expect(await lost.health()).toMatchObject({ usable: false, reason: expect.stringContaining("ECONNREFUSED") });
    await lost.close();
  });
});
