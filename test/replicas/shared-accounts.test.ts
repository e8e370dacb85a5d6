/** What two gateways tell each other of an account they share, over a place and a clock of the test's. */

import { afterEach, describe, expect, it } from "vitest";
import { SealedValues } from "../../src/caches/sealed-values.js";
import type { AccountNews } from "../../src/proxy/account-news.js";
import { AccountWords } from "../../src/replicas/account-words.js";
import { NEW_WAITS_MS } from "../../src/replicas/roll-call.js";
import { SharedAccounts } from "../../src/replicas/shared-accounts.js";
import { answerWith, FakeSite, settled } from "../support/fake-accounts.js";
import { FakeMeetingPlace, FakeServer } from "../support/fake-meeting-place.js";

const SECRET = "a secret of this test, 32 characters or more";
const sealed = () => new SealedValues(SECRET, undefined);

const sites: FakeSite[] = [];
const unexpected: [what: string, message: string][] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.service.close();
});

async function gateway(server: FakeServer, join = true, change: (site: FakeSite) => void = () => undefined) {
  const site = new FakeSite(["svc"], () => ({ maximumAtOnce: 10 }));
  sites.push(site);
  change(site);
  const place = new FakeMeetingPlace(server);
  const shared = new SharedAccounts({
    backends: new Map([["exchange", site.service]]),
    place,
    sealed: sealed(),
    presumedGateways: 2,
    observer: { gatewaysCounted: () => undefined },
    unexpected: (what, error) => unexpected.push([what, (error as Error).message]),
    now: () => server.now,
  });
  shared.begin();
  if (join) place.join();
  await rest();
  // So long a new one waits for room.
  server.now += NEW_WAITS_MS;
  shared.beat();
  await rest();
  const standing = () => site.service.state()[0] as ReturnType<typeof site.service.state>[number];
  return { site, place, shared, standing };
}

const rest = async () => {
  for (let i = 0; i < 20; i++) await settled();
};

/** Some seconds later nobody has anything to say about who is there. */
async function agree(server: FakeServer, ...gateways: readonly Awaited<ReturnType<typeof gateway>>[]) {
  for (let i = 0; i < 8; i++) {
    server.now += 1_000;
    for (const { shared } of gateways) shared.beat();
    await rest();
  }
}

const outdated = (site: FakeSite) => {
  site.account("svc").valid = "changed";
};

describe("two gateways with one account", () => {
  it("pause together, for as long as is left, and only one of them tells", async () => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server), await gateway(server)];
    // Its clock is an hour ahead: nobody minds.
    two.site.now += 3_600_000;
    one.site.account("svc").instead = answerWith(503, { retryAfter: "30" });
    await one.site.ask();
    await rest();
    expect(two.standing().pausedUntil).toBe(two.site.now + 30_000);
    expect(two.site.sent).toHaveLength(0);
    expect(two.site.events.map(({ kind, heard }) => [kind, heard])).toEqual([["paused", true]]);
    server.now += 10_000;
    const three = await gateway(server);
    expect(three.standing().pausedUntil).toBe(three.site.now + 20_000);
  });

  it("set aside what one was refused with; a new password here, and acceptance there, end it", async () => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server, true, outdated), await gateway(server, true, outdated)];
    expect(await one.site.ask()).toMatchObject({ status: 401 });
    await rest();
    expect(await two.site.ask()).toMatchObject({ status: 401 });
    expect(two.site.sent).toHaveLength(0);
    // Whoever was refused is the first to try again.
    const later = (two.standing().setAsideUntil ?? 0) - two.site.now;
    expect(later - ((one.standing().setAsideUntil ?? 0) - one.site.now)).toBeGreaterThanOrEqual(10_000);
    const three = await gateway(server, true, outdated);
    expect(three.standing().setAsideUntil).toBeDefined();
    two.site.account("svc").current = "changed";
    two.site.service.reload();
    expect(await two.site.ask()).toMatchObject({ status: 200 });
    // The others still have the old one.
    await rest();
    expect(one.standing().setAsideUntil).toBeDefined();
    three.site.account("svc").valid = "svc-1";
    one.site.account("svc").valid = "svc-1";
    one.site.now += 301_000;
    expect(await one.site.ask()).toMatchObject({ status: 200 });
    await rest();
    expect(three.standing().setAsideUntil).toBeUndefined();
    expect(await three.site.ask()).toMatchObject({ status: 200 });
    expect((await gateway(server)).standing().setAsideUntil).toBeUndefined();
  });

  it("tell what happened while they were alone, when they meet again and nobody knows", async () => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server, false), await gateway(server)];
    one.site.account("svc").instead = answerWith(503, { retryAfter: "60" });
    await one.site.ask();
    one.site.now += 15_000;
    one.place.join();
    await rest();
    expect(two.standing().pausedUntil).toBe(two.site.now + 45_000);
  });

  it("hear a second later what a server that was late did not give at the start", async () => {
    const server = new FakeServer();
    const one = await gateway(server);
    one.site.account("svc").instead = answerWith(503, { retryAfter: "60" });
    await one.site.ask();
    await rest();
    server.failing.add("kept");
    const two = await gateway(server);
    expect(two.standing().pausedUntil).toBeUndefined();
    server.failing.clear();
    server.now += 1_000;
    two.shared.beat();
    await rest();
    expect(two.standing().pausedUntil).toBe(two.site.now + 60_000 - NEW_WAITS_MS - 1_000);
  });

  it.each([
    ["leave word a second later where it was not taken", "keep"],
    ["tell a second later what did not get through", "announce"],
  ] as const)("%s, and say the rest once", async (_, failing) => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server), await gateway(server)];
    await agree(server, one, two);
    server.failing.add(failing);
    one.site.account("svc").instead = answerWith(503, { retryAfter: "60" });
    await one.site.ask();
    await rest();
    expect(two.standing().pausedUntil !== undefined).toBe(failing === "keep");
    server.failing.clear();
    server.now += 1_000;
    const said = server.announced.length;
    const [left] = [...server.words.values()];
    one.shared.beat();
    await rest();
    expect(server.announced).toHaveLength(failing === "keep" ? said : said + 1);
    if (failing === "announce") expect([...server.words.values()]).toEqual([left]);
    expect([...server.words.values()].map(({ ends }) => ends - server.now)).toEqual([59_000]);
    expect(two.standing().pausedUntil).toBe(two.site.now + (failing === "keep" ? 60_000 : 59_000));
    const { length } = server.announced;
    server.now += 1_000;
    one.shared.beat();
    await rest();
    expect(server.announced).toHaveLength(length);
  });

  it("take back what they have left word of, also when the server did not hear it the first time or was away", async () => {
    for (const away of [false, true]) {
      const server = new FakeServer();
      const one = await gateway(server, true, outdated);
      await one.site.ask();
      await rest();
      expect(server.words.size).toBe(1);
      if (away) one.place.leave();
      else server.failing.add("drop");
      one.site.account("svc").valid = "svc-1";
      one.site.now += 301_000;
      expect(await one.site.ask()).toMatchObject({ status: 200 });
      await rest();
      expect(server.words.size).toBe(1);
      server.failing.clear();
      if (away) one.place.join();
      else one.shared.beat();
      await rest();
      expect(server.words.size).toBe(0);
      expect(one.standing().setAsideUntil).toBeUndefined();
    }
  });

  it("do not take back what another one was told since", async () => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server, true, outdated), await gateway(server, true, outdated)];
    await one.site.ask();
    await rest();
    server.failing.add("drop");
    one.site.account("svc").valid = "svc-1";
    one.site.now += 301_000;
    await one.site.ask();
    await rest();
    // There the password is refused again.
    two.site.now += 400_000;
    expect(await two.site.ask()).toMatchObject({ status: 401 });
    await rest();
    server.failing.clear();
    one.shared.beat();
    await rest();
    expect(server.words.size).toBe(1);
  });

  it("divide its limit, and have the other's part when that one ends in good order", async () => {
    const server = new FakeServer();
    const [one, two] = [await gateway(server), await gateway(server)];
    await agree(server, one, two);
    expect([one.standing().share, two.standing().share]).toEqual([5, 5]);
    await two.shared.stop();
    await rest();
    expect(one.standing().share).toBe(10);
    expect(one.shared.count).toEqual({ gateways: 1, counted: true });
  });

  it("believe no pause longer than a backend may ask for, and nothing that is not sealed by one of them", async () => {
    const server = new FakeServer();
    const one = await gateway(server);
    const hear = (news: AccountNews, by = sealed()) =>
      one.shared.heard(new AccountWords(by).writeNews({ sender: "stranger", backend: "exchange", news }));
    const pause = { kind: "paused", account: "svc", forMs: 86_400_000 } as const;
    hear(pause, new SealedValues("a secret of somebody else, no shorter than ours", undefined));
    one.shared.heard(Buffer.from("nonsense"));
    hear({ ...pause, forMs: -5 });
    expect(one.standing().pausedUntil).toBeUndefined();
    hear(pause);
    expect(one.standing().pausedUntil).toBe(one.site.now + 300_000);
  });

  it("go on, and say so, when what keeps their words gives something nobody could foresee", async () => {
    const server = new FakeServer();
    const one = await gateway(server);
    const works = one.place.signIn;
    one.place.signIn = async () => {
      throw new TypeError("null is not iterable");
    };
    one.shared.beat();
    await rest();
    expect(unexpected.splice(0)).toEqual([["gateways could not talk about their accounts", "null is not iterable"]]);
    one.place.signIn = works;
    one.shared.beat();
    await rest();
    expect([unexpected, one.shared.count]).toMatchObject([[], { gateways: 1 }]);
  });

  it("leave no name, address or secret on the server, or on the wire", async () => {
    const server = new FakeServer();
    const one = await gateway(server, true, outdated);
    await one.site.ask();
    await rest();
    const all = [
      ...[...server.words].flatMap(([name, { value }]) => [Buffer.from(name), value]),
      ...[...server.roll].flatMap(([id, { word }]) => [Buffer.from(id), word]),
      ...server.announced,
    ];
    expect(server.words.size).toBe(1);
    const text = Buffer.concat(all).toString("latin1");
    for (const word of ["svc", "exchange", "HTTP 401"]) expect(text).not.toContain(word);
  });
});
