/**
 * Decides how text is written into XML: escaped, and without the characters XML cannot
 * hold at all. Knows no element.
 */

const SPECIAL =
  /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const EVERY_SPECIAL = new RegExp(SPECIAL, "g");
const WRITTEN: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};

/** For element text and double-quoted attributes. What XML cannot hold becomes U+FFFD. */
export function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(EVERY_SPECIAL, (character) => WRITTEN[character] ?? "\ufffd") : text;
}
