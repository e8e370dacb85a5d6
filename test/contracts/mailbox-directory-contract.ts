/**
 * What every mailbox directory promises, whatever it knows its claims from. `make` gives one
 * that holds at least one recipient, says under which keys, and knows neither
 * nobody@nowhere.example nor the legacy DN /o=nobody.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import type { InstantMs } from "../../src/availability/time-window.js";
import { legacyKey, type MailboxDirectory, type RecipientKey } from "../../src/proxy/mailbox-directory.js";

export interface MadeMailboxDirectory {
  readonly directory: MailboxDirectory;
  /** For each recipient that is to be looked at, keys that lead to it; the first is an address. */
  readonly known: readonly (readonly [MailboxAddress, ...RecipientKey[]])[];
  /** The directory's clock. */
  now(): InstantMs;
  /** Makes the claim on the first recipient another one, or takes it away. Left out when claims never change. */
  change?(): Promise<void>;
  close?(): Promise<void>;
}

const NOBODY = parseMailboxAddress("nobody@nowhere.example") as MailboxAddress;
const ODD_KEYS = ["", "@", "x500:", "X500:/O=NOBODY", "__proto__", "constructor", "\u0000", "a\ud800@b", "é@x", "日@x"];

export function mailboxDirectoryContract(name: string, make: () => Promise<MadeMailboxDirectory>): void {
  describe(`${name}, as a mailbox directory`, () => {
    let made: MadeMailboxDirectory;
    let directory: MailboxDirectory;
    beforeAll(async () => {
      made = await make();
      directory = made.directory;
    });
    afterAll(() => made?.close?.());

    it("claims the same of a recipient under each of its keys", () => {
      expect(made.known.length).toBeGreaterThan(0);
      for (const keys of made.known) {
        const claim = directory.find(keys[0], made.now());
        expect(claim).toBeDefined();
        for (const key of keys) expect(directory.find(key, made.now())).toEqual(claim);
        for (const address of directory.addressesOf(keys[0])) {
          expect(directory.find(address, made.now())).toEqual(claim);
        }
      }
    });

    it("gives for each key the same addresses, distinct and canonical, an address itself among them", () => {
      for (const keys of made.known) {
        const addresses = directory.addressesOf(keys[0]);
        expect(new Set(addresses).size).toBe(addresses.length);
        expect(addresses.map(parseMailboxAddress)).toEqual(addresses);
        for (const key of keys) {
          expect([...directory.addressesOf(key)].sort()).toEqual([...addresses].sort());
          if (!key.startsWith("x500:")) expect(addresses).toContain(key);
        }
      }
    });

    it("names itself and the evidence in a claim, but nobody's address", () => {
      for (const [key] of made.known) {
        const claim = directory.find(key, made.now());
        expect(claim?.rule.startsWith(`${directory.name}: `)).toBe(true);
        expect(claim?.rule).not.toContain("@");
        expect(parseMailboxAddress(claim?.address ?? "")).toBe(claim?.address);
      }
    });

    it("claims of no group that a backend has it", () => {
      for (const [key] of made.known) {
        const claim = directory.find(key, made.now());
        if (claim?.kind === "group") expect(claim.backend).toBeUndefined();
      }
    });

    it("has learnt nothing in the future", () => {
      for (const [key] of made.known) {
        expect(directory.find(key, made.now())?.learntAt).toBeLessThanOrEqual(made.now());
      }
    });

    it("has neither claim nor address of somebody it does not know", () => {
      for (const key of [NOBODY, legacyKey("/o=nobody")]) {
        expect(directory.find(key, made.now())).toBeUndefined();
        expect(directory.addressesOf(key)).toEqual([]);
      }
    });

    it("takes any text for a key without throwing, and finds nobody under nonsense", () => {
      for (const odd of [...ODD_KEYS, "long".repeat(100_000), `x500:${"/cn=a".repeat(20_000)}`]) {
        expect(directory.find(odd as RecipientKey, made.now())).toBeUndefined();
        expect(directory.addressesOf(odd as RecipientKey)).toEqual([]);
      }
    });

    it("says of itself what fits what it holds", () => {
      const { from, recipients, readAt, problem } = directory.state();
      expect(["live", "snapshot"]).toContain(from);
      expect(recipients).toBeGreaterThanOrEqual(made.known.length);
      if (readAt !== undefined) expect(readAt).toBeLessThanOrEqual(made.now());
      expect(problem).not.toBe("");
    });

    it("looks again without ever rejecting, also for nobody and for who has given up", async () => {
      if (directory.lookAgain === undefined) return;
      const [[known]] = made.known as [[MailboxAddress]];
      const before = directory.find(known, made.now());
      expect(typeof (await directory.lookAgain(known, AbortSignal.abort()))).toBe("boolean");
      expect(typeof (await directory.lookAgain(NOBODY, new AbortController().signal))).toBe("boolean");
      expect(directory.find(NOBODY, made.now())).toBeUndefined();
      expect(directory.find(known, made.now())).toEqual(before);
    });

    it("has no members of a group that it does not know", async () => {
      if (directory.members === undefined) return;
      expect(await directory.members(NOBODY, 10, new AbortController().signal)).toBeUndefined();
    });

    it("tells of a change once the new claim is there, with an address of whom it concerns", async () => {
      if (made.change === undefined) return;
      const [[known]] = made.known as [[MailboxAddress]];
      const before = directory.find(known, made.now());
      const addresses = directory.addressesOf(known);
      const seen: unknown[] = [];
      const told = new Set<MailboxAddress | "all">();
      directory.onChange((changed) => {
        seen.push(directory.find(known, made.now()));
        for (const one of changed === "all" ? (["all"] as const) : changed) told.add(one);
      });
      await made.change();
      const after = directory.find(known, made.now());
      expect(after).not.toEqual(before);
      expect(seen).toContainEqual(after);
      expect([...addresses, "all" as const].some((one) => told.has(one))).toBe(true);
    });
  });
}
