/**
 * Decides how an element looks in the form nearly every sender writes it: children in
 * the schema's order, one prefix throughout, no attributes, no white space between tags,
 * text without references. Such an element is matched in one go, which is many times
 * faster than walking it tag by tag; anything else is simply not matched, and walked.
 *
 * Knows the form only, not what the texts mean.
 */

/** A child with text, a child that is `true` or `false` in so many letters, or children within a child. Names without prefix: all share the element's own. */
export type PlainPart =
  | { readonly text: string; readonly optional?: boolean }
  | { readonly flag: string }
  | { readonly group: string; readonly parts: readonly PlainPart[]; readonly optional?: boolean };

export class PlainForm {
  readonly #element: string;
  readonly #parts: readonly PlainPart[];
  readonly #byPrefix = new Map<string, RegExp>();

  /** `element` and all its parts are in one namespace. */
  constructor(element: string, parts: readonly PlainPart[]) {
    this.#element = element;
    this.#parts = parts;
  }

  /**
   * Matches the whole element; one capture per text and flag, in order, a flag's undefined unless it is true. Sticky: set `lastIndex`.
   * Undefined for a prefix nobody uses: a pattern repeats it dozens of times, and is refused by the engine when too large.
   */
  pattern(writtenName: string): RegExp | undefined {
    const prefix = writtenName.slice(0, writtenName.indexOf(":") + 1);
    let pattern = this.#byPrefix.get(prefix);
    if (pattern === undefined) {
      if (prefix.length > LONGEST_PREFIX) return undefined;
      if (this.#byPrefix.size >= MOST_PREFIXES) this.#byPrefix.clear();
      const source = this.#parts.map((part) => written(part, escapedForPattern(prefix))).join("");
      const name = escapedForPattern(prefix) + this.#element;
      pattern = new RegExp(`<${name}>${source}</${name}>`, "y");
      this.#byPrefix.set(prefix, pattern);
    }
    return pattern;
  }
}

/** Senders have one prefix or none; what strangers make up is not kept for ever. */
const MOST_PREFIXES = 20;
/** So short that V8 copies it; a longer piece would keep the whole message alive. */
const LONGEST_PREFIX = 12;

/**
 * Whether there is a ']]>' in it, the cursor knows. No character that XML forbids, which the cursor counts on, and no carriage
 * return, because XML turns it into something else.
 */
const TEXT = "([^<&\\u0000-\\u0008\\u000b-\\u001f\\ufffe\\uffff]*)";

function written(part: PlainPart, prefix: string): string {
  if ("flag" in part) return `<${prefix}${part.flag}>(?:(t)rue|false)</${prefix}${part.flag}>`;
  const name = "text" in part ? part.text : part.group;
  const inner = "text" in part ? TEXT : part.parts.map((inside) => written(inside, prefix)).join("");
  const whole = `<${prefix}${name}>${inner}</${prefix}${name}>`;
  return part.optional ? `(?:${whole})?` : whole;
}

function escapedForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
