/** Several real gateways on one real Redis server, asking one backend with one service account. */

import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import {
  ask as askAt,
  BACKEND_PASSWORD,
  CALLER_HASH,
  type RunningGateway,
  startGateway,
  told,
} from "../support/gateway-process.js";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.js";

const CACHE_KEY = "the key of this test's shared cache, in the environment";
const LIMIT = 5;
const person = (i: number) => `p${i}@corp.example`;
const shown = (i: number) => `DetailedMerged ${person(i)}`;

const running: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

describe.skipIf(!hasRedis)("gateways that ask with one account", { timeout: 60_000 }, () => {
  let calendar: Calendar;
  beforeAll(() => {
    const event = { start: "2026-07-01T08:00:00Z", end: "2026-07-01T09:00:00Z", busy: "Busy" } as const;
    const people = Array.from({ length: 600 }, (_, i) => person(i));
    calendar = new Calendar(
      Object.fromEntries(
        people.map((address) => [address, { rights: "details" as const, events: [{ ...event, subject: address }] }]),
      ),
    );
  });

  async function startSite() {
    const redis = await startRedis();
    running.push({ close: () => redis.remove() });
    const exchange = await startSimulator({
      style: "exchange",
      calendar,
      accounts: [{ username: "svc", password: BACKEND_PASSWORD }],
    });
    running.push(exchange);
    return { redis, exchange };
  }

  async function start(redis: RedisServer, exchange: EwsSimulator, more = "", password = BACKEND_PASSWORD) {
    const gateway = await startGateway(
      `
listen: { port: LISTEN_PORT }
management: { port: MANAGEMENT_PORT }
timeBudgetSeconds: 16
callers:
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
backends:
  exchange: { type: ews, url: '${exchange.url}', connections: ${LIMIT}, maximumMailboxes: 1, username: svc, password: 'env:BACKEND_PASSWORD', allowPlainHttp: true }
addressSpaces:
  - { domain: corp.example, backend: exchange }
cache: { viewSeconds: 0, notFoundSeconds: 0, shared: { urls: ['${redis.url}'], encryptionKey: 'env:CACHE_KEY'${more} } }
`,
      { CALLER_HASH, BACKEND_PASSWORD: password, CACHE_KEY },
    );
    running.push({ close: () => gateway.stop() });
    return gateway;
  }

  interface Ready {
    sharedCache: { joined: boolean; gateways?: number; counted?: boolean };
    backends: { exchange: { accounts: { share?: number; pausedUntil?: number; setAsideUntil?: number }[] } };
  }
  const readiness = async ({ management }: RunningGateway) =>
    (await (await fetch(`${management}/readyz`)).json()) as Ready;
  const account = async (gateway: RunningGateway) => (await readiness(gateway)).backends.exchange.accounts[0] ?? {};
  const sharesOf = async (gateways: readonly RunningGateway[]) =>
    (await Promise.all(gateways.map(async (one) => (await account(one)).share))).sort();
  const patient = { timeout: 20_000, interval: 50 };
  const ask = async ({ url }: RunningGateway, people: readonly number[]) =>
    told((await askAt(url, people.map(person))).text);

  /** Asks without a rest, about others each time, until `end`; every answer has to be right. */
  function load(gateway: RunningGateway, from: number) {
    let going = true;
    let rounds = 0;
    const people = Array.from({ length: 12 }, (_, i) => from + i);
    const done = (async () => {
      while (going) {
        const answers = await ask(gateway, people).catch(() => []);
        if (going && gateway.process.exitCode === null && gateway.process.signalCode === null)
          expect(answers).toEqual(people.map(shown));
        rounds++;
      }
    })();
    return {
      rounds: () => rounds,
      end: () => {
        going = false;
        return done;
      },
    };
  }

  it("never have more under way together than it allows, whoever comes, is killed, or loses the server", async () => {
    const { redis, exchange } = await startSite();
    exchange.behaviour.latencyMs = 20;
    const one = await start(redis, exchange);
    await expect.poll(() => sharesOf([one]), patient).toEqual([LIMIT]);
    const loads = [load(one, 0)];
    await expect.poll(() => exchange.mostAtOnce.get("svc"), patient).toBe(LIMIT);
    const two = await start(redis, exchange);
    const three = await start(redis, exchange);
    loads.push(load(two, 100), load(three, 200));
    await expect.poll(() => sharesOf([one, two, three]), patient).toEqual([1, 2, 2]);
    expect((await readiness(three)).sharedCache).toMatchObject({ joined: true, gateways: 3, counted: true });
    expect(exchange.mostAtOnce.get("svc")).toBe(LIMIT);

    // Killed, its share is the others' when it counts as gone.
    three.process.kill("SIGKILL");
    await loads.pop()?.end();
    await expect.poll(() => sharesOf([one, two]), patient).toEqual([2, 3]);

    // Without the server each keeps its part, then has no more than is presumed; when it is back, all is as before.
    await redis.server.kill();
    const counted = async (yes: boolean) => {
      const all = await Promise.all([one, two].map(readiness));
      return all.every(({ sharedCache }) => sharedCache.counted === yes);
    };
    await expect.poll(() => counted(false), patient).toBe(true);
    expect(await sharesOf([one, two])).toEqual([2, 2]);
    await redis.server.start();
    await expect.poll(() => sharesOf([one, two]), patient).toEqual([2, 3]);
    expect(await counted(true)).toBe(true);

    // One that leaves in good order gives its share back.
    const before = loads.map(({ rounds }) => rounds());
    await loads.pop()?.end();
    running.pop();
    running.pop();
    expect(await two.stop()).toBe(0);
    await expect.poll(() => sharesOf([one]), patient).toEqual([LIMIT]);
    for (const load of loads) await load.end();
    expect(loads[0]?.rounds()).toBeGreaterThan(before[0] ?? 0);
    expect(exchange.mostAtOnce.get("svc")).toBe(LIMIT);
    expect(one.output()).toContain("gateways cannot be counted");
    const metrics = await (await fetch(`${one.management}/metrics`)).text();
    expect(metrics).toMatch(/^freebusy_gateways 1$/m);
    expect(metrics).toMatch(/^freebusy_account_share\{backend="exchange",account="svc"\} 5$/m);
  });

  it("pause when one of them is throttled, without having asked; so does one that starts later", async () => {
    const { redis, exchange } = await startSite();
    const [one, two] = [await start(redis, exchange), await start(redis, exchange)];
    Object.assign(exchange.behaviour, { busyAccounts: ["svc"], backOffMs: 60_000 });
    expect(await ask(one, [1])).toEqual(["backend-busy"]);
    // Whoever asked now would be answered.
    exchange.behaviour.busyAccounts = [];
    await expect.poll(async () => (await account(two)).pausedUntil, patient).toBeDefined();
    const three = await start(redis, exchange);
    await expect.poll(async () => (await account(three)).pausedUntil, patient).toBeDefined();
    const left = ((await account(three)).pausedUntil ?? 0) - Date.now();
    expect(left).toBeGreaterThan(20_000);
    expect(left).toBeLessThanOrEqual(61_000);
    expect([await ask(two, [2]), await ask(three, [3])]).toEqual([["backend-busy"], ["backend-busy"]]);
    expect(exchange.asked).toHaveLength(0);
    await expect.poll(() => two.output()).toContain('"from":"another gateway"');
    expect(two.output().split("service account throttled").length - 1).toBe(1);
  });

  it("set aside a password that one of them was refused with, and not another one", async () => {
    const { redis, exchange } = await startSite();
    const wrong = "wrong-canary-Qx9";
    const [one, two] = [await start(redis, exchange, "", wrong), await start(redis, exchange, "", wrong)];
    const right = await start(redis, exchange);
    expect(await ask(one, [1])).toEqual(["backend-refused-credentials"]);
    await expect.poll(async () => (await account(two)).setAsideUntil, patient).toBeDefined();
    const { refused } = exchange;
    expect(await ask(two, [2])).toEqual(["backend-refused-credentials"]);
    expect(exchange.refused).toBe(refused);
    expect(await ask(right, [3])).toEqual([shown(3)]);
    expect((await account(right)).setAsideUntil).toBeUndefined();
    for (const { output } of [one, two]) expect(output()).not.toContain(wrong);
  });

  it("mind their own business where that is wanted", async () => {
    const { redis, exchange } = await startSite();
    const more = ", shareAccountBudget: false";
    const [one, two] = [await start(redis, exchange, more), await start(redis, exchange, more)];
    Object.assign(exchange.behaviour, { busyAccounts: ["svc"], backOffMs: 60_000 });
    expect(await ask(one, [1])).toEqual(["backend-busy"]);
    exchange.behaviour.busyAccounts = [];
    expect(await ask(two, [1])).toEqual([shown(1)]);
    expect((await readiness(two)).sharedCache).toEqual({ joined: true, problem: null });
  });
});
