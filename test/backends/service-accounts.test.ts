/** Several service accounts of one backend: which one asks, with which secret, and when none does. */

import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { HandshakeFailure } from "../../src/backends/handshake.js";
import { TransportError } from "../../src/backends/http-channel.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";
import { TokenError } from "../../src/backends/token-source.js";
import { answerWith, FakeSite, type SentRequest, settled } from "../support/fake-accounts.js";

const MINUTE = 60_000;
const names = (sent: readonly SentRequest[]) => sent.map(({ account }) => account).join("");
const secrets = (sent: readonly SentRequest[]) => sent.map(({ secret }) => secret).join(" ");

// Time passes only where a test says so, also on a machine that is held up.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("requests over several accounts", () => {
  it("go in turn while none has more under way, and to the one with the fewest otherwise", async () => {
    const site = new FakeSite(["a", "b", "c"]);
    for (let i = 0; i < 6; i++) await site.ask();
    expect(names(site.sent)).toBe("abcabc");
    site.held = true;
    for (let i = 0; i < 5; i++) void site.ask();
    await settled();
    expect(names(site.sent.slice(6))).toBe("abcab");
    await site.release(1);
    await site.release(3);
    void site.ask();
    void site.ask();
    await settled();
    expect(names(site.sent.slice(11))).toBe("bc");
  });

  it("say whose answer it is", async () => {
    const site = new FakeSite(["a", "b"]);
    expect([await site.ask(), await site.ask()]).toEqual([
      { status: 200, account: "a" },
      { status: 200, account: "b" },
    ]);
  });

  it("are written for the account they go with", async () => {
    const site = new FakeSite(["a", "b"], ({ name }) => (name === "b" ? { actsAs: "svc@corp.example" as never } : {}));
    const question = (actsAs: string | undefined) => `as ${actsAs}`;
    for (let i = 0; i < 2; i++) await site.service.post(question, new AbortController().signal);
    expect(site.sent.map(({ account, body }) => `${account} ${body}`)).toEqual([
      "a as undefined",
      "b as svc@corp.example",
    ]);
    expect(site.service.name).toBe("a, b as svc@corp.example");
  });

  it("that break are not tried with another account: the network is the same", async () => {
    const site = new FakeSite(["a", "b"]);
    site.account("a").instead = new TransportError("ECONNREFUSED", { cause: undefined });
    await expect(site.ask()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(names(site.sent)).toBe("a");
  });

  it("go with another account when one has no token or no handshake, and fail so when none has", async () => {
    const site = new FakeSite(["a", "b"]);
    site.account("a").instead = new TokenError("HTTP 502", { detail: "down" });
    expect(await site.ask()).toMatchObject({ account: "b" });
    site.account("b").instead = new HandshakeFailure("SCHEME_NOT_OFFERED", "offered: nothing");
    await expect(site.ask()).rejects.toMatchObject({ code: expect.stringMatching(/HTTP 502|SCHEME_NOT_OFFERED/) });
  });

  it("end when nobody waits any more, in whatever line they stand", async () => {
    const site = new FakeSite(["a"]);
    site.held = true;
    const abort = new AbortController();
    const asked = [site.ask("first", abort.signal), site.ask("second", abort.signal)];
    const ended = Promise.allSettled(asked);
    await settled();
    abort.abort(new Error("enough"));
    expect((await ended).map((one) => one.status === "rejected" && one.reason.message)).toEqual(["enough", "enough"]);
    site.held = false;
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(site.service.state()[0]?.inFlight).toBe(0);
  });

  it("need an account", () => {
    expect(() => new ServiceAccounts({ accounts: [], now: () => instant(0) })).toThrow("service account");
  });
});

describe("a password that is changed", () => {
  it("is replaced by the other one at once, without a restart, and nobody sees a refusal", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").next = "a-2";
    site.service.reload();
    await site.ask();
    site.account("a").valid = "a-2";
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(secrets(site.sent)).toBe("a-1 a-1 a-2 a-2");
    expect(site.service.state()).toMatchObject([{ name: "a", secret: "next" }]);
    expect(site.events).toEqual([{ kind: "accepted", account: "a", secret: "next" }]);
  });

  it("keeps its channel when it becomes the current one, and the old one's is closed", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").next = "a-2";
    site.service.reload();
    await site.ask();
    site.account("a").valid = "a-2";
    await site.ask();
    Object.assign(site.account("a"), { current: "a-2", next: "" });
    expect(site.service.reload()).toEqual(["a"]);
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(site.channels.map(({ secret, closed }) => `${secret} ${closed}`)).toEqual(["a-1 true", "a-2 false"]);
    expect(site.service.state()).toMatchObject([{ secret: "current" }]);
    expect(site.service.reload()).toEqual([]);
  });

  it("may change places with the other one", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").next = "a-2";
    site.service.reload();
    await site.ask();
    Object.assign(site.account("a"), { current: "a-2", next: "a-1" });
    site.service.reload();
    await site.ask();
    expect(secrets(site.sent)).toBe("a-1 a-1");
    expect(site.channels).toHaveLength(1);
    expect(site.service.state()).toMatchObject([{ secret: "next" }]);
  });

  it("does not close a channel that somebody still waits on", async () => {
    const site = new FakeSite(["a"]);
    await site.ask();
    site.held = true;
    const asked = site.ask();
    await settled();
    Object.assign(site.account("a"), { current: "a-2", valid: "a-2" });
    site.service.reload();
    expect(site.channels[0]?.closed).toBe(false);
    await site.release();
    expect(await asked).toMatchObject({ status: 200 });
    expect(site.channels[0]?.closed).toBe(true);
    expect(site.channels[0]?.closedWhileInUse).toBe(false);
  });

  it("while twenty requests are under way is found out by one of them", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").next = "a-2";
    site.service.reload();
    await site.ask();
    site.held = true;
    site.account("a").valid = "a-2";
    const asked = Array.from({ length: 20 }, () => site.ask());
    await settled();
    expect(site.waiting).toBe(20);
    site.held = false;
    while (site.waiting > 0) await site.release();
    expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(site.sent.filter(({ secret }) => secret === "a-2")).toHaveLength(20);
    expect(site.refusals()).toHaveLength(20);
    expect(site.events).toHaveLength(1);
  });

  it("stays as it was when it cannot be read again", async () => {
    let readable = true;
    const provider = (value: string) => () => {
      if (!readable) throw new Error("ENOENT");
      return value;
    };
    const site = new FakeSite(["a"], () => ({ current: provider("a-1"), next: provider("a-2") }));
    await site.ask();
    readable = false;
    expect(site.service.reload()).toEqual([]);
    site.account("a").valid = "a-2";
    expect(await site.ask()).toMatchObject({ status: 200 });
  });
});

describe("an account whose passwords are refused", () => {
  it("is tried with both once, and others go on", async () => {
    const site = new FakeSite(["a", "b"]);
    Object.assign(site.account("a"), { next: "a-2", valid: "elsewhere" });
    site.service.reload();
    for (let i = 0; i < 10; i++) expect(await site.ask()).toEqual({ status: 200, account: "b" });
    expect(secrets(site.refusals())).toBe("a-1 a-2");
    expect(site.service.state()[0]).toMatchObject({
      setAsideUntil: 1_000_000 + 5 * MINUTE,
      problem: "HTTP 401",
    });
    expect(site.events).toEqual([
      { kind: "set-aside", account: "a", until: 1_000_000 + 5 * MINUTE, problem: "HTTP 401" },
    ]);
  });

  it("answers 401 at once when there is no other, and nothing is sent", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = "elsewhere";
    for (let i = 0; i < 10; i++) expect(await site.ask()).toEqual({ status: 401, account: "a" });
    expect(site.sent).toHaveLength(1);
  });

  it("is tried by one request at a time, also when a hundred come at once", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = "elsewhere";
    const all = await Promise.all(Array.from({ length: 100 }, () => site.ask()));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([401]));
    expect(site.sent).toHaveLength(1);
    expect(site.events).toMatchObject([{ kind: "set-aside", until: site.now + 5 * MINUTE }]);
  });

  it("lets a hundred at once through as soon as the first is accepted", async () => {
    const site = new FakeSite(["a"]);
    site.held = true;
    const all = Array.from({ length: 100 }, () => site.ask());
    await settled();
    expect(site.waiting).toBe(1);
    await site.release();
    expect(site.waiting).toBe(99);
    site.held = false;
    while (site.waiting > 0) await site.release();
    await Promise.all(all);
  });

  it("keeps others waiting for a slow first answer no longer than a second", async () => {
    const site = new FakeSite(["a"]);
    site.held = true;
    const all = Array.from({ length: 10 }, () => site.ask());
    await settled();
    await vi.advanceTimersByTimeAsync(999);
    expect(site.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(site.waiting).toBe(2);
    await site.release(1);
    expect(site.waiting).toBe(9);
    site.held = false;
    while (site.waiting > 0) await site.release();
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  it.each([
    ["accepted", "a-1", 9],
    ["refused", "elsewhere", 1],
  ])("keeps nobody waiting for a second verdict when the first is there: %s", async (_, valid, sent) => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = valid;
    site.held = true;
    const all = Array.from({ length: 10 }, () => site.ask());
    await settled();
    await vi.advanceTimersByTimeAsync(1000);
    expect(site.waiting).toBe(2);
    await site.release();
    expect(site.waiting).toBe(sent);
    while (site.waiting > 0) await site.release();
    await Promise.all(all);
    // The second refusal is no other one: it is told of once, and the account is left alone no longer for it.
    expect(site.events.map(({ kind }) => kind)).toEqual(valid === "a-1" ? [] : ["set-aside"]);
    expect(site.service.state()[0]?.setAsideUntil).toBe(valid === "a-1" ? undefined : site.now + 5 * MINUTE);
  });

  it("is tried by four at most in fifteen seconds of silence", async () => {
    const site = new FakeSite(["a"]);
    site.held = true;
    const all = Array.from({ length: 20 }, () => site.ask());
    await settled();
    const tried: number[] = [];
    for (let second = 0; second < 15; second++) {
      while (tried.length < site.waiting) tried.push(second);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(tried).toEqual([0, 1, 3, 7]);
    site.held = false;
    while (site.waiting > 0) await site.release();
    await Promise.all(all);
  });

  it.each([
    [2, 1, 2],
    [2, 2, 3],
    [4, 1, 3],
    [4, 2, 4],
    [14, 1, 4],
    [14, 2, 5],
  ])(
    "is not locked by a server that takes %i s to refuse one of %i: %i wrong sign-ins, however many ask",
    async (seconds, passwords, wrong) => {
      const site = new FakeSite(["a"]);
      Object.assign(site.account("a"), { valid: "elsewhere", ...(passwords === 2 && { next: "a-2" }) });
      site.service.reload();
      site.held = true;
      const all: Promise<unknown>[] = [];
      /** Somebody asks each second. */
      const forSeconds = async (count: number) => {
        for (let second = 0; second < count; second++) {
          all.push(site.ask());
          await settled();
          for (const request of site.sent) {
            if (request.ended === undefined && site.now - request.startedAt >= seconds * 1000) await site.release();
          }
          site.now += 1000;
          await vi.advanceTimersByTimeAsync(1000);
        }
      };
      await forSeconds(60);
      expect(site.refusals()).toHaveLength(wrong);
      await forSeconds(300);
      expect(site.refusals()).toHaveLength(wrong + 1);
      await Promise.all(all);
    },
  );

  it("is not refused by what was sent before it was accepted", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = "elsewhere";
    site.held = true;
    const first = site.ask();
    const second = site.ask();
    await settled();
    site.account("a").valid = "a-1";
    await vi.advanceTimersByTimeAsync(1000);
    await site.release(1);
    expect(await second).toMatchObject({ status: 200 });
    site.held = false;
    await site.release();
    expect(await first).toMatchObject({ status: 200 });
    expect(site.events).toEqual([]);
    expect(site.service.usable).toBe(true);
  });

  it("is tried again after 5, 10, 20, 30, 30 minutes, with one password at a time, in turns", async () => {
    const site = new FakeSite(["a"]);
    Object.assign(site.account("a"), { next: "a-2", valid: "elsewhere" });
    site.service.reload();
    for (let second = 0; second < 2 * 3600; second++, site.now += 1000) await site.ask();
    const at = site.refusals().map(({ startedAt, secret }) => `${(startedAt - 1_000_000) / MINUTE}:${secret}`);
    expect(at).toEqual(["0:a-1", "0:a-2", "5:a-1", "15:a-2", "35:a-1", "65:a-2", "95:a-1"]);
  });

  it("is used again when the backend has come round, and starts from the beginning the next time", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = "elsewhere";
    for (let second = 0; second < 600; second++, site.now += 1000) await site.ask();
    site.account("a").valid = "a-1";
    site.now += 30 * MINUTE;
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(site.service.state()[0]).not.toHaveProperty("problem");
    site.account("a").valid = "elsewhere";
    await site.ask();
    expect(site.service.state()[0]?.setAsideUntil).toBe(site.now + 5 * MINUTE);
  });

  it("is used at once when a new password is configured", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").valid = "a-2";
    await site.ask();
    expect(site.service.reload()).toEqual([]);
    expect(await site.ask()).toMatchObject({ status: 401 });
    site.account("a").current = "a-2";
    expect(site.service.reload()).toEqual(["a"]);
    expect(site.service.state()[0]).not.toHaveProperty("setAsideUntil");
    expect(await site.ask()).toMatchObject({ status: 200 });
    expect(secrets(site.sent)).toBe("a-1 a-2");
  });

  it("goes back to the other password when the one in use is taken away", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").next = "a-2";
    site.service.reload();
    site.account("a").valid = "a-2";
    await site.ask();
    Object.assign(site.account("a"), { next: "", valid: "a-1" });
    site.service.reload();
    expect(await site.ask()).toMatchObject({ status: 200 });
  });

  it("is not set aside for an old answer that comes after the password works again", async () => {
    const site = new FakeSite(["a"]);
    await site.ask();
    site.held = true;
    site.account("a").valid = "elsewhere";
    const early = site.ask("early");
    const late = site.ask("late");
    await settled();
    await site.release(0);
    expect(await early).toMatchObject({ status: 401 });
    site.account("a").valid = "a-1";
    site.held = false;
    site.now += 5 * MINUTE;
    expect(await site.ask()).toMatchObject({ status: 200 });
    await site.release();
    expect(await late).toMatchObject({ status: 200 });
    expect(site.events.filter(({ kind }) => kind === "set-aside")).toHaveLength(1);
  });

  it("is known by what its token endpoint says, which locks nobody out and is asked every minute", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").instead = new TokenError("invalid_client", { detail: "expired", refused: true });
    expect(await site.ask()).toEqual({ status: 401, account: "a" });
    expect(site.service.state()[0]?.problem).toBe("invalid_client: expired");
    for (let second = 0; second < 300; second++, site.now += 1000) await site.ask();
    expect(site.sent).toHaveLength(5);
  });
});

describe("an account that is throttled", () => {
  it("is left alone for as long as the backend says, and others go on", async () => {
    const site = new FakeSite(["a", "b"]);
    site.account("a").instead = answerWith(429, { retryAfter: "30" });
    expect(await site.ask()).toEqual({ status: 200, account: "b" });
    for (let i = 0; i < 5; i++) expect(await site.ask()).toEqual({ status: 200, account: "b" });
    expect(site.service.state()[0]?.pausedUntil).toBe(site.now + 30_000);
    site.account("a").instead = undefined;
    site.now += 30_000;
    expect(await site.ask()).toEqual({ status: 200, account: "a" });
  });

  it.each([
    [undefined, 5_000],
    ["0", 0],
    ["86400", 300_000],
    ["soon", 5_000],
    [new Date(1_012_000).toUTCString(), 12_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ])("is left alone after Retry-After: %s for %i ms", async (retryAfter, ms) => {
    const site = new FakeSite(["a", "b"]);
    site.account("a").instead = answerWith(503, { retryAfter });
    await site.ask();
    expect((site.service.state()[0]?.pausedUntil ?? site.now) - site.now).toBe(ms);
  });

  it("is paused by the backend's own words too, never shorter than before", async () => {
    const site = new FakeSite(["a", "b"]);
    site.service.pause("a", 20_000);
    site.service.pause("a", 1_000);
    site.service.pause("nobody", 1_000);
    for (let i = 0; i < 3; i++) expect(await site.ask()).toMatchObject({ account: "b" });
    expect(site.service.state()[0]?.pausedUntil).toBe(site.now + 20_000);
    expect(site.events).toEqual([{ kind: "paused", account: "a", until: site.now + 20_000 }]);
  });

  it("says busy at once when all are, and for how long", async () => {
    const site = new FakeSite(["a", "b"]);
    site.service.pause("a", 20_000);
    site.service.pause("b", 12_300);
    const { answer, account } = await site.service.post(() => "", new AbortController().signal);
    expect(answer).toMatchObject({ status: 503, retryAfter: "13" });
    expect(account).toBe("b");
    expect(site.sent).toEqual([]);
  });

  it("counts as busy, not as refused, when the others are refused", async () => {
    const site = new FakeSite(["a", "b"]);
    site.account("a").valid = "elsewhere";
    site.account("b").instead = answerWith(503, { retryAfter: "60" });
    expect(await site.ask()).toMatchObject({ status: 503, account: "b" });
    expect(await site.ask()).toMatchObject({ status: 503, account: "b" });
    expect(site.sent).toHaveLength(2);
  });

  it("sends no line of waiting requests after the first, which was to find out the password", async () => {
    const site = new FakeSite(["a"]);
    site.account("a").instead = answerWith(503, { retryAfter: "60" });
    const all = await Promise.all(Array.from({ length: 50 }, () => site.ask()));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([503]));
    expect(site.sent).toHaveLength(1);
  });
});

describe("whatever happens to accounts", () => {
  const account = fc.constantFrom("a", "b", "c");
  const password = fc.constantFrom("1", "2", "3", "wrong");
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ ask: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 4, arbitrary: fc.record({ release: fc.nat(10) }) },
    { weight: 2, arbitrary: fc.record({ account, valid: password }) },
    { weight: 2, arbitrary: fc.record({ account, current: password }) },
    { weight: 2, arbitrary: fc.record({ account, next: fc.oneof(password, fc.constant("")) }) },
    { weight: 1, arbitrary: fc.record({ account, throttle: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ account, pause: fc.integer({ min: 0, max: 100_000 }) }) },
    { weight: 2, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 3_600_000 }) }) },
    { weight: 1, arbitrary: fc.record({ held: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ abort: true as const }) },
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  /** Periods of an account: from a refusal until it may be tried again, a secret changes, or one is accepted. */
  async function play(steps: readonly Step[]) {
    const site = new FakeSite(["a", "b", "c"]);
    const marks: { account: string; at: number }[] = [];
    const abort = new AbortController();
    const asked: Promise<unknown>[] = [];
    const order = () => site.sent.reduce((most, { started, ended = 0 }) => Math.max(most, started, ended), 0);
    for (const one of steps) {
      if ("ask" in one) {
        for (let i = 0; i < one.ask; i++)
          asked.push(site.ask("x", i === 3 ? abort.signal : undefined).catch(() => undefined));
      } else if ("release" in one) await site.release(one.release);
      else if ("valid" in one) site.account(one.account).valid = `${one.account}-${one.valid}`;
      else if ("current" in one || "next" in one) {
        const secret = "current" in one ? one.current : one.next;
        const value = secret === "" ? "" : `${one.account}-${secret}`;
        Object.assign(site.account(one.account), "current" in one ? { current: value } : { next: value });
        if (site.service.reload().includes(one.account)) marks.push({ account: one.account, at: order() + 0.5 });
      } else if ("throttle" in one) {
        site.account(one.account).instead = one.throttle ? answerWith(503, { retryAfter: "90" }) : undefined;
      } else if ("pause" in one) site.service.pause(one.account, one.pause);
      else if ("pass" in one) {
        const before = site.service.state();
        site.now += one.pass;
        for (const state of site.service.state()) {
          const was = before.find(({ name }) => name === state.name);
          if (was?.setAsideUntil !== undefined && state.setAsideUntil === undefined) {
            marks.push({ account: state.name, at: order() + 0.5 });
          }
        }
      } else if ("held" in one) site.held = one.held;
      else abort.abort();
      await settled();
    }
    site.held = false;
    while (site.waiting > 0) await site.release();
    await Promise.all(asked);
    return { site, marks };
  }

  /** Whether the last verdict on a secret before this moment was a good one. Old answers are no verdicts. */
  function acceptedAt(own: readonly SentRequest[], moment: number): boolean {
    let accepted = false;
    let judged = 0;
    for (const { started, ended = Infinity, status } of [...own].sort((x, y) => (x.ended ?? 0) - (y.ended ?? 0))) {
      if (ended >= moment) break;
      const verdict = status === 200 ? true : status === 401 && started > judged ? false : undefined;
      if (verdict === undefined || verdict === accepted) continue;
      accepted = verdict;
      judged = ended;
    }
    return accepted;
  }

  it("no account has more than two refusals in one period, where they come at once, but for what was on its way when it began", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const { site, marks } = await play(steps);
        for (const { name } of site.accounts) {
          const own = site.sent.filter((request) => request.account === name && request.ended !== undefined);
          const begun = marks.filter(({ account }) => account === name).map(({ at }) => at);
          const accepted = own.filter(({ status }) => status === 200).map(({ ended }) => ended as number);
          const ends = [...accepted, ...begun];
          const refused = own
            .filter(({ status }) => status === 401)
            .filter(({ started, ended = 0 }) => !begun.some((at) => at > started && at < ended))
            .sort((x, y) => (x.ended as number) - (y.ended as number));
          let first: SentRequest | undefined;
          let count = 0;
          for (const request of refused) {
            const ended = request.ended as number;
            const before = first?.ended;
            if (before === undefined || ends.some((at) => at > before && at < ended)) {
              first = request;
              count = 1;
            } else if (request.started > before) count++;
            expect(count).toBeLessThanOrEqual(2);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it("no secret that is not accepted is tried by two requests within a second", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const { site } = await play(steps);
        for (const channel of site.channels) {
          const own = site.sent.filter((request) => request.channel === channel && request.ended !== undefined);
          for (const request of own) {
            if (acceptedAt(own, request.started)) continue;
            const others = own.filter(({ started, ended = 0 }) => started < request.started && ended > request.started);
            const trials = others.filter(({ started }) => !acceptedAt(own, started));
            expect(trials).toEqual([]);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  it("no two identities share a channel, and none is closed while it is used", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const { site } = await play(steps);
        for (const { account: name, secret, channel } of site.sent) {
          expect([channel.account.name, channel.secret]).toEqual([name, secret]);
          expect(secret.startsWith(`${name}-`)).toBe(true);
        }
        expect(site.channels.filter(({ closedWhileInUse }) => closedWhileInUse)).toEqual([]);
        const open = site.channels.filter(({ closed }) => !closed).map(({ secret }) => secret);
        expect(new Set(open).size).toBe(open.length);
        for (const { inFlight } of site.service.state()) expect(inFlight).toBe(0);
      }),
      { numRuns: 250 },
    );
  });

  it("no secret is in a state, an event, or anything that can be printed of them", async () => {
    const site = new FakeSite(["a", "b"], ({ name }) => ({
      current: () => `canary-${name}-1`,
      next: () => `canary-${name}-2`,
    }));
    site.account("b").valid = "canary-b-2";
    for (let i = 0; i < 4; i++) await site.ask();
    site.service.pause("b", 1_000);
    const { service, events } = site;
    const printed = inspect([service.state(), events, service.name, service], { depth: 20, showHidden: true });
    expect(`${printed}${JSON.stringify([service.state(), events, service])}`).not.toContain("canary");
  });
});
