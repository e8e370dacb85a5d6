/** What of an EWS answer makes an account pause, or go more slowly, and who asks in its place. Real wire, simulated server. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { BasicTransport } from "../../src/backends/basic-transport.js";
import { EwsBackend, EXCHANGE } from "../../src/backends/ews-backend.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";

const person = (i: number) => parseMailboxAddress(`p${i}@corp.example`) as MailboxAddress;
const calendar = new Calendar(
  Object.fromEntries(Array.from({ length: 4 }, (_, i) => [person(i), { rights: "details" as const, events: [] }])),
);
const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) };

let simulator: EwsSimulator;
let accounts: ServiceAccounts;
let backend: EwsBackend;
let now = 0;
beforeEach(async () => {
  const names = ["one", "two"];
  simulator = await startSimulator({
    style: "exchange",
    calendar,
    accounts: names.map((username) => ({ username, password: "p" })),
  });
  simulator.behaviour.backOffMs = 20_000;
  accounts = new ServiceAccounts({
    now: () => instant(now),
    accounts: names.map((name) => ({
      name,
      scheme: "basic",
      maximumAtOnce: 8,
      current: () => "p",
      channel: (password) =>
        new BasicTransport({
          url: new URL(simulator.url),
          username: name,
          password,
          connections: 8,
          maximumAnswerBytes: 1_000_000,
        }),
    })),
  });
  backend = new EwsBackend({ name: "exchange", timeoutMs: 5000, dialect: EXCHANGE }, accounts);
});
afterEach(async () => {
  await backend.close();
  await simulator.close();
});

const ask = async (...mailboxes: number[]) =>
  (await backend.ask({ mailboxes: mailboxes.map(person), window, detail: "times" }, AbortSignal.timeout(5000))).map(
    (answer) => (answer.kind === "failure" ? answer.failure.reason : "view"),
  );
const pauses = () => accounts.state().map(({ pausedUntil }) => (pausedUntil === undefined ? 0 : pausedUntil - now));
const budgets = () => accounts.state().map(({ budget }) => budget);

describe("an account that is told to come back later", () => {
  it("pauses alone for as long as it was told, and another one asks in its place", async () => {
    simulator.behaviour.busyAccounts = ["one"];
    expect(await ask(0, 1)).toEqual(["view", "view"]);
    expect(pauses()).toEqual([20_000, 0]);
    for (let i = 0; i < 5; i++) expect(await ask(0, 1)).toEqual(["view", "view"]);
    expect(new Set(simulator.asked.map(({ account }) => account))).toEqual(new Set(["two"]));
  });

  it("says so for the mailboxes when there is nobody in its place, and is back after its pause with one request", async () => {
    simulator.behaviour.mode = "busy-200";
    expect(await ask(0, 1)).toEqual(["backend-busy", "backend-busy"]);
    expect([pauses(), accounts.usable]).toEqual([[20_000, 20_000], false]);
    simulator.behaviour.mode = "normal";
    now += 20_000;
    expect(budgets()).toEqual([1, 1]);
    expect(await ask(0)).toEqual(["view"]);
    expect(budgets().sort()).toEqual([1, 8]);
  });
});

describe("mailboxes that are busy in an answer that is fine otherwise", () => {
  it("pause the account when a time is named, and the other mailboxes are answered", async () => {
    Object.assign(simulator.behaviour, { backOffInEntries: true, failing: { [person(1)]: "ErrorServerBusy" } });
    expect(await ask(0, 1, 2)).toEqual(["view", "backend-busy", "view"]);
    expect(pauses()).toEqual([20_000, 0]);
  });

  it("pause the account when all are, though no time is named", async () => {
    simulator.behaviour.failing = { [person(1)]: "ErrorServerBusy", [person(2)]: "ErrorServerBusy" };
    expect(await ask(1, 2)).toEqual(["backend-busy", "backend-busy"]);
    expect(pauses()).toEqual([5_000, 0]);
  });

  it("do nothing to the account when they are some of many: it may be their own server", async () => {
    simulator.behaviour.failing = { [person(1)]: "ErrorServerBusy" };
    expect(await ask(0, 1)).toEqual(["view", "backend-busy"]);
    expect([pauses(), budgets()]).toEqual([
      [0, 0],
      [8, 8],
    ]);
  });

  it("make the account go one by one when one was asked about alone, until it is served again", async () => {
    simulator.behaviour.failing = { [person(1)]: "ErrorServerBusy" };
    expect(await ask(1)).toEqual(["backend-busy"]);
    expect([pauses(), budgets()]).toEqual([
      [0, 0],
      [1, 8],
    ]);
    await ask(0);
    await ask(0);
    expect(budgets()).toEqual([8, 8]);
  });
});
