/** Decides how text is written into an Autodiscover answer: escaped, for element text. What is written is known to hold no control characters. */

const WRITTEN: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => WRITTEN[character] as string);
}
