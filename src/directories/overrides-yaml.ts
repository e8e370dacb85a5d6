/**
 * Decides how a YAML list of overrides is taken apart: entry by entry where each begins with a
 * dash on a line of its own, so that a long list keeps nobody waiting and a mistake costs one
 * entry. A list in brackets can only be read whole, and so has to be short.
 *
 * Its last line must be whole, as while a file is being written it may not be: an entry cut short
 * before its from and until would count at once and without end. What is in brackets shows its own end.
 *
 * Does not know what a setting may hold.
 */

import { type Document, isMap, isSeq, LineCounter, parseDocument, type YAMLSeq } from "yaml";
import { type BadLine, isAbsent, shown, type WrittenOverride } from "./written-override.js";

const SETTINGS = ["address", "owner", "from", "until", "backendAddress", "aliases"];
const EXPECTED = "Expected a list of entries like - {address: bob@corp.example, owner: workmail}.";
/** In brackets, or with the end of the document marked. */
const SHOWS_ITS_END = /^\s*-\s+[[{]|\n\.\.\.\s*$/;
const LONGEST_WHOLE = 50_000;

/** The overrides of a file, and the lines that are none, as they come. */
export function* overridesInYaml(written: string): Generator<WrittenOverride | BadLine, void> {
  const text = written.startsWith("\uFEFF") ? written.slice(1) : written;
  const lines = linesOf(text);
  let dash: string | undefined;
  let entry = "";
  let entryLine = 1;
  let lastLine = 1;
  for (const { line, content } of lines) {
    if (dash === undefined) {
      if (/^(?:\s*(?:#.*)?|---\s*(?:#.*)?|%.*)$/.test(content.trimEnd())) continue;
      dash = /^ *-(?=\s)/.exec(content)?.[0];
      if (dash === undefined) return yield* shortList(text);
    }
    // Whatever belongs to an entry is indented deeper than its dash, so such a line always begins the next one.
    if (content.startsWith(dash) && /\s/.test(content.charAt(dash.length))) {
      if (entry !== "") yield* entriesIn(entry, entryLine);
      entry = "";
      entryLine = line;
    }
    entry += content;
    lastLine = line;
  }
  if (entry === "") yield { line: 1, problem: `the list is missing. ${EXPECTED} An empty list is written [].` };
  else yield* entriesIn(entry, entryLine);
  if (!text.endsWith("\n") && !SHOWS_ITS_END.test(entry)) {
    yield { line: lastLine, problem: "has no line end, as when a file is not yet written to its end. Add one." };
  }
}

function* shortList(text: string): Generator<WrittenOverride | BadLine, void> {
  if (text.length <= LONGEST_WHOLE) return yield* entriesIn(text, 1);
  yield { line: 1, problem: "is too long for a list in brackets. Begin each entry with '- ' on a line of its own." };
}

function* linesOf(text: string): Generator<{ line: number; content: string }, void> {
  let line = 1;
  for (let at = 0; at < text.length; line++) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline + 1;
    yield { line, content: end === text.length ? `${text.slice(at)}\n` : text.slice(at, end) };
    at = end;
  }
}

function* entriesIn(text: string, firstLine: number): Generator<WrittenOverride | BadLine, void> {
  const counter = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  } catch (error) {
    // Nested beyond all bounds.
    return yield { line: firstLine, problem: `cannot be read: ${(error as Error).message}.` };
  }
  const lineAt = (position: number) => firstLine + counter.linePos(position).line - 1;
  for (const { pos, message } of document.errors) yield { line: lineAt(pos[0]), problem: `is no YAML: ${message}.` };
  if (document.errors.length > 0) return;
  const list = document.contents;
  if (!isSeq(list)) return yield { line: firstLine, problem: `is no list. ${EXPECTED}` };
  for (const item of (list as YAMLSeq<{ range?: [number, number, number] | null }>).items) {
    const line = lineAt(item?.range?.[0] ?? 0);
    if (!isMap(item)) {
      yield { line, problem: `is no override. ${EXPECTED}` };
      continue;
    }
    let settings: Record<string, unknown>;
    try {
      settings = item.toJS(document) as Record<string, unknown>;
    } catch (error) {
      // References to references, meant to grow beyond all bounds.
      yield { line, problem: `cannot be read: ${(error as Error).message}.` };
      continue;
    }
    for (const name of Object.keys(settings).filter((key) => !SETTINGS.includes(key)))
      yield { line, problem: `there is no setting ${shown(name)}. Expected ${SETTINGS.join(", ")}.` };
    yield { line, ...pick(settings) };
  }
}

function pick(settings: Record<string, unknown>): Omit<WrittenOverride, "line"> {
  const of = (name: string) => (isAbsent(settings[name]) ? undefined : settings[name]);
  return {
    address: of("address"),
    owner: of("owner"),
    from: of("from"),
    until: of("until"),
    backendAddress: of("backendAddress"),
    aliases: of("aliases"),
  };
}
