import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { LdapDirectory, type LdapDirectoryOptions } from "../../src/directories/ldap-directory.js";
import { directorySourceContract, readEverything } from "../contracts/directory-source-contract.js";
import {
  ACTIVE_DIRECTORY_MISSING,
  type ActiveDirectory,
  DOMAIN_DN,
  hasActiveDirectory,
  startActiveDirectory,
} from "../support/active-directory.js";
import {
  address,
  COMMON,
  CONTRACT_DN,
  codeOf,
  contractEntries,
  never,
  PEOPLE_DN,
  unit,
} from "../support/ldap-recipients.js";
import type { NewEntry } from "../support/ldif.js";
import { startRelay } from "../support/relay.js";

if (!hasActiveDirectory) process.stderr.write(ACTIVE_DIRECTORY_MISSING);

const person = (cn: string, more: Omit<NewEntry, "dn">): NewEntry => ({
  dn: `CN=${cn},${PEOPLE_DN}`,
  objectClass: "user",
  ...more,
});
const group = (cn: string, members: string[], more: Omit<NewEntry, "dn"> = {}): NewEntry => ({
  dn: `CN=${cn},${PEOPLE_DN}`,
  objectClass: "group",
  proxyAddresses: `SMTP:${cn}@corp.example`,
  ...(members.length === 0 ? {} : { member: members.map((member) => `CN=${member},${PEOPLE_DN}`) }),
  ...more,
});
const ODD_NAME = 'O\\"Hara\\, Zoë (Room 5\\\\6) *\\=\\<x\\>\\; \\+1';
const MANY = ["m1", "m2", "m3", "m4", "m5", "m6", "m7"];
const PEOPLE: readonly NewEntry[] = [
  unit(PEOPLE_DN),
  person("alice", {
    mail: "alice@corp.example",
    proxyAddresses: ["smtp:alice.smith@corp.example", "SMTP:Alice@corp.example", "X500:/o=Old/cn=alice"],
    legacyExchangeDN: "/o=Corp/ou=First/cn=Recipients/cn=alice",
    msExchRecipientTypeDetails: "1",
  }),
  person("erin", {
    mail: "erin@corp.example",
    targetAddress: "erin@corp.awsapps.com",
    msExchRecipientTypeDetails: "34359738368",
  }),
  person("room", { proxyAddresses: "SMTP:room@corp.example", msExchRecipientTypeDetails: "16" }),
  person("remote", {
    mail: "remote@corp.example",
    targetAddress: "SMTP:remote@tenant.example",
    msExchRecipientTypeDetails: "2147483648",
  }),
  person("forwarded", {
    mail: "forwarded@corp.example",
    targetAddress: "SMTP:forwarded@elsewhere.example",
    msExchRecipientTypeDetails: "1",
  }),
  person("darcy", { mail: "d'arcy@corp.example", msExchRecipientTypeDetails: "1" }),
  person("star", { mail: "a*b@corp.example", msExchRecipientTypeDetails: "1" }),
  person("starred", { mail: "a-and-b@corp.example", msExchRecipientTypeDetails: "1" }),
  person("mueller", { mail: "müller@corp.example", msExchRecipientTypeDetails: "1" }),
  person("idn", { mail: "idn@Bücher.example", msExchRecipientTypeDetails: "1" }),
  person("garbage", { mail: "(x)\\@corp.example", proxyAddresses: "smtp:nonsense" }),
  person("half", { mail: "x(y)\\z@corp.example", proxyAddresses: "smtp:half@corp.example" }),
  person("nomail", {}),
  person(ODD_NAME, { mail: "odd@corp.example", msExchRecipientTypeDetails: "1" }),
  {
    dn: `CN=to alice,${PEOPLE_DN}`,
    objectClass: "contact",
    mail: "to.alice@corp.example",
    targetAddress: "SMTP:alice@corp.example",
    msExchRecipientTypeDetails: "64",
  },
  ...MANY.map((name) => person(name, { mail: `${name}@corp.example` })),
  group("nested", ["alice"]),
  group("all", ["alice", "erin", "nomail", ODD_NAME, "to alice", "nested"], { msExchRecipientTypeDetails: "256" }),
  group("many", MANY),
  group("empty", []),
  group("dynamic", [], { msExchRecipientTypeDetails: "2048" }),
];

/** TCP connections open from here to there. */
function connectionsTo(url: string): number {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.split(".").reverse();
  const hex = (number: number, digits: number) => number.toString(16).toUpperCase().padStart(digits, "0");
  const remote = `${host.map((part) => hex(Number(part), 2)).join("")}:${hex(Number(port) || (protocol === "ldaps:" ? 636 : 389), 4)}`;
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  return lines.filter((line) => line.trim().split(/\s+/)[2] === remote && / 01 /.test(line)).length;
}

describe.skipIf(!hasActiveDirectory)("Active Directory", () => {
  let ad: ActiveDirectory;
  let people: LdapDirectory;
  const sources: LdapDirectory[] = [];
  const source = (change: Partial<LdapDirectoryOptions> = {}) => {
    const made = new LdapDirectory({ ...COMMON, url: ad.ldapsUrl, tls: { ca: ad.ca }, ...change });
    sources.push(made);
    return made;
  };
  beforeAll(async () => {
    ad = await startActiveDirectory([...contractEntries(["user"], ["group"]), ...PEOPLE]);
    people = source({ baseDn: PEOPLE_DN });
  }, 120_000);
  afterAll(async () => {
    for (const one of sources) await one.close();
    await ad?.remove();
  });

  directorySourceContract("Active Directory", async () => ({
    source: source({ baseDn: CONTRACT_DN }),
    close: async () => {},
  }));

  describe("reading everything", () => {
    it("comes in pages, and has every recipient with its owner", async () => {
      const pages: (readonly DirectoryRecord[])[] = [];
      for await (const page of people.readAll(never())) pages.push(page);
      expect(pages.length).toBeGreaterThan(10);
      expect(Math.max(...pages.map((page) => page.length))).toBe(2);
      const owners = Object.fromEntries(pages.flat().map(({ addresses, backend }) => [addresses[0], backend ?? ""]));
      expect(owners).toEqual({
        "alice@corp.example": "exchange",
        "erin@corp.awsapps.com": "workmail",
        "room@corp.example": "exchange",
        "remote@tenant.example": "",
        "forwarded@corp.example": "exchange",
        "d'arcy@corp.example": "exchange",
        "a*b@corp.example": "exchange",
        "a-and-b@corp.example": "exchange",
        "müller@corp.example": "exchange",
        "idn@xn--bcher-kva.example": "exchange",
        "half@corp.example": "exchange",
        "odd@corp.example": "exchange",
        "nested@corp.example": "",
        "all@corp.example": "",
        "many@corp.example": "",
        "empty@corp.example": "",
        "dynamic@corp.example": "",
        ...Object.fromEntries(MANY.map((name) => [`${name}@corp.example`, "exchange"])),
      });
    });

    it("leaves the references to other parts of the forest out", async () => {
      const all = await readEverything(source({ baseDn: DOMAIN_DN, pageSize: 500 }));
      expect(all.length).toBe((await readEverything(people)).length + 3);
    });

    it("may be left after a page, which closes its connection", async () => {
      // What the test before has closed may take a moment to be gone.
      let before = -1;
      await vi.waitFor(
        () => {
          const last = before;
          before = connectionsTo(ad.ldapsUrl);
          expect(before).toBe(last);
        },
        { interval: 300, timeout: 5000 },
      );
      for await (const _ of people.readAll(never())) {
        expect(connectionsTo(ad.ldapsUrl)).toBe(before + 1);
        break;
      }
      await vi.waitFor(() => expect(connectionsTo(ad.ldapsUrl)).toBe(before));
    });

    it("ends with an error when it is given up between two pages", async () => {
      const abort = new AbortController();
      const pages = people.readAll(abort.signal);
      await pages.next();
      abort.abort();
      expect(await codeOf(pages.next())).toBe("Aborted");
    });

    it("does not disturb look-ups in between, nor they it", async () => {
      const records: DirectoryRecord[] = [];
      for await (const page of people.readAll(never())) {
        records.push(...page);
        for (const { addresses } of page) expect(await people.readOne(addresses[0], never())).toBeDefined();
      }
      expect(records).toEqual(await readEverything(people));
    });
  });

  describe("looking up one", () => {
    it.each([
      ["alice@corp.example", "alice@corp.example", "exchange"],
      ["ALICE.Smith@corp.example", "alice@corp.example", "exchange"],
      ["erin@corp.example", "erin@corp.awsapps.com", "workmail"],
      ["erin@corp.awsapps.com", "erin@corp.awsapps.com", "workmail"],
      ["room@corp.example", "room@corp.example", "exchange"],
      ["remote@corp.example", "remote@tenant.example", undefined],
      ["remote@tenant.example", "remote@tenant.example", undefined],
      ["d'arcy@corp.example", "d'arcy@corp.example", "exchange"],
      ["a*b@corp.example", "a*b@corp.example", "exchange"],
      ["MÜLLER@corp.example", "müller@corp.example", "exchange"],
      ["idn@bücher.example", "idn@xn--bcher-kva.example", "exchange"],
      ["half@corp.example", "half@corp.example", "exchange"],
    ])("%s is found as %s of %s", async (asked, first, backend) => {
      const record = await people.readOne(address(asked), never());
      expect(record?.addresses[0]).toBe(first);
      expect(record?.backend).toBe(backend);
    });

    it.each([
      "*@corp.example",
      "a*@corp.example",
      "muller@corp.example",
      "nomail@corp.example",
      "forwarded@elsewhere.example",
    ])("%s is nobody's address", async (asked) => {
      expect(await people.readOne(address(asked), never())).toBeUndefined();
    });

    it("brings X.500 names and why", async () => {
      expect(await people.readOne(address("alice@corp.example"), never())).toEqual({
        kind: "mailbox",
        backend: "exchange",
        addresses: ["alice@corp.example", "alice.smith@corp.example"],
        legacyDns: ["/o=Corp/ou=First/cn=Recipients/cn=alice", "/o=Old/cn=alice"],
        evidence: "msExchRecipientTypeDetails 1 (user mailbox)",
      });
    });

    it("a number beyond 32 bits arrives whole", async () => {
      const record = await people.readOne(address("erin@corp.example"), never());
      expect(record?.evidence).toBe(
        "msExchRecipientTypeDetails 34359738368 (remote shared mailbox), target in another system",
      );
    });

    it("sees what has changed since", async () => {
      const asked = () => people.readOne(address("new@corp.example"), never());
      expect(await asked()).toBeUndefined();
      await ad.add([person("new", { mail: "new@corp.example" })]);
      expect(await asked()).toBeDefined();
    });
  });

  describe("reading members", () => {
    const members = (name: string, limit = 100) => people.readMembers(address(name), limit, never());

    it("names people, contacts and groups one level deep, and counts who has no address", async () => {
      const read = await members("all@corp.example");
      expect([...(read?.addresses ?? [])].sort()).toEqual([
        "alice@corp.example",
        "erin@corp.example",
        "nested@corp.example",
        "odd@corp.example",
        "to.alice@corp.example",
      ]);
      expect(read?.without).toBe(1);
    });

    it.each([
      [6, 7],
      [7, 7],
      [100, 7],
      [3, 4],
      [1, 2],
      [0, 1],
    ])("with a limit of %i, %i of seven are read", async (limit, count) => {
      const read = await members("many@corp.example", limit);
      expect(new Set(read?.addresses).size).toBe(count);
      expect(read?.without).toBe(0);
    });

    it("an empty group has none", async () => {
      expect(await members("empty@corp.example")).toEqual({ addresses: [], without: 0 });
    });

    it("a group that only Exchange can expand is an error, not an empty group", async () => {
      expect(await codeOf(members("dynamic@corp.example"))).toBe("DynamicGroup");
    });
  });

  describe("its connection", () => {
    const ALICE = address("alice@corp.example");

    it("is one for all look-ups at once, and bound before the first", async () => {
      const before = connectionsTo(ad.ldapsUrl);
      const fresh = source({ baseDn: PEOPLE_DN });
      const found = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          i % 2 === 0 ? fresh.readOne(ALICE, never()) : fresh.readMembers(address("nested@corp.example"), 5, never()),
        ),
      );
      expect(found.every((one) => one !== undefined)).toBe(true);
      expect(connectionsTo(ad.ldapsUrl)).toBe(before + 1);
      await fresh.close();
      await vi.waitFor(() => expect(connectionsTo(ad.ldapsUrl)).toBe(before));
      expect(await codeOf(fresh.readOne(ALICE, never()))).toBe("Closed");
    });

    it("is closed after a while without questions, and opened again for the next", async () => {
      const before = connectionsTo(ad.ldapsUrl);
      const fresh = source({ baseDn: PEOPLE_DN, idleMs: 30 });
      for (let i = 0; i < 2; i++) {
        expect(await fresh.readOne(ALICE, never())).toBeDefined();
        await vi.waitFor(() => expect(connectionsTo(ad.ldapsUrl)).toBe(before));
      }
    });

    it.each<[string, () => Partial<LdapDirectoryOptions>]>([
      ["StartTLS", () => ({ url: ad.ldapUrl, startTls: true })],
      ["the name of a user", () => ({ bindDn: "svc@corp.example" })],
      ["the global catalog", () => ({ url: `${ad.ldapsUrl}:3269` })],
    ])("works with %s", async (_, change) => {
      expect(await source(change()).readOne(ALICE, never())).toBeDefined();
      expect((await readEverything(source(change()))).length).toBeGreaterThan(20);
    });

    it.each<[string, string, () => Partial<LdapDirectoryOptions>]>([
      ["a wrong password", "InvalidCredentials", () => ({ password: "wrong" })],
      ["an unknown account", "InvalidCredentials", () => ({ bindDn: `CN=nobody,${DOMAIN_DN}` })],
      ["a password in the clear", "StrongAuthRequired", () => ({ url: ad.ldapUrl })],
      ["an authority that is not trusted", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", () => ({ tls: {} })],
      [
        "the same over StartTLS",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        () => ({ tls: {}, url: ad.ldapUrl, startTls: true }),
      ],
      ["nobody there", "ECONNREFUSED", () => ({ url: `${ad.ldapsUrl}:9` })],
      ["another base than there is", "NoSuchObject", () => ({ baseDn: `OU=Nowhere,${DOMAIN_DN}` })],
    ])("with %s, everything ends in %s", async (_, code, change) => {
      const refused = source({ ...change() });
      expect(await codeOf(refused.readOne(ALICE, never()))).toBe(code);
      expect(await codeOf(readEverything(refused))).toBe(code);
      expect(await codeOf(refused.readMembers(ALICE, 5, never()))).toBe(code);
    });

    it("says why Active Directory refused the bind", async () => {
      await expect(source({ password: "wrong" }).readOne(ALICE, never())).rejects.toThrow(
        "the directory refused the bind: the account or its password is wrong",
      );
    });

    it("is refused when the certificate is somebody else's", async () => {
      const relay = await startRelay(new URL(ad.ldapsUrl).hostname, 636);
      const elsewhere = source({ url: `ldaps://127.0.0.1:${relay.port}` });
      expect(await codeOf(elsewhere.readOne(ALICE, never()))).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
      await relay.close();
    });

    it("does not wait longer than it may for a silent server, and gives up at once when told to", async () => {
      const patient = source({ baseDn: PEOPLE_DN });
      const hasty = source({ baseDn: PEOPLE_DN, timeoutMs: 400 });
      for (const one of [patient, hasty]) await one.readOne(ALICE, never());
      ad.server.pause();
      try {
        const abort = new AbortController();
        const givenUp = codeOf(patient.readOne(ALICE, abort.signal));
        expect(await codeOf(hasty.readOne(ALICE, never()))).toBe("ETIMEDOUT");
        expect(await codeOf(hasty.readOne(ALICE, never()))).toBe("ETIMEDOUT");
        expect(await codeOf(readEverything(hasty))).toBe("ETIMEDOUT");
        abort.abort();
        expect(await givenUp).toBe("Aborted");
      } finally {
        ad.server.resume();
      }
      expect(await hasty.readOne(ALICE, never())).toBeDefined();
    });

    it("ends a reading with an error when the server dies between two pages", async () => {
      const pages = people.readAll(never());
      expect((await pages.next()).done).toBe(false);
      await ad.server.kill();
      try {
        expect(await codeOf(pages.next())).toMatch(/^ConnectionClosed|ECONNRESET|EPIPE$/);
        expect((await pages.next()).done).toBe(true);
      } finally {
        await ad.server.start();
      }
      expect((await readEverything(people)).length).toBeGreaterThan(20);
    });

    it("ends a reading with an error when the server dies while it is asked", async () => {
      const pages = people.readAll(never());
      await pages.next();
      ad.server.pause();
      const failing = codeOf(pages.next());
      await ad.server.kill();
      try {
        expect(await failing).toMatch(/^ConnectionClosed|ECONNRESET|EPIPE$/);
      } finally {
        await ad.server.start();
      }
    });

    it.each(["ldaps", "StartTLS"])("is replaced when the server was restarted, over %s", async (way) => {
      const kept = source({ baseDn: PEOPLE_DN, ...(way === "ldaps" ? {} : { url: ad.ldapUrl, startTls: true }) });
      expect(await kept.readOne(ALICE, never())).toBeDefined();
      await ad.server.kill();
      try {
        expect(await codeOf(kept.readOne(ALICE, never()))).toBe("ECONNREFUSED");
      } finally {
        await ad.server.start();
      }
      expect(await kept.readOne(ALICE, never())).toBeDefined();
      await ad.server.kill();
      await ad.server.start();
      expect(await kept.readOne(ALICE, never())).toBeDefined();
    });
  });
});
