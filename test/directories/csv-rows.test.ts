import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvRows } from "../../src/directories/csv-rows.js";

const read = (text: string) => [...csvRows(text)];
const fields = (text: string) => read(text).map((row) => ("fields" in row ? row.fields : undefined));

/** Quotes where it has to, and where it is told to. */
function encode(rows: readonly (readonly string[])[], end: string, always: boolean): string {
  const field = (text: string, isFirst: boolean, isOnly: boolean) =>
    always || /[",\r\n]/.test(text) || (isFirst && text.startsWith("#")) || (isOnly && text.trim() === "")
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  // A row of nothing but blanks is one only where there is a comma or a quote in it.
  return rows.map((row) => row.map((text, i) => field(text, i === 0, row.length === 1)).join(",")).join(end);
}

describe("rows of a CSV file", () => {
  it("are what was written, whatever the text and the line ends", () => {
    const anyField = fc.oneof(
      fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", "#", " ", "a", "é", "\uFEFF"), maxLength: 8 }),
      fc.string({ unit: "grapheme", maxLength: 8 }),
    );
    const anyRows = fc.array(fc.array(anyField, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(
        anyRows,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (rows, end, always, mark, isEnded) => {
          const text = encode(rows, end, always);
          // A text that begins with a mark of its own needs another one before it.
          const marked = mark || text.startsWith("\uFEFF") ? `\uFEFF${text}` : text;
          expect(fields(isEnded ? marked + end : marked)).toEqual(rows);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("come from any text without throwing, in order, and none from a line that is not there", () => {
    const anyText = fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", "#", " ", "a"), maxLength: 30 });
    fc.assert(
      fc.property(anyText, (text) => {
        const lines = read(text).map(({ line }) => line);
        expect(lines).toEqual([...new Set(lines)].sort((one, other) => one - other));
        expect(Math.max(0, ...lines)).toBeLessThanOrEqual(text.split("\n").length);
      }),
      { numRuns: 3000 },
    );
  });

  it("are counted by the line they begin in, remarks and blank lines and lines within quotes included", () => {
    const text = '# who lives where\r\n\r\n  \r\na,"b\r\n\r\nc"\r\nd,e\n#f,g\nh,i\r';
    expect(read(text)).toEqual([
      { line: 4, fields: ["a", "b\r\n\r\nc"] },
      { line: 7, fields: ["d", "e"] },
      { line: 9, fields: ["h", "i"] },
    ]);
  });

  it("a mark within a row begins no remark", () => {
    expect(fields("a,#b\n#c,d\n e,#")).toEqual([
      ["a", "#b"],
      [" e", "#"],
    ]);
  });

  it.each([
    ["opens within a field", 'a,b"c"'],
    ["closes before the field ends", '"a"b,c'],
    ["is never closed", '"a,b'],
    ["stands alone in a field that is quoted", '"a"b",c'],
  ])("a row whose quote %s is reported, and the rows around it are read", (_, bad) => {
    const rows = read(`1,2\n${bad}\n3,4\n5,6\n`);
    expect(rows.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
    expect(rows[1]).toMatchObject({ problem: expect.stringContaining("quotes do not match") });
    expect(rows.flatMap((row) => ("fields" in row ? [row.fields] : []))).toEqual([
      ["1", "2"],
      ["3", "4"],
      ["5", "6"],
    ]);
  });
});
