import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { XmlCursor } from "../../src/ews/xml-cursor.js";
import { collector } from "../support/garbage.js";

/** What a document says, element by element, to the cursor. */
function walked(text: string): string[] {
  const said: string[] = [];
  const xml = new XmlCursor(text);
  const visit = (): void => {
    const depth = xml.depth;
    said.push(`<${xml.name().replace(/^.*:/, "")}`);
    while (xml.nextChild(depth)) visit();
    said.push(">");
  };
  visit();
  xml.finish();
  return said;
}

/** The same, to an independent parser with the same two refusals. */
function walkedBySaxes(text: string): string[] {
  const said: string[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("doctype", () => {
    throw new Error("DTD");
  });
  parser.on("opentag", (tag) => said.push(`<${tag.local}`));
  parser.on("closetag", () => said.push(">"));
  parser.write(text).close();
  return said;
}

/** The text of the root element, without that of its children. */
function rootTextBySaxes(text: string): string {
  let depth = 0;
  let said = "";
  const parser = new SaxesParser({ xmlns: true });
  parser.on("opentag", () => depth++);
  parser.on("closetag", () => depth--);
  for (const event of ["text", "cdata"] as const) {
    parser.on(event, (piece: string) => {
      if (depth === 1) said += piece;
    });
  }
  parser.write(text).close();
  return said;
}

const outcome = <T>(run: () => T): T | "refused" => {
  try {
    return run();
  } catch {
    return "refused";
  }
};

const pieces = fc.constantFrom(
  "<a>",
  "</a>",
  "<b x='1'>",
  '<b y="&lt;"/>',
  "</b>",
  "<p:c xmlns:p='u'>",
  "</p:c>",
  "<p:d/>",
  "text",
  " ",
  "\n",
  "&amp;",
  "&#65;",
  "&#x1F600;",
  "&nope;",
  "&",
  "]]>",
  "<![CDATA[<x>&]]>",
  "<!-- c -->",
  "<!-- ]]> & -->",
  "<?pi ]]> & ?>",
  "<b x=']]>'>",
  "\r\n",
  "\r",
  "]]",
  "<!-- -- -->",
  "<?pi d?>",
  "<?xml version='1.0'?>",
  "<",
  ">",
  "<a",
  "a='1'",
  '"',
  "é",
  "\u0001",
  "<a a='1' a='2'/>",
  "<!DOCTYPE a>",
  "<a xmlns='v'>",
  "&#0;",
  "&#xD800;",
  "</ a>",
  "</a >",
);

describe("the XML cursor", () => {
  it("accepts and refuses what an independent parser accepts and refuses, and reads the same elements and text", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
        for (const text of [list.join(""), `<a>${list.join("")}</a>`]) {
          const elements = outcome(() => walkedBySaxes(text));
          expect([text, outcome(() => walked(text))]).toEqual([text, elements]);
          if (elements !== "refused") expect([text, new XmlCursor(text).text()]).toEqual([text, rootTextBySaxes(text)]);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it("survives any text without any error but its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        try {
          walked(text);
        } catch (error) {
          expect(error).toMatchObject({ name: "RequestFault", reason: "malformed" });
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("reads text as written: references, CDATA, line ends, and without the text of children", () => {
    const text = (xml: string) => new XmlCursor(xml).text();
    expect(text("<a>x &lt;&#38;&gt; <![CDATA[<y>]]>\r\nz</a>")).toBe("x <&> <y>\nz");
    expect(text("<a>one<b>two<c>three</c></b>four<d/>five</a>")).toBe("onefourfive");
    expect(text("<a/>")).toBe("");
  });

  it("reads names by namespace, whatever the prefixes and wherever they are declared", () => {
    const types = "http://schemas.microsoft.com/exchange/services/2006/types";
    for (const xml of [`<q:Bias xmlns:q="${types}"/>`, `<Bias xmlns="${types}"/>`])
      expect(new XmlCursor(xml).name()).toBe("t:Bias");
    expect(new XmlCursor('<t:Bias xmlns:t="urn:other"/>').name()).toBe("?:Bias");
    const redeclared = new XmlCursor(`<x xmlns:t="${types}"><t:Bias xmlns:t="urn:other"/><t:Bias/></x>`);
    redeclared.nextChild(1);
    expect(redeclared.name()).toBe("?:Bias");
    redeclared.nextChild(1);
    expect(redeclared.name()).toBe("t:Bias");
  });

  it("remembers names, but no message for the sake of one", () => {
    const collect = collector();
    const heap = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    for (let i = 0; i < 200; i++) {
      const made = `made-up-by-a-stranger-${i}`;
      const long = `${"long".repeat(2_000)}${i}`;
      walked(`<a><${made}/><${long}/><b xmlns:${made}="urn:${made}"/>${" ".repeat(200_000)}</a>`);
    }
    // 40 MB, if each of them were kept.
    expect(heap() - before).toBeLessThan(8_000_000);
  });

  it("says where the trouble is", () => {
    expect(() => walked("<a>\n  <b></c></a>")).toThrow(/Line 2, position 6/);
  });

  it.each([
    ["65 levels", `${"<a>".repeat(65)}${"</a>".repeat(65)}`],
    ["65 attributes", `<a ${Array.from({ length: 65 }, (_, i) => `a${i}="1"`).join(" ")}/>`],
    ["a DTD", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>"],
    ["another encoding", "<?xml version='1.0' encoding='UTF-16'?><a/>"],
  ])("refuses %s", (_, text) => {
    expect(() => walked(text)).toThrow(expect.objectContaining({ reason: "malformed" }));
  });
});
