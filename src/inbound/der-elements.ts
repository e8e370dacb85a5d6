/**
 * Decides what is an element of DER (X.690), as far as a few nested sequences need it: one
 * byte of tag, a definite length in its shortest form, and content that is all there.
 *
 * Knows no meaning of any tag. Throws {@link DerError}, and nothing else.
 */

/** The bytes are no DER, or not what was expected there. The text names the fault, never a content. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DerError";
  }
}

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** More in a row than this nobody sends. */
const MOST_ELEMENTS = 64;

/** All elements in a row, to the last byte. */
export function elementsOf(bytes: Buffer): readonly DerElement[] {
  const found: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (found.length === MOST_ELEMENTS) throw new DerError("too many elements");
    const tag = bytes[at] as number;
    if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
    const { length, begins } = lengthAt(bytes, at + 1);
    if (begins + length > bytes.length) throw new DerError("an element beyond its end");
    found.push({ tag, content: bytes.subarray(begins, begins + length) });
    at = begins + length;
  }
  return found;
}

/** The one element that these bytes are. */
export function elementOf(bytes: Buffer, tag: number): Buffer {
  const [element, ...more] = elementsOf(bytes);
  if (element === undefined || more.length > 0 || element.tag !== tag) throw new DerError("another element expected");
  return element.content;
}

export function writeElement(tag: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  if (length > 0xffff) throw new DerError("content too long");
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length];
  return Buffer.concat([Buffer.from(head), ...content]);
}

function lengthAt(bytes: Buffer, at: number): { length: number; begins: number } {
  const first = bytes[at];
  if (first === undefined) throw new DerError("an element without a length");
  if (first < 0x80) return { length: first, begins: at + 1 };
  const size = first - 0x80;
  if (size === 0 || size > 2 || at + 1 + size > bytes.length) throw new DerError("a length that is none");
  const length = bytes.readUIntBE(at + 1, size);
  if (length < (size === 1 ? 0x80 : 0x100)) throw new DerError("a length in a longer form than needed");
  return { length, begins: at + 1 + size };
}
