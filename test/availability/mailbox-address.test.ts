import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  domainOf,
  type MailboxAddress,
  parseDomain,
  parseMailboxAddress,
} from "../../src/availability/mailbox-address.js";

const anyLetter = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  // Letters with marks, of which some exist as one character in lower case only.
  fc
    .tuple(
      fc.integer({ min: 0x41, max: 0x1fff }).map((code) => String.fromCodePoint(code)),
      fc.constantFrom("\u0300", "\u0301", "\u0307", "\u030a", "\u030c", "\u0313", "\u0331", "\u0342", "\u0345"),
    )
    .map((pair) => pair.join("")),
);
const anyLocalPart = fc.array(anyLetter, { minLength: 1, maxLength: 6 }).map((letters) => letters.join(""));

describe("two spellings of an address", () => {
  it.each([
    ["case", "Bob.Smith@CORP.Example", "bob.smith@corp.example"],
    ["blanks around", "\t bob@corp.example\r\n", "bob@corp.example"],
    ["case beyond ASCII", "ÉLODIE@corp.example", "élodie@corp.example"],
    ["composition", "jose\u0301@corp.example", "jos\u00e9@corp.example"],
    ["composition that exists in lower case only", "H\u0331@corp.example", "\u1e96@corp.example"],
    ["a composed domain", "bob@mu\u0308nchen.example", "bob@münchen.example"],
    ["a domain in punycode", "bob@xn--mnchen-3ya.example", "bob@münchen.example"],
    ["a domain in capital punycode", "bob@XN--MNCHEN-3YA.example", "bob@München.EXAMPLE"],
    ["the ideographic full stop", "bob@corp\u3002example", "bob@corp.example"],
    ["the Kelvin sign", "\u212Aim@corp.example", "kim@corp.example"],
  ])("that differ in %s are one", (_, one, other) => {
    expect(parseMailboxAddress(one)).toBeDefined();
    expect(parseMailboxAddress(one)).toBe(parseMailboxAddress(other));
  });

  it("are one whatever Unicode form they are written in", () => {
    fc.assert(
      fc.property(anyLocalPart, (localPart) => {
        const composed = parseMailboxAddress(`${localPart}@corp.example`.normalize("NFC"));
        expect(parseMailboxAddress(`${localPart}@corp.example`.normalize("NFD"))).toBe(composed);
      }),
      { numRuns: 2000 },
    );
  });

  it("stay two where the letters differ", () => {
    const spellings = ["obrien", "o'brien", "o.brien", "o+brien", "öbrien", "\u043ebrien"];
    const read = spellings.map((localPart) => parseMailboxAddress(`${localPart}@corp.example`));
    expect(new Set(read).size).toBe(spellings.length);
    expect(read).not.toContain(undefined);
  });
});

describe("a canonical address", () => {
  it("is read as itself", () => {
    fc.assert(
      fc.property(anyLocalPart, fc.oneof(fc.domain(), fc.constant("münchen.example")), (localPart, domain) => {
        const once = parseMailboxAddress(`${localPart}@${domain}`);
        fc.pre(once !== undefined);
        expect(parseMailboxAddress(once as string)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  it("has nothing in it that could end a header, an element or a key, whatever was read", () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...'ab.@<>"&;:,\\/?#%()[] \r\n\t\0\u007f\u0085\u2028ä'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(nasty, nasty, (before, after) => {
        const read = parseMailboxAddress(`${before}@${after}`);
        if (read !== undefined) expect(read).toMatch(/^[^\s<>"\\;:,()[\]@\p{Cc}]+@[a-z0-9.-]+$/u);
      }),
      { numRuns: 3000 },
    );
  });

  it("ends in its domain as it is configured", () => {
    const read = parseMailboxAddress("bob@MÜNCHEN.example") as MailboxAddress;
    expect(domainOf(read)).toBe(parseDomain(" münchen.example "));
  });

  it.each([
    ["64 letters", `${"a".repeat(64)}@corp.example`],
    ["64 letters beyond ASCII", `${"ä".repeat(64)}@corp.example`],
    ["a domain of 253", `a@${"a.".repeat(126)}a`],
    ["a domain without a dot", "root@localhost"],
  ])("may have %s", (_, text) => {
    expect(parseMailboxAddress(text)).toBe(text);
  });
});

describe("no address", () => {
  it.each([
    "bob",
    "   ",
    "@",
    "bob@.",
    "bob@.corp.example",
    "bob@corp.example.",
    "bob@corp-.example",
    "bob@a_b.example",
    "böb@@corp.example",
    "bob@corp.example\r\nbcc: eve@corp.example",
    "bob\r\n@corp.example",
    "bob@\r\ncorp.example",
    "bob@corp\r\n.example",
    "bob@corp.\texample",
    "bob@ corp.example",
    "bob @corp.example",
    "b\u0000ob@corp.example",
    "böb\u0000@corp.example",
    "bob@corp\u0000.example",
    "bö\u0085b@corp.example",
    "bö\u2028b@corp.example",
    '"bob"@corp.example',
    '"böb"@corp.example',
    "bob(work)@corp.example",
    "Bob <bob@corp.example>",
    "<bob@corp.example",
    "bob;eve@corp.example",
    "smtp:bob@corp.example",
    "bob@corp.example/x",
    "bob@corp.example\uff0fx",
    "bob@corp.example?x",
    "bob@corp.example#x",
    "bob@corp.example\\x",
    "bob@corp.example:25",
    "bob@corp%2eexample",
    "bob@[127.0.0.1]",
    "/o=Corp/ou=Exchange/cn=Recipients/cn=bob",
    `${"ä".repeat(65)}@corp.example`,
    `a@${"a.".repeat(127)}a`,
    `a@${"a".repeat(400)}`,
  ])("is %j", (text) => {
    expect(parseMailboxAddress(text)).toBeUndefined();
  });

  it.each(["", ".", "corp..example", "corp.example/x", "corp.example:443", "a b", "bob@corp.example", "*.example"])(
    "has the domain %j",
    (text) => {
      expect(parseDomain(text)).toBeUndefined();
    },
  );
});
