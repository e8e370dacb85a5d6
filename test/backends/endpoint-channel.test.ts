/** Several ways to one backend: which is taken, when it is left alone, and when it is tried again. No socket. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { Endpoint } from "../../src/backends/endpoint.js";
import { CircuitOpen, EndpointChannel } from "../../src/backends/endpoint-channel.js";
import { HandshakeFailure } from "../../src/backends/handshake.js";
import { type HttpAnswer, TransportError } from "../../src/backends/http-channel.js";
import { TokenError } from "../../src/backends/token-source.js";
import { answerWith } from "../support/fake-accounts.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** "slow": it answers after seven tenths of the time. */
type Way = HttpAnswer | Error | "hang" | "slow";
const refused = new TransportError("ECONNREFUSED", { cause: undefined });

function setUp(...names: readonly string[]) {
  const told: string[] = [];
  const sent: string[] = [];
  const closed: string[] = [];
  const ways: Record<string, Way> = {};
  const now = () => instant(Date.now());
  const endpoints = names.map(
    (name) =>
      new Endpoint(new URL(`https://${name}.example/EWS`), names.length === 1, now, ({ name, circuit }) => {
        told.push(`${name.split(".")[0]} ${circuit}`);
      }),
  );
  const channel = new EndpointChannel(
    endpoints,
    (url) => {
      const name = url.host.split(".")[0] as string;
      return {
        async post(_, signal) {
          sent.push(name);
          const way = ways[name] ?? answerWith(200);
          if (way === "hang") {
            await new Promise((__, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          }
          if (way instanceof Error) throw way;
          if (way === "slow") {
            await new Promise((resolve, reject) => {
              setTimeout(resolve, 7_000);
              signal.addEventListener("abort", () => reject(signal.reason));
            });
            return answerWith(200);
          }
          return way as HttpAnswer;
        },
        reach: async () => {
          if (ways[name] === "hang") return new Promise(() => undefined);
          if (ways[name] instanceof Error) throw ways[name];
          return 401;
        },
        close: async () => void closed.push(name),
      };
    },
    10_000,
  );
  const post = (ms = 10_000) => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error("time is up")), ms);
    return channel
      .post("question", abort.signal)
      .finally(() => clearTimeout(timer))
      .then(
        ({ status }) => status,
        (error: Error) => (error instanceof TransportError ? error.code : error.message),
      );
  };
  const later = async <T>(ms: number, promise: Promise<T>) => {
    await vi.advanceTimersByTimeAsync(ms);
    return promise;
  };
  return { told, sent, closed, ways, endpoints, channel, post, later };
}

describe("requests over several endpoints", () => {
  it("take the first that works, and make a connection to no other", async () => {
    const { post, sent, channel, closed } = setUp("one", "two");
    expect([await post(), await post()]).toEqual([200, 200]);
    expect(sent).toEqual(["one", "one"]);
    await channel.close();
    expect(closed).toEqual(["one"]);
  });

  it.each([
    ["is not there", refused],
    ["breaks off", new TransportError("ECONNRESET", { cause: undefined })],
    ["has nobody behind it", answerWith(502)],
    ["waits for nobody behind it", answerWith(504)],
  ])("go on to the next when the first %s", async (_, way) => {
    const { post, ways, sent } = setUp("one", "two");
    ways.one = way;
    expect(await post()).toBe(200);
    expect(sent).toEqual(["one", "two"]);
  });

  it("go on from one that is silent when its share of the time is over", async () => {
    const { post, ways, later } = setUp("one", "two");
    ways.one = "hang";
    expect(await later(5_000, post())).toBe(200);
  });

  it("leave the last one all the time that is left", async () => {
    const { post, ways, later } = setUp("one", "two");
    Object.assign(ways, { one: refused, two: "slow" });
    expect(await later(7_000, post())).toBe(200);
  });

  it("end with what the last one said when none works", async () => {
    const { post, ways } = setUp("one", "two");
    Object.assign(ways, { one: refused, two: answerWith(502) });
    expect(await post()).toBe(502);
    Object.assign(ways, { one: answerWith(502), two: refused });
    expect(await post()).toBe("ECONNREFUSED");
  });

  it.each([
    ["a refusal", answerWith(401), 401],
    ["a fault", answerWith(500), 500],
    ["throttling", answerWith(503), 503],
    ["no token", new TokenError("HTTP 500", { detail: "down" }), "HTTP 500"],
    ["no handshake", new HandshakeFailure("SCHEME_NOT_OFFERED", "offered: nothing"), "SCHEME_NOT_OFFERED"],
    ["an answer too large", new TransportError("UND_ERR_RES_EXCEEDED_MAX_SIZE", { cause: 0 }), /EXCEEDED/],
  ])("do not run from %s: it would be the same elsewhere", async (_, way, expected) => {
    const { post, ways, sent, told } = setUp("one", "two");
    ways.one = way;
    for (let i = 0; i < 10; i++) expect(String(await post())).toMatch(new RegExp(expected as string));
    expect([new Set(sent), told]).toEqual([new Set(["one"]), []]);
  });

  it("leave one alone for as long as before when the wall clock is set meanwhile, back or forth", async () => {
    const { post, ways, told } = setUp("one");
    ways.one = refused;
    for (let i = 0; i < 6; i++) await post();
    expect([await post(), told]).toEqual(["CIRCUIT_OPEN", ["one open"]]);
    delete ways.one;
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await post()).toBe("CIRCUIT_OPEN");
    vi.setSystemTime(Date.now() - 7_200_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await post()).toBe(200);
    expect(told).toEqual(["one open", "one half-open", "one closed"]);
  });

  it("leave one alone after five failures, try it with one request, and come back to it", async () => {
    const { post, ways, sent, told, endpoints } = setUp("one", "two");
    ways.one = refused;
    for (let i = 0; i < 8; i++) expect(await post()).toBe(200);
    expect(sent.filter((name) => name === "one")).toHaveLength(5);
    expect(endpoints[0]?.standing).toMatchObject({ name: "one.example", circuit: "open", problem: "ECONNREFUSED" });
    // Still down: the one request that tries it is served elsewhere, and it is left alone for longer.
    await vi.advanceTimersByTimeAsync(1_000);
    expect([await post(), await post()]).toEqual([200, 200]);
    expect(sent.filter((name) => name === "one")).toHaveLength(6);
    await vi.advanceTimersByTimeAsync(1_999);
    await post();
    expect(sent.filter((name) => name === "one")).toHaveLength(6);
    await vi.advanceTimersByTimeAsync(1);
    delete ways.one;
    sent.length = 0;
    expect([await post(), await post()]).toEqual([200, 200]);
    expect(sent).toEqual(["one", "one"]);
    expect(told).toEqual(["one open", "one half-open", "one open", "one half-open", "one closed"]);
    expect(endpoints[0]?.standing).not.toHaveProperty("problem");
  });

  it("while one is tried go to the other, and only one request tries it", async () => {
    const { post, ways, sent, later } = setUp("one", "two");
    ways.one = "hang";
    for (let i = 0; i < 5; i++) await later(5_000, post());
    sent.length = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    const trying = post();
    await vi.advanceTimersByTimeAsync(0);
    expect(await Promise.all([post(), post(), post()])).toEqual([200, 200, 200]);
    expect(sent).toEqual(["one", "two", "two", "two"]);
    expect(await later(5_000, trying)).toBe(200);
  });
});

describe("a lone endpoint", () => {
  it("that fails again and again costs nobody time, and says why", async () => {
    const { post, ways, channel, later, sent } = setUp("one");
    ways.one = "hang";
    for (let i = 0; i < 5; i++) expect(await later(10_000, post())).toBe("time is up");
    expect(await post()).toBe("CIRCUIT_OPEN");
    await expect(channel.post("", new AbortController().signal)).rejects.toThrow(CircuitOpen);
    await expect(channel.post("", new AbortController().signal)).rejects.toMatchObject({
      detail: "one.example after NO_ANSWER",
    });
    expect(sent).toHaveLength(5);
  });

  it("is not blamed by those who had no time left for it", async () => {
    const { post, ways, later, told } = setUp("one");
    ways.one = "hang";
    for (let i = 0; i < 20; i++) expect(await later(1_000, post(1_000))).toBe("time is up");
    expect(told).toEqual([]);
  });

  it("is not blamed for those it leaves without an answer while it answers others", async () => {
    const { post, ways, later, told } = setUp("one");
    ways.one = "hang";
    const silent = Promise.all(Array.from({ length: 10 }, () => post()));
    await vi.advanceTimersByTimeAsync(9_000);
    delete ways.one;
    expect(await post()).toBe(200);
    expect(await later(1_000, silent)).toEqual(Array(10).fill("time is up"));
    expect([await post(), told]).toEqual([200, []]);
    // What it answered before is no excuse.
    ways.one = "hang";
    await later(10_000, Promise.all(Array.from({ length: 5 }, () => post())));
    expect([await post(), told]).toEqual(["CIRCUIT_OPEN", ["one open"]]);
  });

  describe("that is tried", () => {
    /** It has failed too often, and may be tried now. */
    const toBeTried = async () => {
      const site = setUp("one");
      site.ways.one = refused;
      for (let i = 0; i < 5; i++) await site.post();
      delete site.ways.one;
      await vi.advanceTimersByTimeAsync(1_000);
      site.sent.length = 0;
      site.told.length = 0;
      return site;
    };

    it("lets others wait for its fate, and serves them when it answers", async () => {
      const { post, sent } = await toBeTried();
      const asked = Promise.all([post(), post(), post()]);
      expect(sent).toHaveLength(1);
      expect(await asked).toEqual([200, 200, 200]);
    });

    it("keeps nobody waiting for one that hears nothing: the first answer lets all follow", async () => {
      const { post, ways, sent, told, later } = await toBeTried();
      ways.one = "hang";
      const trying = post();
      await vi.advanceTimersByTimeAsync(0);
      delete ways.one;
      const others = Promise.all([post(), post(), post()]);
      await vi.advanceTimersByTimeAsync(999);
      expect(sent).toHaveLength(1);
      expect(await later(1, others)).toEqual([200, 200, 200]);
      // Its silence is no failure: others were answered meanwhile.
      expect(await later(10_000, trying)).toBe("time is up");
      expect([await post(), told]).toEqual([200, ["one half-open", "one closed"]]);
    });

    it("by those who hear nothing is tried by one more after 1, 3 and 7 seconds", async () => {
      const { post, ways, sent } = await toBeTried();
      ways.one = "hang";
      const wentAt: number[] = [];
      for (let second = 0; second < 9; second++) {
        void post();
        await vi.advanceTimersByTimeAsync(0);
        while (wentAt.length < sent.length) wentAt.push(second);
        await vi.advanceTimersByTimeAsync(1_000);
      }
      expect(wentAt).toEqual([0, 1, 3, 7]);
    });

    it("keeps those who have no place beside the others waiting for two seconds at most", async () => {
      const { post, ways, sent } = await toBeTried();
      ways.one = "hang";
      void post();
      await vi.advanceTimersByTimeAsync(0);
      void post();
      let ended: unknown;
      void post().then((how) => {
        ended = how;
      });
      await vi.advanceTimersByTimeAsync(1_999);
      expect([sent.length, ended]).toEqual([2, undefined]);
      await vi.advanceTimersByTimeAsync(1);
      expect([sent.length, ended]).toEqual([2, "CIRCUIT_OPEN"]);
    });

    it("is not there again because whoever tried it gave up early: the next one tries it", async () => {
      const { post, ways, sent, told, later } = await toBeTried();
      ways.one = "hang";
      const trying = post(500);
      await vi.advanceTimersByTimeAsync(0);
      const others = [post(), post()];
      expect(await later(500, trying)).toBe("time is up");
      expect(sent).toHaveLength(2);
      expect(told).toEqual(["one half-open", "one open", "one half-open"]);
      expect(await later(10_000, Promise.all(others))).toEqual(["time is up", "time is up"]);
    });

    it("is not judged by what was sent before it was left alone", async () => {
      const { post, ways, told, later } = setUp("one");
      ways.one = "hang";
      const old = post();
      await vi.advanceTimersByTimeAsync(0);
      ways.one = refused;
      for (let i = 0; i < 5; i++) await post();
      ways.one = "hang";
      await vi.advanceTimersByTimeAsync(9_500);
      const trying = post();
      expect(await later(500, old)).toBe("time is up");
      expect(told).toEqual(["one open", "one half-open"]);
      expect(await later(9_500, trying)).toBe("time is up");
      expect(told).toEqual(["one open", "one half-open", "one open"]);
    });
  });

  it("is never left alone for more than five seconds", async () => {
    const { post, ways, sent } = setUp("one");
    ways.one = refused;
    for (let i = 0; i < 600; i++) {
      await post();
      await vi.advanceTimersByTimeAsync(100);
    }
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(5_000);
    await post();
    expect(sent.length).toBe(before + 1);
    delete ways.one;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await post()).toBe(200);
  });
});

describe("reaching for a backend", () => {
  it.each<[string, Way]>([
    ["is not there", refused],
    ["says nothing", "hang"],
  ])("finds whichever endpoint is there when the first %s", async (_, way) => {
    const { channel, ways } = setUp("one", "two");
    ways.one = way;
    expect(await channel.reach(new AbortController().signal)).toBe(401);
  });

  it("fails as the first in the order does when there is none", async () => {
    const { channel, ways } = setUp("one", "two");
    Object.assign(ways, { one: refused, two: new TransportError("ENOTFOUND", { cause: undefined }) });
    await expect(channel.reach(new AbortController().signal)).rejects.toBe(refused);
  });
});
