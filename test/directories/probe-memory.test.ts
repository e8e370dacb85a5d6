import { describe, expect, it } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { mailboxDirectoryContract } from "../contracts/mailbox-directory-contract.js";

const at = (name: string) => `${name}@corp.example` as MailboxAddress;
const BOB = at("bob");
const ALIAS = at("b.smith");
const THERE = "bob@corp.awsapps.com" as MailboxAddress;
const LEGACY = legacyKey("/o=Corp/cn=Bob");

mailboxDirectoryContract("the probe memory", async () => {
  const directory = new ProbeMemory({ now: () => instant(1000) });
  directory.learn(BOB, "workmail", THERE, directory.forgotten);
  directory.learn(LEGACY, "workmail", THERE, directory.forgotten);
  directory.learn(at("eve"), "exchange", at("eve"), directory.forgotten);
  return {
    directory,
    known: [[BOB, THERE, LEGACY], [at("eve")]],
    now: () => instant(1000),
    change: async () => directory.learn(BOB, "exchange", BOB, directory.forgotten),
  };
});

describe("the probe memory", () => {
  const remembering = (options: { maximumMailboxes?: number; rememberMs?: number } = {}) => {
    const clock = { now: 0 };
    const memory = new ProbeMemory({ ...options, now: () => instant(clock.now) });
    const told: (readonly MailboxAddress[] | "all")[] = [];
    memory.onChange((changed) => told.push(changed === "all" ? changed : [...changed].sort()));
    const owner = (key: Parameters<ProbeMemory["find"]>[0]) => memory.find(key, instant(clock.now))?.backend;
    return { memory, clock, told, owner };
  };

  it("knows where a mailbox was found, and says how it knows", () => {
    const { memory } = remembering();
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    expect(memory.find(BOB, instant(0))).toEqual({
      kind: "mailbox",
      backend: "workmail",
      address: THERE,
      rule: "probe: found there when its presumed owner did not know it",
      learntAt: 0,
    });
    expect(memory.addressesOf(BOB)).toEqual([THERE, BOB]);
  });

  it("forgets after an hour to the millisecond, counted from the last time it was found there", () => {
    const { memory, clock, owner } = remembering();
    memory.learn(BOB, "workmail", BOB, memory.forgotten);
    clock.now = 3_599_999;
    expect(owner(BOB)).toBe("workmail");
    memory.learn(BOB, "workmail", BOB, memory.forgotten);
    clock.now += 3_599_999;
    expect(owner(BOB)).toBe("workmail");
    expect(memory.state().recipients).toBe(1);
    clock.now++;
    expect(owner(BOB)).toBeUndefined();
    expect(memory.addressesOf(BOB)).toEqual([]);
    expect(memory.state().recipients).toBe(0);
  });

  it("tells of what is new to it, and not of what it knew", () => {
    const { memory, clock, told } = remembering({ rememberMs: 100 });
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    expect(told).toEqual([[THERE, BOB].sort()]);
    clock.now = 100;
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    expect(told).toHaveLength(2);
  });

  it("tells under which address a mailbox was found that was asked for by its legacy name", () => {
    const { memory, told } = remembering();
    memory.learn(LEGACY, "workmail", THERE, memory.forgotten);
    expect(told).toEqual([[THERE]]);
    expect(memory.addressesOf(LEGACY)).toEqual([THERE]);
  });

  it("keeps several keys of one mailbox together", () => {
    const { memory, told, owner } = remembering();
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    memory.learn(ALIAS, "workmail", THERE, memory.forgotten);
    expect([...memory.addressesOf(BOB)].sort()).toEqual([ALIAS, THERE, BOB].sort());
    expect(memory.state().recipients).toBe(1);
    memory.forget(ALIAS);
    expect([BOB, ALIAS, THERE].map(owner)).toEqual([undefined, undefined, undefined]);
    expect(told.at(-1)).toEqual([ALIAS, THERE, BOB].sort());
  });

  it("no longer leads anybody to where a mailbox was before it was found elsewhere", () => {
    const { memory, told, owner } = remembering();
    memory.learn(BOB, "workmail", THERE, memory.forgotten);
    memory.learn(ALIAS, "workmail", THERE, memory.forgotten);
    memory.learn(BOB, "exchange", BOB, memory.forgotten);
    expect([BOB, ALIAS, THERE].map(owner)).toEqual(["exchange", undefined, undefined]);
    expect(told.at(-1)).toEqual([ALIAS, THERE, BOB].sort());
  });

  it("does not learn what was seen before it was forgotten, under either address, or before all was", () => {
    for (const forget of [
      (memory: ProbeMemory) => memory.forget(BOB),
      (memory: ProbeMemory) => memory.forget(THERE),
      (memory: ProbeMemory) => memory.forgetAll(),
    ]) {
      const { memory, owner } = remembering();
      memory.forget(BOB);
      const asked = memory.forgotten;
      memory.forget(ALIAS);
      memory.learn(BOB, "workmail", THERE, asked);
      expect(owner(BOB)).toBe("workmail");
      forget(memory);
      memory.learn(BOB, "workmail", THERE, asked);
      expect(owner(BOB)).toBeUndefined();
      memory.learn(BOB, "workmail", THERE, memory.forgotten);
      expect(owner(BOB)).toBe("workmail");
    }
  });

  it("rather learns nothing than what may have been forgotten, where it has lost count", () => {
    const { memory, owner } = remembering({ maximumMailboxes: 10 });
    const asked = memory.forgotten;
    memory.forget(BOB);
    for (let i = 0; i < 100; i++) memory.forget(at(`user${i}`));
    memory.learn(BOB, "workmail", BOB, asked);
    expect(owner(BOB)).toBeUndefined();
    memory.learn(BOB, "workmail", BOB, memory.forgotten - 10);
    expect(owner(BOB)).toBe("workmail");
  });

  it("says nothing when it is to forget what it does not know", () => {
    const { memory, clock, told } = remembering({ rememberMs: 100 });
    memory.forget(BOB);
    memory.learn(BOB, "workmail", BOB, memory.forgotten);
    clock.now = 100;
    memory.forget(BOB);
    expect(told).toEqual([[BOB]]);
  });

  it("holds no more mailboxes than it may, and forgets those seen longest ago", () => {
    const { memory, owner } = remembering({ maximumMailboxes: 10 });
    for (let i = 0; i < 100; i++) {
      memory.learn(at(`user${i}`), "workmail", `user${i}@corp.awsapps.com` as MailboxAddress, memory.forgotten);
      memory.learn(BOB, "workmail", BOB, memory.forgotten);
    }
    expect(memory.state().recipients).toBe(10);
    expect([at("user90"), at("user91"), at("user99"), BOB].map(owner)).toEqual([
      undefined,
      ...Array(3).fill("workmail"),
    ]);
    expect(owner("user90@corp.awsapps.com" as MailboxAddress)).toBeUndefined();
  });
});
