/**
 * Decides what the columns of a CSV file of overrides are called, and that a row fills them
 * all: a row cut short, as while a file is being written, must not pass for one without end.
 *
 * Does not know what a column may hold.
 */

import { csvRows } from "./csv-rows.js";
import { type BadLine, shown, type WrittenOverride } from "./written-override.js";

const COLUMNS = ["address", "owner", "from", "until", "backendAddress"] as const;
type Column = (typeof COLUMNS)[number];

const HEADER = "address,owner[,from[,until[,backendAddress]]], in any order";

/** The overrides of a file, and the lines that are none, as they come. */
export function* overridesInCsv(text: string): Generator<WrittenOverride | BadLine, void> {
  let columns: readonly (Column | undefined)[] | undefined;
  for (const row of csvRows(text)) {
    if ("problem" in row) {
      yield row;
      continue;
    }
    const { line, fields } = row;
    if (columns === undefined) {
      columns = fields.map(columnOf);
      const problems = headerProblems(fields, columns);
      for (const problem of problems) yield { line, problem };
      // Without these two, every row would be wrong for the same reason.
      if (!columns.includes("address") || !columns.includes("owner")) return;
    } else if (fields.length !== columns.length) {
      yield { line, problem: `has ${count(fields.length)}. Expected ${columns.length}, as in the header line.` };
    } else {
      const written: { [column in Column]?: string } = {};
      for (const [position, column] of columns.entries())
        if (column !== undefined) written[column] = fields[position] as string;
      yield { line, address: undefined, owner: undefined, ...written };
    }
  }
  if (columns === undefined) yield { line: 1, problem: `the header line is missing. Expected ${HEADER}.` };
}

function columnOf(field: string): Column | undefined {
  const name = field.trim().toLowerCase();
  return COLUMNS.find((column) => column.toLowerCase() === name);
}

function headerProblems(fields: readonly string[], columns: readonly (Column | undefined)[]): string[] {
  if (!columns.includes("address") && !columns.includes("owner")) {
    return [`${shown(fields.join(","))} is no header line. Expected ${HEADER}.`];
  }
  const unknown = fields.filter((_, position) => columns[position] === undefined);
  const twice = columns.filter((column, position) => column !== undefined && columns.indexOf(column) < position);
  const missing = (["address", "owner"] as const).filter((column) => !columns.includes(column));
  return [
    ...unknown.map((field) => `there is no column ${shown(field)}. Expected ${HEADER}.`),
    ...twice.map((column) => `the column '${column}' is there twice. Keep one.`),
    ...missing.map((column) => `the column '${column}' is missing. Expected ${HEADER}.`),
  ];
}

function count(fields: number): string {
  return fields === 1 ? "1 field" : `${fields} fields`;
}
