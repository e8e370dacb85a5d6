/**
 * Decides what is well-formed XML here, and walks it: a forward cursor over one text,
 * by namespace, without building a tree.
 *
 * Narrower than XML 1.0 on purpose: no DOCTYPE (so no entities but the five and numbers),
 * at most {@link MAXIMUM_DEPTH} levels and {@link MAXIMUM_ATTRIBUTES} attributes. The limits
 * are checked where a tag opens, so hostile nesting costs what its first 64 tags cost.
 * Everything that is skipped is still checked for form.
 *
 * Names come out as a short prefix of the namespace's own and the local name ("t:Bias"),
 * whatever prefixes the sender chose. Knows nothing about SOAP or EWS beyond that table.
 */

import { RequestFault } from "../availability/request-fault.js";
import type { PlainForm } from "./plain-form.js";
import { outermostScope, type Scope, XML_NAMESPACE } from "./xml-namespaces.js";

export const MAXIMUM_DEPTH = 64;
export const MAXIMUM_ATTRIBUTES = 64;

const FORBIDDEN_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

// Character classes of tags: bit 1 may start a name, bit 2 may continue one, bit 4 is white space.
const CLASS = new Uint8Array(128);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:") CLASS[c.charCodeAt(0)] = 3;
for (const c of "0123456789.-") CLASS[c.charCodeAt(0)] = 2;
for (const c of " \t\r\n") CLASS[c.charCodeAt(0)] = 4;

const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;

export class XmlCursor {
  #name = "";
  readonly #text: string;
  #at = 0;
  readonly #open: string[] = [];
  readonly #scopes: Scope[] = [];
  #scope: Scope = outermostScope();
  #selfClosed = false;
  #attributes: { name: string; value: string }[] = [];
  // Where the next '&' and ']]>' are, so that runs of text without them cost nothing.
  #nextAmpersand: number;
  #nextSectionEnd: number;
  readonly #hasReturns: boolean;
  #captured: string | undefined;
  // What the texts that were read last in one go were matched by.
  #plainBefore: RegExp | undefined;
  // Up to here no character is one that XML forbids. Plain forms hold none, everything else is looked through.
  #allowedTo = 0;

  constructor(text: string) {
    this.#text = text;
    this.#nextAmpersand = indexOrInfinity(text, "&", 0);
    this.#nextSectionEnd = indexOrInfinity(text, "]]>", 0);
    this.#hasReturns = text.includes("\r");
    this.#declaration();
    if (!this.#advance()) this.#fail("no root element", text.length);
  }

  /** Name of the element whose start tag was read last: "t:Bias", "?:Unknown". A method, so that no compiler believes it constant. */
  name(): string {
    return this.#name;
  }

  /** How many elements are open, the one the cursor stands on included. */
  get depth(): number {
    return this.#open.length;
  }

  /**
   * Moves to the next child of the element that is `depth` deep, passing over what was not read of the child before.
   * False when that element has ended; the cursor is then behind it.
   *
   *     const depth = cursor.depth;
   *     while (cursor.nextChild(depth)) switch (cursor.name()) { … }
   */
  nextChild(depth: number): boolean {
    for (;;) {
      const started = this.#advance();
      if (started && this.#open.length === depth + 1) return true;
      if (!started && this.#open.length < depth) return false;
    }
  }

  /** The element's own text, without that of its children; the cursor is then behind the element. */
  text(): string {
    const plain = this.#plainText();
    if (plain !== undefined) return plain;
    const depth = this.#open.length;
    this.#captured = "";
    for (;;) {
      const started = this.#advance();
      if (!started && this.#open.length < depth) break;
      // Inside a child, or behind one: only text directly in the element counts.
      if (started) this.#skipChild(depth);
    }
    const text = this.#captured;
    this.#captured = undefined;
    return text;
  }

  /**
   * The texts of the element whose start tag was read last, when all of it is written in this plain form; the cursor is
   * then behind it. Undefined when it is not, and nothing has moved. The texts are those that walking it would give.
   */
  plainTexts(form: PlainForm): RegExpExecArray | undefined {
    if (this.#selfClosed || this.#attributes.length > 0) return undefined;
    const written = this.#open.at(-1) as string;
    const pattern = form.pattern(written);
    const texts = this.#plainAt(this.#at - written.length - 2, pattern);
    if (texts === undefined) return undefined;
    this.#close();
    this.#plainBefore = pattern;
    return texts;
  }

  /** The same of the element right behind the one whose texts were read so last, when it has the same name and form. */
  nextPlainTexts(): RegExpExecArray | undefined {
    return this.#plainAt(this.#at, this.#plainBefore);
  }

  #plainAt(start: number, pattern: RegExp | undefined): RegExpExecArray | undefined {
    if (pattern === undefined) return undefined;
    pattern.lastIndex = start;
    const texts = pattern.exec(this.#text);
    if (texts === null || this.#nextSectionEnd < pattern.lastIndex) return undefined;
    if (this.#allowedTo < start) this.#allowed(start);
    this.#at = this.#allowedTo = pattern.lastIndex;
    return texts;
  }

  /** An attribute of the element whose start tag was read last: "Version", or "s:mustUnderstand" with its namespace's prefix. */
  attribute(name: string): string | undefined {
    for (const attribute of this.#attributes) {
      const written = attribute.name;
      if (written === name && !written.includes(":")) return attribute.value;
      if (written.includes(":") && this.#scope.elementName(written) === name) return attribute.value;
    }
    return undefined;
  }

  /** Reads on to the end, so that what follows the part of interest is checked for form too; until then nothing is to be believed. */
  finish(): void {
    while (this.#open.length > 0) this.#advance();
    this.#advance();
    this.#allowed(this.#text.length);
  }

  /** The common case, text and then the end tag, without the general machinery; undefined when there is more to it. */
  #plainText(): string | undefined {
    if (this.#selfClosed) return undefined;
    const from = this.#at;
    const lt = this.#text.indexOf("<", from);
    if (lt < 0 || this.#text.charCodeAt(lt + 1) !== SLASH) return undefined;
    if (this.#nextAmpersand < lt || this.#nextSectionEnd < lt || this.#hasReturns) return undefined;
    this.#endTag(lt);
    return this.#text.slice(from, lt);
  }

  #skipChild(depth: number): void {
    const captured = this.#captured;
    this.#captured = undefined;
    while (this.#open.length > depth) this.#advance();
    this.#captured = captured;
  }

  /** To the next tag. True: an element started. False: one ended, or, outside the root, the text did. */
  #advance(): boolean {
    if (this.#selfClosed) {
      this.#selfClosed = false;
      this.#close();
      return false;
    }
    const text = this.#text;
    for (;;) {
      const lt = text.indexOf("<", this.#at);
      if (lt !== this.#at) this.#characters(lt < 0 ? text.length : lt);
      if (lt < 0) {
        if (this.#open.length > 0) this.#fail(`<${this.#open.at(-1)}> is never closed`, text.length);
        return false;
      }
      switch (text.charCodeAt(lt + 1)) {
        case SLASH:
          this.#endTag(lt);
          return false;
        case BANG:
          this.#markup(lt);
          break;
        case QUESTION:
          this.#instruction(lt);
          break;
        default:
          this.#startTag(lt);
          return true;
      }
    }
  }

  #startTag(lt: number): void {
    const text = this.#text;
    if (this.#open.length === 0 && this.#scopes.length === 0 && this.#name !== "")
      this.#fail("a second root element", lt);
    if (this.#open.length >= MAXIMUM_DEPTH) this.#fail(`elements nested deeper than ${MAXIMUM_DEPTH}`, lt);
    let at = this.#nameEnd(lt + 1);
    const written = text.slice(lt + 1, at);
    this.#scopes.push(this.#scope);
    if (this.#attributes.length > 0) this.#attributes = [];
    if (text.charCodeAt(at) !== GT) at = this.#attributesFrom(at);
    if (text.charCodeAt(at) === SLASH) {
      this.#selfClosed = true;
      at++;
    }
    if (text.charCodeAt(at) !== GT) this.#fail(`'>' expected at the end of <${written}`, at);
    const name = this.#scope.elementName(written);
    if (name === undefined) this.#fail(`<${written}> uses a prefix that is not declared`, lt);
    this.#open.push(written);
    this.#name = name;
    this.#at = at + 1;
  }

  /** Reads attributes up to '>' or '/', taking in namespace declarations; returns where it stopped. */
  #attributesFrom(start: number): number {
    const text = this.#text;
    const declarations: [string, string][] = [];
    let count = 0;
    let at = start;
    for (;;) {
      const blank = this.#skipBlanks(at);
      const code = text.charCodeAt(blank);
      if (code === GT || code === SLASH) {
        at = blank;
        break;
      }
      if (blank === at) this.#fail("white space expected before an attribute", at);
      if (++count > MAXIMUM_ATTRIBUTES) this.#fail(`more than ${MAXIMUM_ATTRIBUTES} attributes`, blank);
      const nameEnd = this.#nameEnd(blank);
      const name = text.slice(blank, nameEnd);
      const equals = this.#skipBlanks(nameEnd);
      if (text[equals] !== "=") this.#fail(`'=' expected after attribute ${name}`, equals);
      const open = this.#skipBlanks(equals + 1);
      const quote = text[open];
      if (quote !== '"' && quote !== "'") this.#fail(`a quoted value expected for attribute ${name}`, open);
      const close = text.indexOf(quote, open + 1);
      if (close < 0) this.#fail(`the value of attribute ${name} is never closed`, open);
      const raw = text.slice(open + 1, close);
      if (raw.includes("<")) this.#fail(`'<' in the value of attribute ${name}`, open);
      const value = this.#decoded(raw.replace(/\r\n|[\t\r\n]/g, " "), open + 1);
      if (name === "xmlns") declarations.push(["", value]);
      else if (name.startsWith("xmlns:")) declarations.push([this.#declared(name.slice(6), value, blank), value]);
      if (this.#attributes.some((other) => other.name === name)) this.#fail(`attribute ${name} given twice`, blank);
      this.#attributes.push({ name, value });
      at = close + 1;
    }
    if (declarations.length > 0) this.#scope = this.#scope.with(declarations);
    for (const { name } of this.#attributes) {
      const prefixed = name.includes(":") && !name.startsWith("xmlns:");
      if (prefixed && this.#scope.elementName(name) === undefined) {
        this.#fail(`attribute ${name} uses a prefix that is not declared`, start);
      }
    }
    return at;
  }

  #declared(prefix: string, uri: string, at: number): string {
    if (prefix === "" || prefix.includes(":") || prefix === "xmlns" || uri === "") {
      this.#fail("a namespace declaration that declares nothing", at);
    }
    if ((prefix === "xml") !== (uri === XML_NAMESPACE)) this.#fail("the prefix xml belongs to the XML namespace", at);
    return prefix;
  }

  #endTag(lt: number): void {
    const text = this.#text;
    const expected = this.#open.at(-1);
    const named = lt + 2;
    if (expected === undefined || !text.startsWith(expected, named)) {
      this.#fail(expected === undefined ? "an end tag without a start" : `</${expected}> expected`, lt);
    }
    let at = named + expected.length;
    if (text.charCodeAt(at) !== GT) at = this.#skipBlanks(at);
    if (text.charCodeAt(at) !== GT) this.#fail(`</${expected}> expected`, lt);
    this.#at = at + 1;
    this.#close();
  }

  #close(): void {
    this.#open.pop();
    this.#scope = this.#scopes.pop() as Scope;
  }

  /** A comment or a CDATA section. A DOCTYPE is refused, whatever it declares. */
  #markup(lt: number): void {
    const text = this.#text;
    if (text.startsWith("<!--", lt)) {
      const end = text.indexOf("--", lt + 4);
      if (end < 0 || text.charCodeAt(end + 2) !== GT) this.#fail("a comment that is not closed by '-->'", lt);
      this.#at = end + 3;
    } else if (text.startsWith("<![CDATA[", lt) && this.#open.length > 0) {
      const end = text.indexOf("]]>", lt + 9);
      if (end < 0) this.#fail("a CDATA section that is never closed", lt);
      if (this.#captured !== undefined) this.#captured += this.#lines(lt + 9, end);
      this.#at = end + 3;
      this.#nextSectionEnd = indexOrInfinity(text, "]]>", this.#at);
      if (this.#nextAmpersand < this.#at) this.#nextAmpersand = indexOrInfinity(text, "&", this.#at);
    } else if (text.startsWith("<!DOCTYPE", lt)) {
      this.#fail("For security reasons DTD is prohibited in this XML document", lt);
    } else this.#fail("markup that XML does not know", lt);
  }

  #instruction(lt: number): void {
    const text = this.#text;
    const nameEnd = this.#nameEnd(lt + 2);
    if (text.slice(lt + 2, nameEnd).toLowerCase() === "xml") this.#fail("an XML declaration inside the document", lt);
    const end = text.indexOf("?>", nameEnd);
    if (end < 0) this.#fail("a processing instruction that is never closed", lt);
    if (end !== nameEnd && this.#skipBlanks(nameEnd) === nameEnd) this.#fail("white space expected after '<?name'", lt);
    this.#at = end + 2;
  }

  /** `<?xml version=… encoding=…?>`, when the text begins with it. */
  #declaration(): void {
    const match = /^<\?xml(\s[^?]*)\?>/.exec(this.#text);
    if (match === null) {
      if (/^<\?xml[\s?]/.test(this.#text)) this.#fail("an XML declaration that cannot be read", 0);
      return;
    }
    const body = match[1] as string;
    const form =
      /^\s+version\s*=\s*(?:"1\.\d"|'1\.\d')(?:\s+encoding\s*=\s*(?:"([\w.-]+)"|'([\w.-]+)'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*$/;
    const parts = form.exec(body);
    if (parts === null) this.#fail("an XML declaration that cannot be read", 0);
    const encoding = parts[1] ?? parts[2] ?? "utf-8";
    if (!/^(utf-?8|us-ascii|ascii)$/i.test(encoding)) this.#fail(`encoding ${encoding}: send UTF-8`, 0);
    this.#at = match[0].length;
  }

  /** The text from the cursor up to `end`: checked, and kept when somebody wants it. */
  #characters(end: number): void {
    const from = this.#at;
    this.#at = end;
    if (this.#open.length === 0) {
      if (this.#skipBlanks(from) < end) this.#fail("text outside the root element", this.#skipBlanks(from));
      return;
    }
    // What was found last may have been in a comment, an instruction or an attribute, where it says nothing.
    if (this.#nextSectionEnd < from) this.#nextSectionEnd = indexOrInfinity(this.#text, "]]>", from);
    if (this.#nextSectionEnd < end) this.#fail("']]>' in text", this.#nextSectionEnd);
    let piece: string | undefined;
    if (this.#nextAmpersand < end) {
      piece = this.#decoded(this.#lines(from, end), from);
      this.#nextAmpersand = indexOrInfinity(this.#text, "&", end);
    }
    if (this.#captured === undefined) return;
    piece ??= this.#lines(from, end);
    this.#captured = this.#captured === "" ? piece : this.#captured + piece;
  }

  /** A stretch of the text with its line ends as XML wants them. */
  #lines(from: number, end: number): string {
    const piece = this.#text.slice(from, end);
    return this.#hasReturns ? piece.replace(/\r\n?/g, "\n") : piece;
  }

  #decoded(raw: string, at: number): string {
    if (!raw.includes("&")) return raw;
    return raw.replace(/&([^;&\s]{0,10};)?/g, (whole, reference: string | undefined, offset: number) => {
      const character = reference === undefined ? undefined : characterOf(reference.slice(0, -1));
      if (character === undefined) this.#fail(`'${whole}' is not a reference XML knows`, at + offset);
      return character;
    });
  }

  #nameEnd(start: number): number {
    const text = this.#text;
    let at = start;
    let code = text.charCodeAt(at);
    if (!(code >= 128 || (CLASS[code] as number) & 1)) this.#fail("a name expected", at);
    do code = text.charCodeAt(++at);
    while (code >= 128 || (CLASS[code] as number) & 2);
    return at;
  }

  #skipBlanks(start: number): number {
    let at = start;
    while ((CLASS[this.#text.charCodeAt(at)] as number) & 4) at++;
    return at;
  }

  /** Refuses the text when a character before `end`, not looked at so far, is one that XML forbids. */
  #allowed(end: number): void {
    const bad = FORBIDDEN_CHARACTERS.exec(this.#text.slice(this.#allowedTo, end));
    if (bad !== null) this.#refuse("a character that XML does not allow", this.#allowedTo + bad.index);
  }

  /** What is wrong first is told: it may be a character that XML forbids that brought the reader here. */
  #fail(what: string, at: number): never {
    this.#allowed(at + 1);
    this.#refuse(what, at);
  }

  #refuse(what: string, at: number): never {
    let line = 1;
    let lineEnd = this.#text.indexOf("\n");
    let column = at + 1;
    for (; lineEnd >= 0 && lineEnd < at; lineEnd = this.#text.indexOf("\n", lineEnd + 1)) {
      line++;
      column = at - lineEnd;
    }
    throw new RequestFault(
      "malformed",
      `The request failed schema validation: ${what}. Line ${line}, position ${column}.`,
      {
        line,
        column,
      },
    );
  }
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function characterOf(reference: string): string | undefined {
  if (!reference.startsWith("#")) return Object.hasOwn(NAMED, reference) ? NAMED[reference] : undefined;
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(reference);
  if (digits === null) return undefined;
  const code = digits[1] !== undefined ? Number.parseInt(digits[1], 16) : Number.parseInt(digits[2] as string, 10);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  const character = String.fromCodePoint(code);
  return FORBIDDEN_CHARACTERS.test(character) ? undefined : character;
}

function indexOrInfinity(text: string, wanted: string, from: number): number {
  const at = text.indexOf(wanted, from);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}
