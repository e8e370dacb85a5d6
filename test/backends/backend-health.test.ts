/** Whether a backend is called usable, by what became of the last questions. Real wire, simulated server. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { BasicTransport } from "../../src/backends/basic-transport.js";
import { EwsBackend, EXCHANGE } from "../../src/backends/ews-backend.js";
import { oneAccount } from "../support/one-account.js";

const person = parseMailboxAddress("p@corp.example") as MailboxAddress;
const calendar = new Calendar({ [person]: { rights: "details", events: [] } });
const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) };

let simulator: EwsSimulator;
let backend: EwsBackend;
beforeEach(async () => {
  simulator = await startSimulator({ style: "exchange", calendar, accounts: [{ username: "svc", password: "p" }] });
  const transport = new BasicTransport({
    url: new URL(simulator.url),
    username: "svc",
    password: "p",
    connections: 4,
    maximumAnswerBytes: 1_000_000,
  });
  backend = new EwsBackend({ name: "exchange", timeoutMs: 5000, dialect: EXCHANGE }, oneAccount(transport));
});
afterEach(async () => {
  await backend.close();
  await simulator.close();
});

const ask = async (signal = new AbortController().signal) =>
  (await backend.ask({ mailboxes: [person], window, detail: "times" }, signal)).map((answer) =>
    answer.kind === "failure" ? answer.failure.reason : "view",
  );
/** It has arrived, and its answer does not come to an end before `giveUp`. */
const askInVain = async () => {
  const before = simulator.asked.length;
  simulator.behaviour.mode = "drip";
  const abort = new AbortController();
  const answers = ask(abort.signal);
  await expect.poll(() => simulator.asked.length).toBe(before + 1);
  simulator.behaviour.mode = "normal";
  const giveUp = () => {
    abort.abort();
    return answers;
  };
  return { giveUp };
};

describe("a backend", () => {
  it("stays usable when one question hears nothing while others are answered", async () => {
    expect(await ask()).toEqual(["view"]);
    const { giveUp } = await askInVain();
    expect(await ask()).toEqual(["view"]);
    expect(await giveUp()).toEqual(["backend-timeout"]);
    expect(await backend.health()).toMatchObject({ usable: true, reason: "answered when last asked" });
  });

  it("is not usable when nothing was answered since that question was sent, whatever was before", async () => {
    expect(await ask()).toEqual(["view"]);
    const { giveUp } = await askInVain();
    expect(await giveUp()).toEqual(["backend-timeout"]);
    expect(await backend.health()).toMatchObject({ usable: false, reason: /^backend-timeout when last asked/ });
    expect(await ask()).toEqual(["view"]);
    expect(await backend.health()).toMatchObject({ usable: true });
  });
});
