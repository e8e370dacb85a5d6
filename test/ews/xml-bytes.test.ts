import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { xmlMessage } from "../../src/ews/xml-bytes.js";

describe("a message in pieces", () => {
  it("is the bytes of all of them in order, small or large, in whatever script", () => {
    const characters = fc.constantFrom("a", "é", "\u2192", "日", "\u{1f600}");
    const mostly = fc.tuple(characters, characters, fc.integer({ min: 1, max: 40 }));
    const piece = mostly.map(([often, seldom, times]) => `${often.repeat(times * 40)}${seldom}`.repeat(times));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        expect(Buffer.from(xmlMessage(pieces)).equals(Buffer.from(pieces.join("")))).toBe(true);
      }),
    );
  });
});
