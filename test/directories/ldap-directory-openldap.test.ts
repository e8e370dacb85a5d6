import { PresenceFilter } from "ldapts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LdapConnection } from "../../src/directories/ldap-connection.js";
import { LdapDirectory, type LdapDirectoryOptions } from "../../src/directories/ldap-directory.js";
import { directorySourceContract, readEverything } from "../contracts/directory-source-contract.js";
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
import { type Relay, startRelay } from "../support/relay.js";
import { hasSlapd, SLAPD_MISSING, type Slapd, startSlapd } from "../support/slapd.js";

if (!hasSlapd) process.stderr.write(SLAPD_MISSING);

const USER = ["user", "mailRecipient"];
const GROUP = ["group", "mailRecipient"];
const recipient = (cn: string, objectClass: string[], more: Omit<NewEntry, "dn">): NewEntry => ({
  dn: `CN=${cn},${PEOPLE_DN}`,
  objectClass,
  cn,
  ...more,
});
const FRANK = address("frank@corp.example");
const PEOPLE: readonly NewEntry[] = [
  unit(PEOPLE_DN),
  recipient("to frank", USER, { mail: "to.frank@corp.example", targetAddress: "SMTP:frank@corp.example" }),
  recipient("frank", USER, { mail: "frank@corp.example", msExchRecipientTypeDetails: "1" }),
  recipient("gina", USER, { mail: "gina@corp.example" }),
  recipient("left", GROUP, {
    mail: "left@corp.example",
    member: ["gone", "gina", "frank"].map((cn) => `CN=${cn},${PEOPLE_DN}`),
  }),
  recipient("folder", USER, { mail: "folder@corp.example", msExchRecipientTypeDetails: "4096" }),
  recipient("filed", GROUP, {
    mail: "filed@corp.example",
    member: ["folder", "frank"].map((cn) => `CN=${cn},${PEOPLE_DN}`),
  }),
  { dn: `OU=Other,${PEOPLE_DN}`, objectClass: ["referral", "extensibleObject"], ou: "Other", ref: "ldap://x/" },
];

describe.skipIf(!hasSlapd)("OpenLDAP, which knows neither ranges nor memberOf", () => {
  let slapd: Slapd;
  const sources: LdapDirectory[] = [];
  const source = (change: Partial<LdapDirectoryOptions> = {}) => {
    const tls = { tls: { ca: slapd.ca }, startTls: true };
    const made = new LdapDirectory({ ...COMMON, url: slapd.url, ...tls, baseDn: PEOPLE_DN, ...change });
    sources.push(made);
    return made;
  };
  beforeAll(async () => {
    slapd = await startSlapd([...contractEntries(USER, GROUP), ...PEOPLE]);
  }, 60_000);
  afterAll(async () => {
    for (const one of sources) await one.close();
    await slapd?.remove();
  });

  directorySourceContract("OpenLDAP", async () => ({
    source: source({ baseDn: CONTRACT_DN }),
    close: async () => {},
  }));

  it.each([
    [9, ["gina@corp.example", "frank@corp.example"]],
    [2, ["gina@corp.example", "frank@corp.example"]],
    [1, ["gina@corp.example"]],
    [0, []],
  ])("with a limit of %i, members are read in order, and one that is gone is counted", async (limit, addresses) => {
    const members = await source().readMembers(address("left@corp.example"), limit, never());
    expect(members).toEqual({ addresses, without: 1 });
  });

  it("counts a public folder among the members without a time of their own, though it has an address", async () => {
    const members = await source().readMembers(address("filed@corp.example"), 9, never());
    expect(members).toEqual({ addresses: [FRANK], without: 1 });
  });

  it("leaves references to other servers out", async () => {
    expect(await readEverything(source())).toHaveLength(6);
  });

  it("an entry that has the address comes before one that only leads there", async () => {
    const addresses = (await readEverything(source())).map((record) => record.addresses[0]);
    expect(addresses.filter((one) => one === FRANK)).toHaveLength(2);
    expect((await source().readOne(FRANK, never()))?.addresses).toEqual([FRANK]);
  });

  it("never asks as nobody, who would be told that nobody exists", async () => {
    expect(await codeOf(source({ password: "" }).readOne(FRANK, never()))).toBe("InvalidCredentials");
    expect(await codeOf(source({ password: "wrong" }).readOne(FRANK, never()))).toBe("InvalidCredentials");
  });

  describe("over a bad wire", () => {
    let relay: Relay;
    const wired = (change: Partial<LdapDirectoryOptions> = {}) =>
      source({ url: `ldap://127.0.0.1:${relay.port}`, startTls: false, ...change });
    beforeAll(async () => {
      const { hostname, port } = new URL(slapd.url);
      relay = await startRelay(hostname, Number(port));
    });
    afterAll(() => relay?.close());

    it("a question that a kept connection took with it is asked once more, on a bound connection", async () => {
      const directory = wired();
      expect(await directory.readOne(FRANK, never())).toBeDefined();
      relay.cut(1);
      expect(await directory.readOne(FRANK, never())).toBeDefined();
    });

    it("many questions that were lost together are asked again over one connection", async () => {
      const directory = wired();
      await directory.readOne(FRANK, never());
      const before = relay.connections();
      relay.cut(1);
      const found = await Promise.all(Array.from({ length: 20 }, () => directory.readOne(FRANK, never())));
      expect(found.every((one) => one !== undefined)).toBe(true);
      expect(relay.connections()).toBe(before + 1);
    });

    it("a question is not asked for ever", async () => {
      const directory = wired();
      await directory.readOne(FRANK, never());
      const before = relay.connections();
      relay.cut(100);
      expect(await codeOf(directory.readOne(FRANK, never()))).toMatch(/^(ConnectionClosed|ECONNRESET)$/);
      expect(relay.connections()).toBe(before + 1);
      relay.cut(0);
    });

    it("a connection that is closed stays so: it would come back unbound", async () => {
      const { hostname, port } = new URL(slapd.url);
      const wire = await startRelay(hostname, Number(port));
      const connection = await LdapConnection.open({ ...COMMON, url: `ldap://127.0.0.1:${wire.port}` });
      const question = {
        baseDn: PEOPLE_DN,
        scope: "sub" as const,
        filter: new PresenceFilter({ attribute: "mail" }),
        attributes: ["mail"],
      };
      expect(await connection.search(question, never())).toHaveLength(6);
      await wire.close();
      await vi.waitFor(() => expect(connection.usable).toBe(false));
      expect(await codeOf(connection.search(question, never()))).toBe("ConnectionClosed");
      connection.close();
    });

    it("a connection that has gone silent is not asked again, and is given up", async () => {
      const directory = wired({ timeoutMs: 300 });
      await directory.readOne(FRANK, never());
      relay.silence();
      expect(await codeOf(directory.readOne(FRANK, never()))).toBe("ETIMEDOUT");
      expect(await directory.readOne(FRANK, never())).toBeDefined();
    });

    it("whoever waits is told when the source is closed", async () => {
      const directory = wired();
      await directory.readOne(FRANK, never());
      const pages = directory.readAll(never());
      await pages.next();
      relay.silence();
      const waiting = [directory.readOne(FRANK, never()), directory.readAll(never()).next(), pages.next()];
      const codes = waiting.map(codeOf);
      await directory.close();
      expect(await Promise.all(codes)).toEqual(["ConnectionClosed", "Closed", "ConnectionClosed"]);
    });
  });
});
