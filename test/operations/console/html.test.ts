import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { html } from "../../../src/operations/console/html.js";

describe("a page's text", () => {
  it("comes out of a parser as it went in, whatever it is, between tags and in an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // What nobody sees is replaced; the rest has to survive. A parser makes one line end of two.
        const seen = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu, "");
        const read = { text: "", attribute: "", tags: 0 };
        const parser = new SaxesParser();
        parser.on("opentag", ({ attributes }) => {
          read.tags++;
          read.attribute = String(attributes.title);
        });
        parser.on("text", (piece) => {
          read.text += piece;
        });
        parser.write(html`<p title="${seen}">${seen}</p>`.text).close();
        expect(read).toEqual({ text: seen, attribute: seen, tags: 1 });
      }),
    );
  });

  it("cannot be turned around, hidden or ended by characters nobody sees", () => {
    expect(html`${"alice\u202egnp.exe\u0000\u200b@corp.example"}`.text).toBe(
      "alice\ufffdgnp.exe\ufffd\ufffd@corp.example",
    );
  });

  it("is nothing where there is nothing, and parts in order where there are several", () => {
    expect(html`<${undefined}${false}${[html`<b>`, "<", 0]}>`.text).toBe("<<b>&lt;0>");
  });
});
