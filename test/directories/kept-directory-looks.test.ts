import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import type { KeptDirectory } from "../../src/directories/kept-directory.js";
import { legacyKey, type RecipientKey, SourceFailure } from "../../src/proxy/mailbox-directory.js";
import { gate } from "../support/fake-directory-source.js";
import {
  ann,
  BEGIN,
  bob,
  clock,
  moveTimeByHand,
  never,
  numbered,
  people,
  refresh,
  start,
  until,
} from "../support/kept-directory.js";
import { address, anyRecords, group, mailbox } from "../support/recipient-records.js";

moveTimeByHand();

describe("looking again", () => {
  it("claims under each address what the source says now, and tells of it", async () => {
    const made = await start([bob(), ann()]);
    made.source.records = [mailbox("exchange", "bob@corp.example", "bob@corp.awsapps.com", "robert", "bobby"), ann()];
    clock.now += 7;
    expect(await made.look("robert")).toBe(true);
    for (const one of people("bob", "bob@corp.awsapps.com", "robert", "bobby")) {
      expect(made.directory.find(one)).toMatchObject({ backend: "exchange", learntAt: BEGIN + 7 });
      expect(made.directory.addressesOf(one)).toHaveLength(4);
    }
    expect(made.changes.map((one) => [...one].sort())).toEqual([
      people("bob", "bob@corp.awsapps.com", "robert", "bobby").sort(),
    ]);
    expect(made.find("ann")).toMatchObject({ learntAt: BEGIN });
  });

  it("tells nothing when the claim is the same, and still has learnt it now", async () => {
    const made = await start([bob()]);
    clock.now += 7;
    await made.look("bob");
    expect(made.changes).toEqual([]);
    expect(made.find("robert")?.learntAt).toBe(BEGIN + 7);
  });

  it("takes a recipient that is gone from its primary address away under all of its addresses and names", async () => {
    const made = await start([{ ...bob(), legacyDns: ["/o=corp/cn=bob"] }, ann()]);
    made.source.records = [ann()];
    expect(await made.look("bob")).toBe(true);
    for (const key of [...bob().addresses, legacyKey("/o=corp/cn=bob")]) {
      expect(made.directory.find(key)).toBeUndefined();
      expect(made.directory.addressesOf(key)).toEqual([]);
    }
    expect(made.changes.map((one) => [...one].sort())).toEqual([
      people("bob", "bob@corp.awsapps.com", "robert").sort(),
    ]);
    expect(made.find("ann")).toBeDefined();
  });

  it.each(["reading", "look"])(
    "takes away an alias that is gone, and leaves the rest as the last %s had it",
    async (by) => {
      const made = await start([{ ...bob(), legacyDns: ["/o=corp/cn=bob"] }]);
      if (by === "look") await made.look("bob");
      clock.now += 30_000;
      made.source.records = [mailbox("workmail", "bob", "bob@corp.awsapps.com")];
      expect(await made.look("robert")).toBe(true);
      expect(made.find("robert")).toBeUndefined();
      expect(made.directory.addressesOf(address("robert@corp.example"))).toEqual([]);
      const rest = people("bob", "bob@corp.awsapps.com");
      for (const key of [...rest, legacyKey("/o=corp/cn=bob")]) {
        expect(made.directory.find(key)).toMatchObject({ backend: "workmail", address: "bob@corp.example" });
        expect(made.directory.addressesOf(key)).toEqual(rest);
      }
    },
  );

  it("finds whom the last reading did not know", async () => {
    const made = await start([ann()]);
    made.source.records = [ann(), bob()];
    await made.look("bob");
    expect(made.find("robert")).toMatchObject({ backend: "workmail" });
    expect(made.changes).toHaveLength(1);
  });

  it("forgets an alias that the recipient no longer has, but asks about it when it matters", async () => {
    const made = await start([bob()]);
    made.source.records = [mailbox("workmail", "bob"), mailbox("exchange", "robert")];
    await made.look("bob");
    expect(made.find("robert")).toBeUndefined();
    expect(await made.look("robert")).toBe(true);
    expect(made.find("robert")).toMatchObject({ backend: "exchange" });
    expect(made.find("bob")).toMatchObject({ backend: "workmail" });
  });

  it("leaves the former owner of an address that has moved all its others", async () => {
    const made = await start([bob(), ann()]);
    made.source.records = [mailbox("exchange", "ann", "robert"), mailbox("workmail", "bob", "bob@corp.awsapps.com")];
    await made.look("robert");
    expect(made.find("robert")).toMatchObject({ backend: "exchange", address: "ann@corp.example" });
    expect(made.directory.addressesOf(address("bob@corp.example"))).toEqual(people("bob", "bob@corp.awsapps.com"));
    expect(made.directory.addressesOf(address("ann@corp.example"))).toEqual(people("ann", "robert"));
  });

  it("asks once within half a minute, about any address of a recipient that is there", async () => {
    const made = await start([bob()]);
    await made.look("bob");
    clock.now += 29_999;
    expect(await made.look("robert")).toBe(true);
    expect(made.source.count("one")).toBe(1);
    clock.now += 1;
    await made.look("robert");
    expect(made.source.count("one")).toBe(2);
  });

  it("believes that nobody is there for the address that was asked about only", async () => {
    const made = await start([bob()]);
    made.source.records = [mailbox("workmail", "robert")];
    await made.look("bob");
    await made.look("bob");
    expect(made.source.count("one")).toBe(1);
    expect(made.find("robert")).toBeUndefined();
    await made.look("robert");
    expect(made.source.count("one")).toBe(2);
    expect(made.find("robert")).toBeDefined();
  });

  it("shares a look that is under way, which ends with the last who waits for it", async () => {
    const made = await start([bob()]);
    const { passed, open } = gate();
    let signal: AbortSignal | undefined;
    made.source.before = (_, given) => {
      signal = given;
      return passed;
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const looks = [made.look("bob", first.signal), made.look("bob", second.signal), made.look("bob")];
    first.abort();
    expect(await looks[0]).toBe(false);
    expect(signal?.aborted).toBe(false);
    second.abort();
    expect(await looks[1]).toBe(false);
    expect(signal?.aborted).toBe(false);
    open();
    expect(await looks[2]).toBe(true);
    expect(made.source.count("one")).toBe(1);
  });

  it("gives up a look that nobody waits for, does not believe what comes of it, and looks anew", async () => {
    const made = await start([bob()]);
    const { passed, open } = gate();
    let signal: AbortSignal | undefined;
    made.source.before = (_, given) => {
      signal = given;
      return passed;
    };
    const abort = new AbortController();
    const look = made.look("bob", abort.signal);
    abort.abort();
    expect(await look).toBe(false);
    expect(signal?.aborted).toBe(true);
    made.source.records = [];
    open();
    await turn();
    expect(made.find("bob")).toBeDefined();
    expect(await made.look("bob")).toBe(true);
    expect(made.source.count("one")).toBe(2);
  });

  it("does not ask for somebody who has given up already", async () => {
    const made = await start([bob()]);
    expect(await made.look("bob", AbortSignal.abort())).toBe(false);
    expect(made.source.count("one")).toBe(0);
  });

  it("is false when the source cannot be asked; claims and state stay", async () => {
    const made = await start([bob()]);
    made.source.failing = true;
    expect(await made.look("bob")).toBe(false);
    expect(made.find("bob")).toBeDefined();
    expect(made.directory.state().problem).toBeUndefined();
    made.source.failing = false;
    expect(await made.look("bob")).toBe(true);
  });

  it("waits its turn beyond twenty at a time, and is false at once when five hundred wait already", async () => {
    const made = await start(numbered(521));
    const { passed, open } = gate();
    let atOnce = 0;
    let mostAtOnce = 0;
    made.source.before = async () => {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await passed;
      atOnce--;
    };
    const looks = Array.from({ length: 520 }, (_, i) => made.look(`u${i}`));
    expect(await made.look("u520")).toBe(false);
    const shared = made.look("u3");
    open();
    expect(await Promise.all([...looks, shared])).toEqual(Array(521).fill(true));
    expect(mostAtOnce).toBe(20);
    expect(await made.look("u520")).toBe(true);
  });

  it("does not count against a look that began later and has ended first", async () => {
    const made = await start([bob()]);
    const { passed, open } = gate();
    made.source.before = (what) => (what.includes("robert") ? passed : undefined);
    const slow = made.look("robert");
    clock.now += 5;
    made.source.records = [{ ...bob(), backend: "exchange" }];
    await made.look("bob");
    made.source.records = [bob()];
    open();
    expect(await slow).toBe(true);
    for (const one of bob().addresses) {
      expect(made.directory.find(one)).toMatchObject({ backend: "exchange", learntAt: BEGIN + 5 });
    }
  });

  it("counts until a reading that began later has ended, and not a moment longer", async () => {
    const made = await start([bob(), ann()]);
    made.source.records = [ann()];
    clock.now += 1;
    await made.look("bob");
    // The next reading begins after the look, and finds bob again.
    made.source.records = [bob(), ann()];
    made.changes.length = 0;
    const seen: boolean[] = [];
    made.source.before = () => seen.push(made.find("bob") === undefined);
    expect(await refresh(made)).toMatchObject({ changed: 0 });
    expect(seen).toEqual([true, true, true]);
    expect(made.find("bob")).toBeDefined();
    expect(made.changes.flat().sort()).toEqual(people("bob", "bob@corp.awsapps.com", "robert").sort());
  });

  it("counts for longer than a reading that began before it", async () => {
    const made = await start([bob(), ann()]);
    await until(() => vi.getTimerCount() === 1);
    made.source.before = async (what) => {
      if (what !== "page 2") return;
      made.source.before = () => undefined;
      clock.now += 10;
      made.source.records = [ann()];
      await made.look("bob");
    };
    await refresh(made);
    expect(made.find("bob")).toBeUndefined();
    made.source.records = [ann(), bob()];
    await refresh(made);
    expect(made.find("bob")).toBeDefined();
  });

  it("does not count when a reading that began later has ended first", async () => {
    const made = await start([bob(), ann()], { refreshMs: 10_000 });
    const { passed, open } = gate();
    made.source.before = (what) => (what.startsWith("one") ? passed : undefined);
    await until(() => vi.getTimerCount() === 1);
    const look = made.look("bob");
    await refresh(made, 10_000);
    made.source.records = [];
    open();
    expect(await look).toBe(true);
    expect(made.find("bob")).toBeDefined();
  });

  it("is remembered for the last 10,000 addresses", async () => {
    const made = await start([]);
    made.source.records = [bob()];
    await made.look("bob");
    made.source.records = [];
    for (let i = 0; i < 9_997; i++) await made.look(`x${i}`);
    expect(made.find("bob")).toBeDefined();
    await made.look("one-more");
    expect(made.find("bob")).toBeUndefined();
    expect(made.find("robert")).toBeUndefined();
  });

  it("leaves every recipient the same under each of its keys, whatever was seen in which order", async () => {
    const steps = fc.array(fc.record({ records: anyRecords, look: fc.boolean(), at: fc.nat(), later: fc.nat(2) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(anyRecords, steps, async (records, sequence) => {
        const made = await start(records);
        const keys = new Set<RecipientKey>(records.flatMap(({ addresses }) => addresses));
        for (const step of sequence) {
          clock.now += step.later * 20_000;
          made.source.records = step.records;
          made.source.pageSize = 100;
          for (const { addresses } of step.records) for (const one of addresses) keys.add(one);
          const [...all] = keys as Set<MailboxAddress>;
          if (step.look && all.length > 0) {
            await made.directory.lookAgain(all[step.at % all.length] as MailboxAddress, never);
          } else await refresh(made);
          for (const key of keys) {
            const claim = made.directory.find(key);
            const addresses = made.directory.addressesOf(key);
            expect(addresses.includes(key as MailboxAddress)).toBe(claim !== undefined);
            for (const one of addresses) {
              expect(made.directory.find(one)).toEqual(claim);
              expect([...made.directory.addressesOf(one)].sort()).toEqual([...addresses].sort());
            }
          }
        }
        await made.directory.stop();
      }),
      { numRuns: 60 },
    );
  });
});

describe("the members of a group", () => {
  const members = (made: { directory: KeptDirectory }, limit = 10, signal = never) =>
    made.directory.members(address("team@corp.example"), limit, signal);

  it("are read once within five minutes", async () => {
    const made = await start([bob(), ann(), group("team")]);
    const expected = { addresses: people("bob", "ann"), without: 1 };
    expect(await members(made)).toEqual(expected);
    made.source.records = [bob(), group("team")];
    clock.now += 299_999;
    expect(await members(made)).toEqual(expected);
    clock.now += 1;
    expect(await members(made)).toEqual({ addresses: people("bob"), without: 1 });
    expect(made.source.count("members")).toBe(2);
  });

  it("are read once by many at the same time, and again for another limit", async () => {
    const made = await start([bob(), group("team")]);
    await Promise.all([members(made), members(made), members(made)]);
    expect(made.source.count("members")).toBe(1);
    await members(made, 11);
    expect(made.source.count("members")).toBe(2);
  });

  it("are remembered as none where there is no such group", async () => {
    const made = await start([bob()]);
    expect(await members(made)).toBeUndefined();
    made.source.records = [group("team")];
    expect(await members(made)).toBeUndefined();
    expect(made.source.count("members")).toBe(1);
  });

  it("are asked for again after a failure", async () => {
    const made = await start([bob(), group("team")]);
    made.source.failing = true;
    const asked = members(made);
    await expect(asked).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(asked).rejects.toBeInstanceOf(SourceFailure);
    made.source.failing = false;
    expect(await members(made)).toBeDefined();
  });

  it("are no longer waited for by whoever has given up", async () => {
    const made = await start([bob(), group("team")]);
    made.source.before = () => new Promise(() => undefined);
    const abort = new AbortController();
    const asked = members(made, 10, abort.signal);
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: "Aborted" });
  });
});
