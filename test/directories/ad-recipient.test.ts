import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { adRecipient, isDynamicGroup, ownAddresses } from "../../src/directories/ad-recipient.js";

type Written = Readonly<Record<string, string | readonly string[]>>;

const OWNERS: Readonly<Record<string, string>> = { "corp.example": "exchange", "corp.awsapps.com": "workmail" };
const ownership = { mailboxBackend: "exchange", backendOfDomain: (domain: string) => OWNERS[domain] };
const attributes = (written: Written) =>
  new Map(Object.entries(written).map(([name, values]) => [name.toLowerCase(), [values].flat() as string[]]));
const recipient = (written: Written) => adRecipient(attributes(written), ownership);
/** Someone with an address here and a target there, of a type. */
const typed = (type: string, target = "SMTP:bob@corp.awsapps.com") =>
  recipient({
    objectClass: ["top", "user"],
    proxyAddresses: ["smtp:b.smith@corp.example", "SMTP:bob@corp.example"],
    targetAddress: target,
    msExchRecipientTypeDetails: type,
  });

describe("who has the mailbox", () => {
  it.each([
    ["1", "user"],
    ["2", "linked"],
    ["4", "shared"],
    ["8", "legacy"],
    ["16", "room"],
    ["32", "equipment"],
    ["2199023255552", "linked room"],
  ])("type %s is a %s mailbox of this Exchange, wherever its mail is sent on to", (type, name) => {
    expect(typed(type)).toEqual({
      kind: "mailbox",
      backend: "exchange",
      addresses: ["bob@corp.example", "b.smith@corp.example"],
      legacyDns: [],
      evidence: `msExchRecipientTypeDetails ${type} (${name} mailbox)`,
    });
  });

  it.each(["64", "128", "32768", "2147483648", "8589934592", "17179869184", "34359738368", "274877906944"])(
    "type %s lives where its target says, and is known there by it",
    (type) => {
      const record = typed(type);
      expect(record).toMatchObject({ kind: "mailbox", backend: "workmail" });
      expect(record?.addresses).toEqual(["bob@corp.awsapps.com", "bob@corp.example", "b.smith@corp.example"]);
      expect(record?.evidence).toMatch(
        new RegExp(`^msExchRecipientTypeDetails ${type} \\([a-z ]+\\), target in another system$`),
      );
    },
  );

  it("a target may be written without its kind of address", () => {
    expect(typed("128", "Bob@corp.awsapps.com")?.addresses[0]).toBe("bob@corp.awsapps.com");
  });

  it("a target in a domain of nobody's means that nobody may be asked", () => {
    const record = typed("128", "SMTP:bob@tenant.example");
    expect(record).toMatchObject({ backend: undefined, addresses: expect.arrayContaining(["bob@tenant.example"]) });
    expect(record?.evidence).toBe("msExchRecipientTypeDetails 128 (mail user), target in no system known here");
  });

  it.each(["X400:c=de;a= ;p=corp", "SMTP:", "nonsense"])("%s is no target, and nobody may be asked", (target) => {
    const record = typed("2147483648", target);
    expect(record).toMatchObject({ backend: undefined, addresses: ["bob@corp.example", "b.smith@corp.example"] });
    expect(record?.evidence).toBe("msExchRecipientTypeDetails 2147483648 (remote user mailbox), no target");
  });

  it.each(["9007199254740993", "6", "1.0", "", "one"])("type '%s' is not taken for another one", (type) => {
    expect(typed(type)?.evidence).toBe("msExchRecipientTypeDetails of another kind, target in another system");
  });

  it("without a type, a target still says where", () => {
    const record = recipient({
      objectClass: "contact",
      mail: "x@corp.example",
      targetAddress: "SMTP:x@corp.awsapps.com",
    });
    expect(record).toMatchObject({ backend: "workmail", addresses: ["x@corp.awsapps.com", "x@corp.example"] });
    expect(record?.evidence).toBe("no msExchRecipientTypeDetails, target in another system");
  });

  it("a plain user with mail belongs to whoever has the domain", () => {
    const plain = (mail: string) => recipient({ objectClass: ["top", "person", "user"], mail });
    expect(plain("carol@corp.example")).toMatchObject({
      backend: "exchange",
      evidence: "no msExchRecipientTypeDetails, owner by domain",
    });
    expect(plain("carol@corp.awsapps.com")).toMatchObject({ backend: "workmail" });
    expect(plain("carol@elsewhere.example")).toMatchObject({ backend: undefined });
  });

  it("a public folder has an address and nobody to ask", () => {
    expect(recipient({ mail: "folder@corp.example", msExchRecipientTypeDetails: "4096" })).toMatchObject({
      kind: "mailbox",
      backend: undefined,
    });
  });
});

describe("groups", () => {
  it.each(["256", "512", "1024", "2048", "268435456"])("type %s is a group, and no backend's", (type) => {
    expect(typed(type)).toMatchObject({ kind: "group", backend: undefined });
  });

  it("a group is one by its class too", () => {
    expect(recipient({ objectClass: ["top", "Group"], mail: "team@corp.example" })).toMatchObject({
      kind: "group",
      backend: undefined,
      evidence: "no msExchRecipientTypeDetails, objectClass group",
    });
  });

  it.each<[boolean, Written]>([
    [true, { msExchRecipientTypeDetails: "2048" }],
    [true, { objectClass: ["top", "msExchDynamicDistributionList"] }],
    [false, { msExchRecipientTypeDetails: "256", objectClass: "group" }],
    [false, { objectClass: "group" }],
    [false, {}],
  ])("that Exchange alone can expand it is %s of %o", (dynamic, written) => {
    expect(isDynamicGroup(attributes(written))).toBe(dynamic);
  });
});

describe("the names of a recipient", () => {
  it("the primary address is the one in capitals, then mail, then aliases, each once", () => {
    const written = {
      mail: "Mail@Corp.Example",
      proxyAddresses: [
        "smtp:alias@corp.example",
        "SMTP:Primary@corp.example",
        "smtp:MAIL@corp.example",
        "sip:primary@corp.example",
        "X400:c=de;a= ;p=corp",
        "smtp:not an address",
        "alias2@corp.example",
      ],
    };
    expect(ownAddresses(attributes(written))).toEqual([
      "primary@corp.example",
      "mail@corp.example",
      "alias@corp.example",
    ]);
  });

  it("X.500 names are kept as written, each once whatever its case", () => {
    const record = recipient({
      mail: "a@corp.example",
      legacyExchangeDN: "/o=Corp/ou=First/cn=Recipients/cn=a",
      proxyAddresses: ["X500:/o=Old/cn=A", "x500:/O=OLD/CN=a", "X500:/o=corp/ou=first/cn=recipients/CN=A", "X500:"],
    });
    expect(record?.legacyDns).toEqual(["/o=Corp/ou=First/cn=Recipients/cn=a", "/o=Old/cn=A"]);
  });

  it("an entry without a usable address is no recipient", () => {
    expect(recipient({})).toBeUndefined();
    expect(recipient({ mail: ["nobody", "(x)@corp.example"], proxyAddresses: ["X500:/o=Corp"] })).toBeUndefined();
  });

  it("one bad address does not cost the others", () => {
    expect(recipient({ mail: ["x(y)\\z@corp.example", "good@corp.example"] })?.addresses).toEqual([
      "good@corp.example",
    ]);
  });
});

describe("whatever is in an entry", () => {
  const address = fc.oneof(
    fc.emailAddress(),
    fc.constantFrom("bob@corp.example", "BOB@corp.example", "o'brien@corp.example", "bob@corp.awsapps.com", "bob", ""),
    fc.string({ unit: "binary" }),
  );
  const value = fc.oneof(
    address,
    fc.tuple(fc.constantFrom("SMTP:", "smtp:", "X500:", "x500:", "SIP:", ":"), address).map((both) => both.join("")),
  );
  const type = fc.oneof(
    fc.constantFrom("1", "128", "256", "2048", "2147483648", "4096"),
    fc.bigInt().map(String),
    value,
  );
  const entry = fc.record(
    {
      objectClass: fc.array(fc.oneof(fc.constantFrom("user", "group", "contact"), value)),
      mail: fc.array(value),
      proxyAddresses: fc.array(value),
      targetAddress: fc.array(value),
      msExchRecipientTypeDetails: fc.array(type),
      legacyExchangeDN: fc.array(value),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Written>;

  it("every address of a record is canonical and there once", () => {
    fc.assert(
      fc.property(entry, (written) => {
        const addresses = recipient(written)?.addresses ?? [];
        expect(addresses.map((one) => parseMailboxAddress(one))).toEqual(addresses);
        expect(new Set(addresses).size).toBe(addresses.length);
      }),
    );
  });

  it("there is a record when there is an address of its own, and it has all of them", () => {
    fc.assert(
      fc.property(entry, (written) => {
        const own = ownAddresses(attributes(written));
        const addresses = recipient(written)?.addresses ?? [];
        expect(addresses).toEqual(expect.arrayContaining([...own]));
        if (own.length === 0) expect(addresses.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("a group is nobody's, and evidence names nobody", () => {
    fc.assert(
      fc.property(entry, (written) => {
        const record = recipient(written);
        if (record === undefined) return;
        if (record.kind === "group") expect(record.backend).toBeUndefined();
        expect(record.evidence).toMatch(/^(no )?msExchRecipientTypeDetails[A-Za-z0-9 (),-]*$/);
        expect(record.evidence.length).toBeLessThan(110);
      }),
    );
  });
});
