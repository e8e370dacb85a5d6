import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childrenNamed, MAXIMUM_BYTES, readRequestTree } from "../../src/autodiscover/request-tree.js";
import { RequestFault } from "../../src/availability/request-fault.js";

const read = (text: string | Buffer) => readRequestTree(Buffer.isBuffer(text) ? text : Buffer.from(text));

describe("a request's tree", () => {
  it("has namespaces whatever prefixes were chosen, and text without the blanks around it", () => {
    for (const text of [
      '<a xmlns="urn:x"><b> one&amp;two </b></a>',
      '\ufeff<?xml version="1.0"?><q:a xmlns:q="urn:x"><q:b><![CDATA[one&two]]></q:b></q:a>',
    ]) {
      const root = read(text);
      expect([root.namespace, root.name]).toEqual(["urn:x", "a"]);
      expect(childrenNamed(root, "urn:x", "b").map((child) => child.text)).toEqual(["one&two"]);
      expect(childrenNamed(root, "urn:y", "b")).toEqual([]);
    }
  });

  it("is not disturbed by elements named like parts of a JavaScript object", () => {
    const root = read("<a><__proto__><polluted>yes</polluted></__proto__><constructor>x</constructor><_>y</_></a>");
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ["__proto__", ""],
      ["constructor", "x"],
      ["_", "y"],
    ]);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["blanks", " \n "],
    ["a word", "hello"],
    ["a tag left open", "<a><b></a>"],
    ["a second root", "<a/><b/>"],
    ["text behind the root", "<a/>x"],
    ["an end tag too many", "<a/></a>"],
    ["a tag begun behind the root", "<a/><b"],
    ["a comment left open behind the root", "<a/><!-- "],
    ["a prefix nobody declared", "<x:a/>"],
    ["an entity nobody declared", "<a>&canary;</a>"],
    ["a DOCTYPE", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ["a DOCTYPE in small letters", '<!doctype a SYSTEM "file:///etc/hostname"><a/>'],
    ["seventeen levels", `${"<a>".repeat(17)}${"</a>".repeat(17)}`],
    ["five hundred and thirteen elements", `<a>${"<b/>".repeat(512)}</a>`],
    ["a tag of more than 2048 characters", `<a ${Array.from({ length: 300 }, (_, i) => `n${i}=""`).join(" ")}/>`],
    ["Latin-1", Buffer.from([0x3c, 0x61, 0x3e, 0xe9, 0x3c, 0x2f, 0x61, 0x3e])],
    ["UTF-16", Buffer.from("<a/>", "utf16le")],
    ["more bytes than fit", `<a>${"<b/>".repeat(MAXIMUM_BYTES / 4)}</a>`],
  ])("is refused for %s", (_, text) => {
    expect(() => read(text)).toThrow(RequestFault);
  });

  it("takes sixteen levels, which is more than any request has", () => {
    expect(read(`${"<a>".repeat(16)}${"</a>".repeat(16)}`).name).toBe("a");
  });

  it("stops at the first levels of hostile nesting: what follows is not even looked at for form", () => {
    expect(() => read("<a>".repeat(MAXIMUM_BYTES / 3))).toThrow(/16 levels/);
  });

  it("or a fault of form is all there is, whatever bytes come", () => {
    const piece = fc.constantFrom(
      "<a>",
      "</a>",
      "<",
      ">",
      "&",
      "&#0;",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?x",
      "=",
      '"',
      "x:y",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((all) => all.join("")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          expect(typeof read(given).name).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(RequestFault);
          expect((error as RequestFault).reason).toBe("malformed");
        }
      }),
    );
  });
});
