/**
 * What every directory source promises, whatever it reads from. `make` gives a source over a
 * directory that holds at least:
 *
 * - bob@corp.example, also bob@corp.awsapps.com, whose mailbox the backend "workmail" has;
 * - team@corp.example, a group whose member is bob@corp.example;
 * - perhaps carol@corp.example: a source may know only its own.
 *
 * and nothing under nobody@corp.example, nobody@elsewhere.example or o'brien@corp.example.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import type { DirectoryRecord, DirectorySource } from "../../src/directories/directory-source.js";
import { SourceFailure } from "../../src/proxy/mailbox-directory.js";

export interface MadeSource {
  readonly source: DirectorySource;
  /** Ends what stands behind the source; the suite closes the source itself. */
  close(): Promise<void>;
}

const never = () => new AbortController().signal;
const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const BOB = address("bob@corp.example");
const TEAM = address("team@corp.example");

export async function readEverything(source: DirectorySource, signal = never()): Promise<DirectoryRecord[]> {
  const records: DirectoryRecord[] = [];
  for await (const page of source.readAll(signal)) records.push(...page);
  return records;
}

export function directorySourceContract(name: string, make: () => Promise<MadeSource>): void {
  describe(`${name}, as a directory source`, () => {
    let made: MadeSource;
    let source: DirectorySource;
    beforeAll(async () => {
      made = await make();
      source = made.source;
    });
    afterAll(async () => {
      await source?.close();
      await made?.close();
    });

    it("reads every record with canonical addresses, each once", async () => {
      const records = await readEverything(source);
      expect(records.map((record) => record.addresses)).toContainEqual(expect.arrayContaining([BOB]));
      for (const { addresses } of records) {
        expect(addresses.length).toBeGreaterThan(0);
        expect(addresses.map(parseMailboxAddress)).toEqual(addresses);
        expect(new Set(addresses).size).toBe(addresses.length);
      }
    });

    it("gives no address to two owners", async () => {
      const owners = new Map<MailboxAddress, string | undefined>();
      for (const { addresses, backend } of await readEverything(source)) {
        for (const one of addresses) {
          expect(owners.has(one) ? owners.get(one) : backend).toBe(backend);
          owners.set(one, backend);
        }
      }
    });

    it("knows who has bob's mailbox, under both of his addresses", async () => {
      for (const one of [BOB, address("bob@corp.awsapps.com")]) {
        const record = await source.readOne(one, never());
        expect(record).toMatchObject({ kind: "mailbox", backend: "workmail" });
        expect([...(record?.addresses ?? [])].sort()).toEqual(
          expect.arrayContaining(["bob@corp.awsapps.com", "bob@corp.example"]),
        );
      }
    });

    it("gives by any address the record that it gives when read in whole", async () => {
      for (const record of await readEverything(source))
        for (const one of record.addresses) expect(await source.readOne(one, never())).toEqual(record);
    });

    it("tells why without naming anybody", async () => {
      for (const { evidence, addresses } of await readEverything(source)) {
        expect(evidence).not.toBe("");
        expect(evidence).not.toContain("@");
        for (const one of addresses) expect(evidence).not.toContain(one);
      }
    });

    it("knows a group as a group that no backend has", async () => {
      expect(await source.readOne(TEAM, never())).toMatchObject({ kind: "group", backend: undefined });
    });

    it.each(["nobody@corp.example", "nobody@elsewhere.example", "o'brien@corp.example"])(
      "has no record of %s, and that is no error",
      async (text) => {
        expect(await source.readOne(address(text), never())).toBeUndefined();
        expect(await source.readMembers(address(text), 100, never())).toBeUndefined();
      },
    );

    it("reads the members of a group", async () => {
      expect(await source.readMembers(TEAM, 100, never())).toMatchObject({ addresses: [BOB], without: 0 });
    });

    it("does not take a mailbox for a group", async () => {
      expect(await source.readMembers(BOB, 100, never())).toBeUndefined();
    });

    it("rejects at once when the signal is aborted already, and answers the next question", async () => {
      const aborted = AbortSignal.abort();
      await expect(source.readOne(BOB, aborted)).rejects.toThrow();
      await expect(source.readMembers(TEAM, 100, aborted)).rejects.toBeInstanceOf(SourceFailure);
      await expect(readEverything(source, aborted)).rejects.toThrow();
      expect(await source.readOne(BOB, never())).toBeDefined();
    });

    it("rejects when the signal is aborted on the way", async () => {
      const abort = new AbortController();
      const asked = expect(source.readOne(BOB, abort.signal)).rejects.toThrow();
      abort.abort();
      await asked;
    });

    it("may be left half way through, and closed twice", async () => {
      const another = await make();
      for await (const _ of another.source.readAll(never())) break;
      await another.source.close();
      await another.source.close();
      await another.close();
    });
  });
}
