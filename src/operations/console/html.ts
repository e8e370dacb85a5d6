/**
 * Decides how text gets into a page: escaped, always, whatever it is and wherever it stands
 * (between tags, or in an attribute in double quotes). Only what this template wrote itself is
 * taken as it is. Characters that nobody sees, such as those that turn the direction of writing,
 * become U+FFFD: one address must not look like another.
 */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `undefined` and `false` are nothing, lists are their parts one after another. */
export type Part = Html | string | number | undefined | false | readonly Part[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => `${text}${written(parts[i - 1])}${string}`));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function written(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join("");
  return String(part)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => (/[\t\n]/.test(character) ? character : "\ufffd"))
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
