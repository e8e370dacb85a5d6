/**
 * Decides where rows and fields of a CSV file begin and end: RFC 4180, with what editors and
 * spreadsheets make of it: a byte order mark, either kind of line end, blank lines. Lines that
 * begin with # are remarks.
 *
 * A row that is no CSV costs that row only: reading goes on at the next line. Knows no columns.
 */

/** `line` counts from 1 and is where the row begins. */
export type CsvRow =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

const PLAIN = /[^",\n]*/y;
/** A carriage return that ends the text is half of a line end. */
const END = /,|\r?\n|\r?$/y;
const BLANK = /^\s*$/;
const PROBLEM =
  "its quotes do not match. A field with a quote, a comma or a line break in it stands in quotes, its own quotes doubled.";

export function* csvRows(text: string): Generator<CsvRow, void> {
  let line = 1;
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const lineEnd = newline === -1 ? text.length : newline;
    const written = text.slice(at, lineEnd);
    let next = lineEnd + 1;
    let lines = 1;
    if (written.includes('"') && !written.startsWith("#")) {
      const row = quotedRow(text, at);
      yield row === undefined ? { line, problem: PROBLEM } : { line, fields: row.fields };
      if (row !== undefined) {
        next = row.end;
        lines = text.slice(at, next).split("\n").length - (text[next - 1] === "\n" ? 1 : 0);
      }
    } else if (!written.startsWith("#") && !BLANK.test(written)) {
      yield { line, fields: (written.endsWith("\r") ? written.slice(0, -1) : written).split(",") };
    }
    at = next;
    line += lines;
  }
}

/** The fields of the row that begins here, and where the next one begins. Undefined when it is no CSV. */
function quotedRow(text: string, begin: number): { fields: string[]; end: number } | undefined {
  const fields: string[] = [];
  let at = begin;
  for (;;) {
    const close = text[at] === '"' ? closingQuote(text, at) : undefined;
    if (close === -1) return undefined;
    PLAIN.lastIndex = at;
    const field = close === undefined ? (PLAIN.exec(text)?.[0] ?? "") : text.slice(at + 1, close).replaceAll('""', '"');
    END.lastIndex = close === undefined ? PLAIN.lastIndex : close + 1;
    const end = END.exec(text)?.[0];
    if (end === undefined) return undefined;
    fields.push(close === undefined && end !== "," && field.endsWith("\r") ? field.slice(0, -1) : field);
    at = END.lastIndex;
    if (end !== ",") return { fields, end: at };
  }
}

function closingQuote(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1);
  while (quote !== -1 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  return quote;
}
