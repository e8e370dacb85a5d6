import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { atOnce } from "../../src/directories/in-slices.js";
import { isAddress, RecipientTable } from "../../src/directories/recipient-table.js";
import { differences } from "../../src/directories/table-differences.js";
import { anyRecord, anyRecords, fill, mailbox } from "../support/recipient-records.js";

const table = (records: Iterable<DirectoryRecord>) => fill(new RecipientTable("ad", instant(0)), records);
const between = (before: Iterable<DirectoryRecord>, after: Iterable<DirectoryRecord>) =>
  atOnce(differences(table(before), table(after)));
const people = (...names: string[]) => names.map((name) => `${name}@corp.example`);

const ann = mailbox("exchange", "ann", "anna");
const bob = mailbox("exchange", "bob", "robert");

describe("the differences between two readings", () => {
  it.each<[string, DirectoryRecord[], number, string[]]>([
    ["nothing", [ann, bob], 0, []],
    ["the order of records", [bob, ann], 0, []],
    ["the evidence alone", [{ ...ann, evidence: "other" }, bob], 0, []],
    ["the owner", [{ ...ann, backend: "workmail" }, bob], 1, ["ann", "anna"]],
    ["the kind", [{ ...ann, kind: "group", backend: undefined }, bob], 1, ["ann", "anna"]],
    ["the address at the backend", [mailbox("exchange", "anna", "ann"), bob], 1, ["ann", "anna"]],
    ["an alias more", [mailbox("exchange", "ann", "anna", "annie"), bob], 1, ["ann", "anna", "annie"]],
    ["an alias less", [mailbox("exchange", "ann"), bob], 1, ["ann", "anna"]],
    ["a name of Exchange's more", [{ ...ann, legacyDns: ["/o=corp/cn=ann"] }, bob], 1, ["ann", "anna"]],
    ["somebody new", [ann, mailbox("workmail", "new"), bob], 1, ["new"]],
    ["somebody gone", [bob], 1, ["ann", "anna"]],
    ["an alias that has moved", [mailbox("exchange", "ann"), mailbox("exchange", "bob", "robert", "anna")], 2, []],
    ["everybody gone", [], 2, ["ann", "anna", "bob", "robert"]],
  ])("where it is %s", (_, after, recipients, addresses) => {
    const found = between([ann, bob], after);
    expect(found.recipients).toBe(recipients);
    const expected = addresses.length === 0 && recipients > 0 ? ["ann", "anna", "bob", "robert"] : addresses;
    expect([...found.addresses].sort()).toEqual(people(...expected));
  });

  it("does not take another order of aliases behind the same first one for a difference", () => {
    expect(between([mailbox("w", "a", "b", "c")], [mailbox("w", "a", "c", "b")]).recipients).toBe(0);
  });

  it("is all of them when more than 10,000 addresses are concerned", () => {
    const many = Array.from({ length: 10_001 }, (_, i) => mailbox("exchange", `u${i}`));
    expect(between([], many)).toEqual({ recipients: 10_001, addresses: "all" });
    expect(between([], many.slice(1)).addresses).toHaveLength(10_000);
    expect(between(many, [])).toEqual({ recipients: 10_001, addresses: "all" });
  });

  it("has an address of every claim that is another, and nobody's where none is", () => {
    const evolution = fc
      .tuple(anyRecords, anyRecords, fc.array(fc.nat(), { maxLength: 5 }), anyRecord)
      .map(([before, others, gone, changed]) => {
        const after = before.filter((_, i) => !gone.includes(i));
        return { before, after: [...after, ...others.slice(0, 3), changed] };
      });
    fc.assert(
      fc.property(evolution, ({ before, after }) => {
        const [one, two] = [table(before), table(after)];
        const { addresses, recipients } = atOnce(differences(one, two));
        const keys = [one, two].flatMap((each) => [...each.positions()].flatMap((position) => each.keysAt(position)));
        for (const key of keys.filter(isAddress)) {
          const claims = [one, two].map((each) => ({ ...each.find(key), rule: "", learntAt: 0 }));
          const sets = [one, two].map((each) => [...each.keysOf(key)].sort());
          const isSame = JSON.stringify([claims[0], sets[0]]) === JSON.stringify([claims[1], sets[1]]);
          if (!isSame) expect(addresses).toContain(key);
        }
        if (recipients === 0) expect(addresses).toEqual([]);
        expect(atOnce(differences(one, one))).toEqual({ recipients: 0, addresses: [] });
      }),
      { numRuns: 500 },
    );
  });
});
