/** Budgets towards backends, on the real process: few requests, fair turns, accounts and endpoints that fail alone. */

import { connect } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import {
  type AskOptions,
  ask as askAt,
  authorization,
  BACKEND_PASSWORD,
  CALLER_HASH,
  question,
  type RunningGateway,
  startGateway,
  told,
} from "../support/gateway-process.js";

const PEOPLE = 1000;
const person = (i: number) => `p${i}@corp.example`;
const everybody = Array.from({ length: PEOPLE }, (_, i) => person(i));
let calendar: Calendar;
beforeAll(() => {
  calendar = new Calendar(
    Object.fromEntries(
      everybody.map((address) => [
        address,
        {
          rights: "details" as const,
          events: [{ start: "2026-07-01T08:00:00Z", end: "2026-07-01T09:00:00Z", busy: "Busy", subject: address }],
        },
      ]),
    ),
  );
});

const running: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

async function startExchange(port?: number): Promise<EwsSimulator> {
  const simulator = await startSimulator({
    style: "exchange",
    calendar,
    accounts: ["svc-1", "svc-2"].map((username) => ({ username, password: BACKEND_PASSWORD })),
    ...(port !== undefined && { port }),
  });
  running.push(simulator);
  return simulator;
}

/** `settings` of the one backend, beside its accounts; `more` of everything else. */
async function startWith(settings: string, accounts = 1, more = ""): Promise<RunningGateway> {
  const list = Array.from(
    { length: accounts },
    (_, i) => `{ scheme: basic, username: svc-${i + 1}, password: 'env:BACKEND_PASSWORD' }`,
  );
  const gateway = await startGateway(
    `
listen: { port: LISTEN_PORT }
management: { port: MANAGEMENT_PORT }
log: { level: debug }
# What is refused when the machine is late is no matter of budgets.
overload: { maximumRequests: 2000, maximumDelaySeconds: 10 }
callers:
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
  - { name: calm, usernames: [calm@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
backends:
  exchange: { type: ews, ${settings}, accounts: [${list.join(", ")}], allowPlainHttp: true }
addressSpaces:
  - { domain: corp.example, backend: exchange }
${more}`,
    { CALLER_HASH, BACKEND_PASSWORD },
  );
  running.push({ close: () => gateway.stop() });
  return gateway;
}

const asking = (gateway: RunningGateway) => async (mailboxes: readonly string[], options?: AskOptions) =>
  told((await askAt(gateway.url, mailboxes, options)).text);
const metric = async (gateway: RunningGateway, line: RegExp) =>
  Number(line.exec(await (await fetch(`${gateway.management}/metrics`)).text())?.[1]);
const shown = (address: string) => `DetailedMerged ${address}`;

describe("a Monday morning", () => {
  it("of a thousand people asked about one by one makes few requests, and each answer is its own person's", async () => {
    const exchange = await startExchange();
    exchange.behaviour.latencyMs = 150;
    const gateway = await startWith(`url: '${exchange.url}', connections: 4`);
    const ask = asking(gateway);
    await ask([person(0)], { start: "2026-06-01T00:00:00", end: "2026-06-02T00:00:00" });
    const before = exchange.asked.length;
    const answers = await Promise.all(everybody.map((address) => ask([address])));
    expect(answers).toEqual(everybody.map((address) => [shown(address)]));
    const requests = exchange.asked.length - before;
    process.stderr.write(`a Monday morning: ${PEOPLE} lookups, ${requests} requests to the backend\n`);
    // Not one by one; how many exactly is a matter of how fast this machine takes lookups in.
    expect(requests).toBeLessThan(PEOPLE / 5);
    expect(exchange.asked.slice(before).flatMap(({ mailboxes }) => mailboxes)).toHaveLength(PEOPLE);
    expect(exchange.mostAtOnce.get("svc-1")).toBeLessThanOrEqual(4);
    expect(await metric(gateway, /freebusy_backend_questions_total\{backend="exchange"\} (\d+)/)).toBe(requests + 1);
    expect(await metric(gateway, /freebusy_backend_mailboxes_total\{backend="exchange"\} (\d+)/)).toBe(PEOPLE + 1);
    expect(await metric(gateway, /freebusy_backend_waiting\{backend="exchange"\} (\d+)/)).toBe(0);
    expect(await metric(gateway, /freebusy_account_budget\{backend="exchange",account="svc-1"\} (\d+)/)).toBe(4);
  });
});

describe("two callers", () => {
  it("take turns: one that asks about a thousand people does not keep the other waiting for them", async () => {
    const exchange = await startExchange();
    exchange.behaviour.latencyMs = 30;
    const gateway = await startWith(`url: '${exchange.url}', connections: 1, maximumMailboxes: 10`);
    const ask = asking(gateway);
    const many = Promise.all(Array.from({ length: 10 }, (_, i) => ask(everybody.slice(i * 100, i * 100 + 100))));
    await expect.poll(() => exchange.asked.length).toBeGreaterThan(0);
    const options = { user: "calm@corp.example", start: "2026-07-01T00:00:00", end: "2026-07-01T12:00:00" };
    // Somebody the other has not asked about, so that no flight is shared.
    expect(await ask(["nobody@corp.example"], options)).toEqual(["mailbox-not-found"]);
    const meanwhile = exchange.asked.length;
    expect((await many).flat()).toEqual(everybody.map(shown));
    // A hundred requests in all: the other's turn came long before the last of them.
    expect(exchange.asked.length).toBeGreaterThanOrEqual(100);
    expect(meanwhile).toBeLessThan(50);
  });
});

describe("more than can wait, or longer than anybody waits", () => {
  it("is refused with its reason, and everybody has an answer", async () => {
    const exchange = await startExchange();
    exchange.behaviour.mode = "hang";
    const gateway = await startWith(
      `url: '${exchange.url}', connections: 1, maximumMailboxes: 50, maximumWaiting: 100, timeoutSeconds: 1`,
      1,
      "timeBudgetSeconds: 2\n",
    );
    const ask = asking(gateway);
    const answers = (await Promise.all([0, 1, 2, 3].map((i) => ask(everybody.slice(i * 100, i * 100 + 100))))).flat();
    expect(answers).toHaveLength(400);
    const count = (reason: string) => answers.filter((answer) => answer === reason).length;
    expect([count("backend-timeout") + count("queue-timeout"), count("queue-full")]).toEqual([150, 250]);
    expect(count("queue-timeout")).toBeGreaterThanOrEqual(50);
    exchange.behaviour.mode = "normal";
    expect(await ask([person(1)])).toEqual([shown(person(1))]);
  });

  it("gives what is known by then, and the rest its reason", async () => {
    const exchange = await startExchange();
    exchange.behaviour.latencyMs = 600;
    const gateway = await startWith(
      `url: '${exchange.url}', connections: 1, maximumMailboxes: 50, timeoutSeconds: 1`,
      1,
      "timeBudgetSeconds: 2\n",
    );
    const ask = asking(gateway);
    // The first goes alone, the others together; a request is one of two that fit into the time.
    const first = ask([person(0)]);
    await expect.poll(() => exchange.mostAtOnce.get("svc-1")).toBe(1);
    const rest = ask([person(0), person(1)]);
    expect(await first).toEqual([shown(person(0))]);
    expect(await rest).toEqual([shown(person(0)), "backend-timeout"]);
  });

  it("costs those nothing who ask while somebody reads or writes slowly", async () => {
    const exchange = await startExchange();
    const gateway = await startWith(
      `url: '${exchange.url}', connections: 2, timeoutSeconds: 8`,
      1,
      "timeBudgetSeconds: 12\n",
    );
    const ask = asking(gateway);
    // At the other side, one answer comes drop by drop.
    exchange.behaviour.mode = "drip";
    const dripping = ask([person(500)]);
    await expect.poll(() => exchange.asked.length).toBe(1);
    exchange.behaviour.mode = "normal";
    const body = question(everybody.slice(0, 100), { end: "2026-07-08T00:00:00" });
    const head = `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization()}\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    // Half of them never read their answer, half never finish their question.
    const slow = Array.from({ length: 20 }, (_, i) => {
      const socket = connect(gateway.port, "127.0.0.1").on("error", () => undefined);
      socket.pause().write(i % 2 === 0 ? head + body : head + body.slice(0, 500));
      return socket;
    });
    let over = false;
    void dripping.then(() => {
      over = true;
    });
    expect(await ask([person(600), person(700)])).toEqual([shown(person(600)), shown(person(700))]);
    // Long before the slow one: nobody has waited for it.
    expect(over).toBe(false);
    for (const socket of slow) socket.destroy();
    expect(await dripping).toEqual(["backend-timeout"]);
  });
});

describe("one of two accounts", () => {
  it("that is throttled pauses alone: nobody notices but those who look", async () => {
    const exchange = await startExchange();
    Object.assign(exchange.behaviour, { busyAccounts: ["svc-1"], backOffMs: 60_000 });
    const gateway = await startWith(`url: '${exchange.url}'`, 2);
    const ask = asking(gateway);
    for (let i = 0; i < 20; i++) expect(await ask([person(i)])).toEqual([shown(person(i))]);
    expect(new Set(exchange.asked.map(({ account }) => account))).toEqual(new Set(["svc-2"]));
    const { backends } = (await (await fetch(`${gateway.management}/readyz`)).json()) as {
      backends: Record<string, { usable: boolean; accounts: { pausedUntil?: number }[] }>;
    };
    expect(backends.exchange?.usable).toBe(true);
    expect(backends.exchange?.accounts.map(({ pausedUntil }) => pausedUntil !== undefined)).toEqual([true, false]);
    expect(
      await metric(gateway, /freebusy_account_changes_total\{backend="exchange",account="svc-1",kind="paused"\} (\d+)/),
    ).toBe(1);
    await expect.poll(() => gateway.output()).toContain('"msg":"service account throttled; left alone"');
  });
});

describe("one of two endpoints", () => {
  it("that is killed is gone around, told about, and used again when it is back", async () => {
    const [one, two] = [await startExchange(), await startExchange()];
    const gateway = await startWith(`urls: ['${one.url}', '${two.url}']`, 1, "cache: { viewSeconds: 0 }\n");
    const ask = asking(gateway);
    expect(await ask([person(0)])).toEqual([shown(person(0))]);
    expect([one.asked.length, two.asked.length]).toEqual([1, 0]);
    const { port } = one;
    running.splice(running.indexOf(one), 1);
    await one.close();
    for (let i = 0; i < 10; i++) expect(await ask([person(i)])).toEqual([shown(person(i))]);
    expect(two.asked).toHaveLength(10);
    const circuit = new RegExp(`freebusy_endpoint_circuit\\{backend="exchange",endpoint="127.0.0.1:${port}"\\} (\\d)`);
    expect(await metric(gateway, circuit)).toBe(2);
    await expect.poll(() => gateway.output()).toContain('"msg":"endpoint failed again and again; left alone"');
    const { backends } = (await (await fetch(`${gateway.management}/readyz`)).json()) as {
      backends: Record<string, { endpoints: unknown[] }>;
    };
    expect(backends.exchange?.endpoints).toEqual([
      { name: `127.0.0.1:${port}`, circuit: "open", since: expect.any(Number), problem: "ECONNREFUSED" },
      { name: `127.0.0.1:${two.port}`, circuit: "closed" },
    ]);
    const back = await startExchange(port);
    await expect
      .poll(
        async () => {
          await ask([person(0)]);
          return back.asked.length;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
    const before = two.asked.length;
    expect(await ask([person(1)])).toEqual([shown(person(1))]);
    expect(two.asked).toHaveLength(before);
    expect(await metric(gateway, circuit)).toBe(0);
  });

  it("that takes questions and never answers costs its share of the time, then nothing", async () => {
    const [one, two] = [await startExchange(), await startExchange()];
    one.behaviour.mode = "hang";
    const gateway = await startWith(
      `urls: ['${one.url}', '${two.url}'], timeoutSeconds: 1`,
      1,
      "cache: { viewSeconds: 0 }\n",
    );
    const ask = asking(gateway);
    for (let i = 0; i < 8; i++) expect(await ask([person(i)])).toEqual([shown(person(i))]);
    expect(two.asked).toHaveLength(8);
    await expect.poll(() => gateway.output()).toContain('"problem":"NO_ANSWER"');
  });
});
