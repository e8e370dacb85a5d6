import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { DAY_MS, type InstantMs, instant } from "../../src/availability/time-window.js";
import type { PinnedMailbox } from "../../src/directories/pinned-index.js";
import { PinnedMailboxes } from "../../src/directories/pinned-mailboxes.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { mailboxDirectoryContract } from "../contracts/mailbox-directory-contract.js";

const at = (name: string) => `${name}@corp.example` as MailboxAddress;
const row = (names: string, backend: string, from?: number, until?: number): PinnedMailbox => ({
  addresses: names.split(" ").map(at) as [MailboxAddress, ...MailboxAddress[]],
  backend,
  from: from === undefined ? undefined : instant(from),
  until: until === undefined ? undefined : instant(until),
  rule: `list: ${names.length}`,
});

mailboxDirectoryContract("a pinned list", async () => {
  const clock = { now: instant(1000) };
  const directory = new PinnedMailboxes({
    name: "list",
    rows: [row("bob b.smith", "workmail"), row("eve", "exchange", 500)],
    now: () => clock.now,
  });
  return {
    directory,
    known: [[at("bob"), at("b.smith")], [at("eve")]],
    now: () => clock.now,
    change: async () => void directory.replace([row("bob", "exchange")]),
    close: async () => directory.stop(),
  };
});

describe("a pinned mailbox", () => {
  const list = (...rows: PinnedMailbox[]) => new PinnedMailboxes({ name: "list", rows, now: () => instant(0) });
  const owner = (directory: PinnedMailboxes, name: string, now: number) =>
    directory.find(at(name), instant(now))?.backend;

  it("belongs to its owner under every address, and is known there by the first", () => {
    const directory = list(row("bob b.smith bob.smith", "workmail"));
    for (const name of ["bob", "b.smith", "bob.smith"]) {
      expect(directory.find(at(name), instant(0))).toEqual({
        kind: "mailbox",
        backend: "workmail",
        address: at("bob"),
        rule: expect.stringMatching(/^list: /),
        learntAt: 0,
      });
    }
    expect(directory.find(legacyKey("/o=corp/cn=bob"), instant(0))).toBeUndefined();
  });

  it("moves at the planned instant itself, not a millisecond earlier or later", () => {
    const directory = list(row("bob", "exchange"), row("bob", "workmail", 1000, 2000));
    expect([999, 1000, 1999, 2000].map((now) => owner(directory, "bob", now))).toEqual([
      "exchange",
      "workmail",
      "workmail",
      "exchange",
    ]);
  });

  it("is as in the row that begins last, of equals the first, whatever the order they are written in", () => {
    const rows = [row("bob", "a", 5), row("bob", "b"), row("bob", "c", 9), row("bob", "d", 5)];
    expect([0, 5, 9].map((now) => owner(list(...rows), "bob", now))).toEqual(["b", "a", "c"]);
    expect([0, 5, 9].map((now) => owner(list(...rows.toReversed()), "bob", now))).toEqual(["b", "d", "c"]);
  });

  it("is found as a plain reading of the list finds it, at any instant", () => {
    const someRow = fc.record({
      addresses: fc.uniqueArray(fc.constantFrom(...["a", "b", "c"].map(at)), { minLength: 1 }),
      backend: fc.constantFrom("exchange", "workmail"),
      from: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
      until: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
      rule: fc.constantFrom("list: 1", "list: 2"),
    });
    fc.assert(
      fc.property(fc.array(someRow, { maxLength: 8 }), fc.integer({ min: -1, max: 10 }), (rows, now) => {
        const directory = list(...(rows as unknown as PinnedMailbox[]));
        for (const key of ["a", "b", "c", "d"].map(at)) {
          let best: (typeof rows)[number] | undefined;
          for (const one of rows) {
            if (!one.addresses.includes(key) || (one.from ?? -1) > now || now >= (one.until ?? 11)) continue;
            if (best === undefined || (one.from ?? -1) > (best.from ?? -1)) best = one;
          }
          const found = directory.find(key, instant(now));
          expect(found && [found.backend, found.address, found.rule]).toEqual(
            best && [best.backend, best.addresses[0], best.rule],
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("has all addresses of all rows that lead to it now, and none that leads elsewhere by then", () => {
    const clock = { now: instant(0) };
    const directory = new PinnedMailboxes({
      name: "list",
      rows: [row("bob b.smith", "workmail"), row("bob bobby", "workmail"), row("bobby", "exchange", 10)],
      now: () => clock.now,
    });
    for (const name of ["bob", "b.smith", "bobby"]) {
      expect([...directory.addressesOf(at(name))].sort()).toEqual([at("b.smith"), at("bob"), at("bobby")]);
    }
    clock.now = instant(10);
    expect(directory.addressesOf(at("b.smith"))).toEqual([at("bob"), at("b.smith")]);
    expect(directory.addressesOf(at("bobby"))).toEqual([at("bobby")]);
  });
});

describe("a list that has been replaced", () => {
  it("was nothing to go by before the first", () => {
    const directory = new PinnedMailboxes({ name: "list", now: () => instant(7) });
    expect(directory.state()).toEqual({ from: "none", recipients: 0, readAt: undefined, problem: undefined });
    directory.replace([row("bob b.smith", "workmail"), row("eve", "workmail", 1), row("eve", "workmail", 2)]);
    expect(directory.state()).toEqual({ from: "live", recipients: 2, readAt: 7, problem: undefined });
  });

  const course = (rows: readonly PinnedMailbox[], key: MailboxAddress, now: number) => {
    const directory = new PinnedMailboxes({ name: "list", rows, now: () => instant(0) });
    return Array.from({ length: 12 - now }, (_, i) => {
      const claim = directory.find(key, instant(now + i));
      return claim && [claim.backend, claim.address];
    });
  };
  const someRows = fc.array(
    fc
      .tuple(
        fc.constantFrom("a", "b", "c", "a b", "b a", "c b"),
        fc.constantFrom("exchange", "workmail"),
        fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
        fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
      )
      .map(([names, backend, from, until]) => row(names, backend, from, until)),
    { maxLength: 5 },
  );

  it.each(["replace", "replaceInSlices"] as const)(
    "tells of exactly the addresses whose owner differs, now or at any time to come (%s)",
    async (way) => {
      await fc.assert(
        fc.asyncProperty(someRows, someRows, fc.integer({ min: 0, max: 10 }), async (before, after, now) => {
          const directory = new PinnedMailboxes({ name: "list", rows: before, now: () => instant(now) });
          const told: MailboxAddress[] = [];
          directory.onChange((changed) => told.push(...(changed as MailboxAddress[])));
          const count = await directory[way](after);
          directory.stop();
          const expected = ["a", "b", "c"].map(at).filter((key) => {
            return JSON.stringify(course(before, key, now)) !== JSON.stringify(course(after, key, now));
          });
          expect(told.sort()).toEqual(expected);
          expect(count).toBe(expected.length);
        }),
        { numRuns: 500 },
      );
    },
  );

  it("tells nobody of the same list with its lines moved", () => {
    const directory = new PinnedMailboxes({ name: "list", rows: [row("bob", "workmail", 5)], now: () => instant(0) });
    const listener = vi.fn();
    directory.onChange(listener);
    directory.replace([{ ...row("bob", "workmail", 5), rule: "list: line 99" }]);
    directory.stop();
    expect(listener).not.toHaveBeenCalled();
    expect(directory.find(at("bob"), instant(5))?.rule).toBe("list: line 99");
  });

  it("tells of many addresses in portions, each once, when all of them are in force", async () => {
    const directory = new PinnedMailboxes({ name: "list", now: () => instant(0) });
    const last = at("user1999");
    const told: MailboxAddress[][] = [];
    directory.onChange((changed) => {
      expect(directory.find(last, instant(0))?.backend).toBe("exchange");
      told.push(changed as MailboxAddress[]);
    });
    const rows = Array.from({ length: 2000 }, (_, i) => row(`user${i}`, "exchange"));
    expect(await directory.replaceInSlices(rows)).toBe(2000);
    expect(told.map(({ length }) => length)).toEqual([500, 500, 500, 500]);
    expect(new Set(told.flat()).size).toBe(2000);
  });

  it("counts when it was asked for later, though it was ready sooner", async () => {
    const directory = new PinnedMailboxes({ name: "list", now: () => instant(0) });
    const rows = Array.from({ length: 1000 }, (_, i) => row(`user${i}`, "exchange"));
    const slow = directory.replaceInSlices(rows);
    directory.replace([row("bob", "workmail")]);
    expect(await slow).toBe(0);
    expect(directory.find(at("bob"), instant(0))?.backend).toBe("workmail");
    expect(directory.find(at("user1"), instant(0))).toBeUndefined();
  });
});

describe("word of a planned move", () => {
  const START = Date.UTC(2026, 6, 1);
  let told: [now: number, changed: unknown][];
  let directory: PinnedMailboxes;
  const now = (): InstantMs => instant(Date.now());
  const begin = (...rows: PinnedMailbox[]) => {
    directory = new PinnedMailboxes({ name: "list", rows, now });
    directory.onChange((changed) => told.push([Date.now() - START, changed]));
  };
  beforeEach(() => {
    vi.useFakeTimers({ now: START });
    told = [];
  });
  afterEach(() => {
    directory.stop();
    vi.useRealTimers();
  });

  it("comes at every instant written in the list, with the addresses it is about", () => {
    begin(
      row("bob b.smith", "workmail", START + 1000, START + 5000),
      row("eve", "workmail", START + 1000),
      row("old", "workmail", START - 1000, START),
    );
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([
      [1000, [at("bob"), at("b.smith"), at("eve")]],
      [5000, [at("bob"), at("b.smith")]],
    ]);
  });

  it("comes after the claim has changed", () => {
    begin(row("bob", "workmail", START + 1000));
    const found: unknown[] = [];
    directory.onChange(() => found.push(directory.find(at("bob"), now())?.backend));
    vi.advanceTimersByTime(1000);
    expect(found).toEqual(["workmail"]);
  });

  it("comes on the day, though that is farther away than a timer can wait", () => {
    begin(row("bob", "workmail", START + 100 * DAY_MS));
    vi.advanceTimersByTime(100 * DAY_MS - 1);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([[100 * DAY_MS, [at("bob")]]]);
  });

  it("comes again after a timer that was early by the clock", () => {
    let slowBy = 3;
    directory = new PinnedMailboxes({
      name: "list",
      rows: [row("bob", "workmail", START + 1000)],
      now: () => instant(Date.now() - slowBy),
    });
    directory.onChange((changed) => told.push([Date.now() - START, changed]));
    slowBy = 5;
    vi.advanceTimersByTime(1004);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([[1005, [at("bob")]]]);
  });

  it("follows the new list, and no instant is lost that came while the list was replaced", () => {
    begin(row("bob", "workmail", START + 1000), row("eve", "workmail", START + 9000));
    // The clock moves on, the timer has had no chance yet.
    vi.setSystemTime(START + 1000);
    directory.replace([row("bob", "workmail", START + 1000), row("eve", "workmail", START + 3000)]);
    expect(told).toEqual([[1000, [at("bob"), at("eve")]]]);
    vi.advanceTimersByTime(20_000);
    expect(told.slice(1)).toEqual([[3000, [at("eve")]]]);
  });

  it("ends with stop", () => {
    begin(row("bob", "workmail", START + 1000));
    directory.stop();
    directory.replace([row("eve", "workmail", START + 1000)]);
    told = [];
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
