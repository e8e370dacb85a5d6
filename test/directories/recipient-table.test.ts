import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { KeyIndex } from "../../src/directories/key-index.js";
import { isAddress, keysOf, RecipientTable } from "../../src/directories/recipient-table.js";
import { LONGEST_KEY } from "../../src/directories/record-chunks.js";
import { legacyKey, type RecipientKey } from "../../src/proxy/mailbox-directory.js";
import { address, anyRecords, fill, group, mailbox, owners, ownKeys } from "../support/recipient-records.js";

const table = (records: Iterable<DirectoryRecord>) => fill(new RecipientTable("ad", instant(7)), records);
const all = (one: RecipientTable) => [...one.positions()].map((position) => one.recordAt(position));

describe("a table of recipients", () => {
  it("finds a recipient under each address and name, with the first address, the evidence and the age", () => {
    const bob = { ...mailbox("workmail", "bob@corp.awsapps.com", "bob"), legacyDns: ["/o=Corp/cn=Bob"] };
    const one = table([mailbox("exchange", "ann"), bob, group("team")]);
    const claim = {
      kind: "mailbox",
      backend: "workmail",
      address: "bob@corp.awsapps.com",
      rule: "ad: type of workmail",
      learntAt: 7,
    };
    for (const key of [...bob.addresses, legacyKey("/O=CORP/CN=BOB")]) expect(one.find(key)).toEqual(claim);
    expect(one.addressesOf(legacyKey("/o=corp/cn=bob"))).toEqual(bob.addresses);
    expect(one.find(address("team@corp.example"))).toMatchObject({ kind: "group", backend: undefined });
    expect(one.find(address("nobody@corp.example"))).toBeUndefined();
    expect(one.recipients).toBe(3);
  });

  it("knows of any records what a plain map of them knows", () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (records, others) => {
        const one = table(records);
        const map = owners(records);
        for (const key of [...records, ...others].flatMap(keysOf)) {
          const owner = map.get(key);
          const expected = owner && {
            kind: owner.kind,
            backend: owner.backend,
            address: owner.addresses[0],
            rule: `ad: ${owner.evidence}`,
            learntAt: 7,
          };
          expect(one.find(key)).toEqual(expected);
          expect([...one.keysOf(key)]).toEqual(owner === undefined ? [] : ownKeys(map, owner));
          expect([...one.addressesOf(key)]).toEqual(one.keysOf(key).filter(isAddress));
        }
        expect(one.recipients).toBe(new Set(map.values()).size);
        const foreign = records.map((record) => keysOf(record).filter((key) => map.get(key) !== record).length);
        expect(one.conflicts).toBe(foreign.reduce((sum, count) => sum + count, 0));
      }),
      { numRuns: 500 },
    );
  });

  it("gives back every record it keeps, in order, so that another table of them is the same", () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const map = owners(records);
        const kept = records.filter((record) => ownKeys(map, record).length > 0);
        const first = table(records);
        expect(all(first).map(({ addresses }) => addresses)).toEqual(kept.map(({ addresses }) => addresses));
        const second = table(all(first));
        expect(all(second)).toEqual(all(first));
        for (const key of map.keys()) expect(second.find(key)).toEqual(first.find(key));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves a key to the record that came first with it, and counts the others", () => {
    const one = table([
      mailbox("exchange", "shared", "ann"),
      mailbox("workmail", "shared", "bob"),
      mailbox("workmail", "ann", "shared"),
    ]);
    expect(one.find(address("shared@corp.example"))).toMatchObject({ backend: "exchange" });
    expect(one.addressesOf(address("bob@corp.example"))).toEqual(["bob@corp.example"]);
    // Under which address its backend knows bob is another matter than whom the address leads to.
    expect(one.find(address("bob@corp.example"))).toMatchObject({ address: "shared@corp.example" });
    expect([one.recipients, one.conflicts]).toEqual([2, 3]);
  });

  it("does not take a record that comes twice for two recipients", () => {
    const bob = mailbox("workmail", "bob", "robert");
    expect(table([bob, mailbox("exchange", "ann"), bob]).recipients).toBe(2);
  });

  it("takes a key that its record has twice for one", () => {
    const twice = { ...mailbox("workmail", "bob", "bob"), legacyDns: ["/o=Corp/cn=Bob", "/o=corp/cn=bob"] };
    const one = table([twice]);
    expect(one.conflicts).toBe(0);
    expect(all(one)).toEqual([{ ...mailbox("workmail", "bob"), legacyDns: ["/o=corp/cn=bob"] }]);
  });

  it("keeps 10,000 records and the one address that all of them have", () => {
    const records = Array.from({ length: 10_000 }, (_, i) => mailbox(`b${i % 3}`, `u${i}`, "info"));
    const one = table(records);
    expect([one.recipients, one.conflicts]).toEqual([10_000, 9_999]);
    expect(one.find(address("info@corp.example"))).toMatchObject({ address: "u0@corp.example" });
    for (const { addresses, backend } of records) expect(one.find(addresses[0])).toMatchObject({ backend });
  });

  it.each([4_000, 65_536, 70_000])("keeps a record of %i aliases, and what comes after it", (count) => {
    const names = Array.from({ length: count }, (_, i) => `alias-${"x".repeat(i % 20)}${i}`);
    const large = mailbox("workmail", ...(names as [string, ...string[]]));
    const records = [mailbox("exchange", "before"), large, mailbox("exchange", "after")];
    const one = table(records);
    expect(one.addressesOf(large.addresses[count - 1] as never)).toEqual(large.addresses);
    expect(all(one).map(({ addresses }) => addresses)).toEqual(records.map(({ addresses }) => addresses));
  });

  it("loses nothing where records meet the ends of chunks, whatever their length", () => {
    const records = Array.from({ length: 40_000 }, (_, i) =>
      mailbox("workmail", `${i}${"x".repeat((i * 7) % 50)}`, i % 5 === 0 ? `日${i}` : `a${i}`),
    );
    const one = table(records);
    expect(all(one).map(({ addresses }) => addresses)).toEqual(records.map(({ addresses }) => addresses));
    for (const { addresses } of records) {
      for (const key of addresses) expect(one.find(key)?.address).toBe(addresses[0]);
    }
  });

  it("keeps names as long as any directory has, and leaves longer ones out", () => {
    const [longest, longer] = [LONGEST_KEY - "x500:".length, LONGEST_KEY].map((length) => "/cn=日".padEnd(length, "n"));
    const one = table([{ ...mailbox("exchange", "ann"), legacyDns: [longest as string, longer as string] }]);
    expect(one.find(legacyKey(longest as string))).toMatchObject({ address: "ann@corp.example" });
    expect(one.find(legacyKey(longer as string))).toBeUndefined();
    expect(one.find(address("ann@corp.example"))).toBeDefined();
  });

  it("finds nobody under nonsense, and throws at none", () => {
    const one = table([mailbox("exchange", "ann")]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
        expect(one.find(text as RecipientKey)).toBeUndefined();
        expect(one.addressesOf(text as RecipientKey)).toEqual([]);
      }),
    );
    expect(new RecipientTable("ad", instant(0)).find(address("ann@corp.example"))).toBeUndefined();
  });
});

describe("the index of keys", () => {
  it("compares texts about once for a key that is there, and never for one that is not", () => {
    const texts: string[] = [];
    let compared = 0;
    const index = new KeyIndex(
      {
        holds: (offset, codeUnits, length) => {
          compared++;
          return texts[offset - 1] === String.fromCharCode(...codeUnits.subarray(0, length));
        },
      },
      100,
    );
    const keys = Array.from({ length: 20_000 }, (_, i) => `user${i}@corp.example`);
    for (const key of keys) {
      expect(index.find(key)).toBe(0);
      index.insertSought(texts.push(key));
    }
    expect(compared).toBeLessThan(20);
    keys.forEach((key, i) => {
      expect(index.find(key)).toBe(i + 1);
    });
    expect(compared).toBeLessThan(20_100);
    for (let i = 0; i < 10_000; i++) index.find("user7@corp.example");
    expect(compared).toBeLessThan(30_200);
  });
});
