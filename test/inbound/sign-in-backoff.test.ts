import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BACKOFF, SignInBackoff } from "../../src/inbound/sign-in-backoff.js";

class Clock {
  at = 1_000_000;
  readonly now = () => this.at;
}

function started() {
  const clock = new Clock();
  return { clock, backoff: new SignInBackoff(BACKOFF, clock.now) };
}

/** Fails as often as is allowed at once. */
function failUntilTold(backoff: SignInBackoff, source: string, account: string): number {
  for (let tries = 0; ; tries++) if (backoff.begin(source, account) > 0) return tries;
}

describe("a source that fails", () => {
  it("may try an account a few times, then waits, twice as long each time, and never longer than the longest", () => {
    const { clock, backoff } = started();
    expect(failUntilTold(backoff, "192.0.2.1", "exchange")).toBe(BACKOFF.freePerAccount + 1);
    const waits: number[] = [];
    for (let i = 0; i < 14; i++) {
      const wait = backoff.waitMs("192.0.2.1", "exchange");
      waits.push(wait);
      clock.at += wait;
      expect(backoff.begin("192.0.2.1", "exchange")).toBe(0);
    }
    expect(waits.slice(0, 5)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(waits.at(-1)).toBe(BACKOFF.longestWaitMs);
  });

  it("waits with all accounts once it has tried many", () => {
    const { backoff } = started();
    let tried = 0;
    while (backoff.begin("192.0.2.1", `name-${tried}`) === 0) tried++;
    expect(tried).toBe(BACKOFF.freePerSource + 1);
    expect(backoff.waitMs("192.0.2.1", "another")).toBeGreaterThan(0);
  });

  it("is one source with all addresses of its /64", () => {
    const { backoff } = started();
    let tried = 0;
    while (backoff.begin(`2001:db8:0:1::${tried.toString(16)}`, "exchange") === 0) tried++;
    expect(tried).toBe(BACKOFF.freePerAccount + 1);
    expect(backoff.waitMs("2001:db8:0:2::1", "exchange")).toBe(0);
  });

  it("is forgiven what is long ago", () => {
    const { clock, backoff } = started();
    failUntilTold(backoff, "192.0.2.1", "exchange");
    clock.at += BACKOFF.forgetMs + BACKOFF.longestWaitMs;
    expect(failUntilTold(backoff, "192.0.2.1", "exchange")).toBe(BACKOFF.freePerAccount + 1);
  });

  it("waits as long for a name of ten thousand characters, which is not kept", () => {
    const { backoff } = started();
    expect(failUntilTold(backoff, "192.0.2.1", "x".repeat(10_000))).toBe(BACKOFF.freePerAccount + 1);
  });

  it("is not counted for what was not checked", () => {
    const { backoff } = started();
    for (let i = 0; i < 1_000; i++) {
      expect(backoff.begin("192.0.2.1", "exchange")).toBe(0);
      backoff.withdrawn("192.0.2.1", "exchange");
    }
  });
});

describe("whoever signs in", () => {
  it("starts anew, but what it tried with other accounts still counts", () => {
    const { backoff } = started();
    for (let i = 0; i < BACKOFF.freePerSource; i++) {
      expect(backoff.begin("192.0.2.1", `victim-${i}`)).toBe(0);
      expect(backoff.begin("192.0.2.1", "own")).toBe(0);
      backoff.succeeded("192.0.2.1", "own");
    }
    expect(backoff.begin("192.0.2.1", "victim-x")).toBe(0);
    expect(backoff.waitMs("192.0.2.1", "victim-y")).toBeGreaterThan(0);
    expect(backoff.waitMs("192.0.2.1", "own")).toBe(0);
  });

  it("is never made to wait by others, whatever they try and from wherever, as long as it is remembered", () => {
    const ips = fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1", "198.51.100.1");
    const names = fc.constantFrom("exchange", "workmail", "eve", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(ips, names, fc.nat(30)), { maxLength: 60 }), (attempts) => {
        const { clock, backoff } = started();
        backoff.begin("192.0.2.1", "exchange");
        backoff.succeeded("192.0.2.1", "exchange");
        for (const [ip, name, times] of attempts) {
          if (ip === "192.0.2.1" && name === "exchange") continue;
          for (let i = 0; i < times; i++) backoff.begin(ip, name);
          clock.at += 50;
          expect(backoff.waitMs("192.0.2.1", "exchange")).toBe(0);
          expect(backoff.isTrusted("192.0.2.1", "exchange")).toBe(true);
        }
      }),
    );
  });

  it("stays remembered when a hundred thousand sources fail", () => {
    const { backoff } = started();
    backoff.begin("192.0.2.1", "exchange");
    backoff.succeeded("192.0.2.1", "exchange");
    for (let i = 0; i < 100_000; i++) backoff.begin(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, "exchange");
    expect(backoff.isTrusted("192.0.2.1", "exchange")).toBe(true);
    expect(backoff.waitMs("192.0.2.1", "exchange")).toBe(0);
  });

  it("is remembered for a day", () => {
    const { clock, backoff } = started();
    backoff.succeeded("192.0.2.1", "exchange");
    clock.at += BACKOFF.trustMs - 1;
    expect(backoff.isTrusted("192.0.2.1", "exchange")).toBe(true);
    clock.at += 1;
    expect(backoff.isTrusted("192.0.2.1", "exchange")).toBe(false);
  });
});
