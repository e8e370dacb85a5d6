/**
 * Decides which texts are read as Autodiscover requests at all, and gives them as a tree of
 * elements with their namespaces. Small on purpose: a request names a mailbox or a hundred,
 * and nothing about it needs depth, long tags or a DOCTYPE.
 *
 * xml2js knows no limits of its own. Bytes are capped before it sees them, a DOCTYPE ends the
 * matter unread, and depth and number are checked where a tag begins, so hostile nesting costs
 * its first few tags only. Stretches without a '<' are capped because an attribute list costs its square.
 */

import { Parser } from "xml2js";
import { RequestFault } from "../availability/request-fault.js";

/** A hundred users with long addresses and every setting there is are half of this. */
export const MAXIMUM_BYTES = 65_536;
const MAXIMUM_DEPTH = 16;
/** A hundred users and every setting there is are 300. Tens of thousands would stop everybody else for 100 ms. */
const MAXIMUM_ELEMENTS = 512;
const MAXIMUM_STRETCH = 2_048;

export interface RequestElement {
  /** The namespace's URI; empty: none. */
  readonly namespace: string;
  readonly name: string;
  /** The element's own text, trimmed. */
  readonly text: string;
  /** Attribute values by name as written, "s:mustUnderstand". */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly RequestElement[];
}

/** The root element, or a {@link RequestFault} of reason `malformed`. */
export function readRequestTree(bytes: Buffer): RequestElement {
  if (bytes.length === 0) throw malformed("the body is empty");
  if (bytes.length > MAXIMUM_BYTES) throw malformed(`more than ${MAXIMUM_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("the body is not UTF-8");
  }
  if (/<!doctype/i.test(text)) throw malformed("a DOCTYPE is not read here");
  if (STRETCH.test(text)) throw malformed(`a tag or text of more than ${MAXIMUM_STRETCH} characters`);
  return elementOf(parsed(text));
}

/** Children of that name, in that namespace. */
export function childrenNamed(element: RequestElement, namespace: string, name: string): RequestElement[] {
  return element.children.filter((child) => child.namespace === namespace && child.name === name);
}

export function malformed(what: string): RequestFault {
  return new RequestFault("malformed", `The Autodiscover request cannot be read: ${what}.`);
}

const STRETCH = new RegExp(`<[^<]{${MAXIMUM_STRETCH}}`);

// '#' begins no XML name, so no element can pass for one of these.
const [TEXT, ATTRIBUTES, CHILDREN] = ["#text", "#attributes", "#children"] as const;
type ParsedNode = {
  readonly [TEXT]?: string;
  readonly [ATTRIBUTES]?: Readonly<Record<string, { readonly value: string }>>;
  readonly [CHILDREN]?: readonly ParsedNode[];
  readonly "#attributesns": { readonly uri: string; readonly local: string };
};

interface SaxParser {
  readonly tags: readonly unknown[];
  onopentagstart: () => void;
  onerror: (error: Error) => void;
}

function parsed(text: string): ParsedNode {
  const parser = new Parser({
    xmlns: true,
    explicitRoot: false,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitCharkey: true,
    charkey: TEXT,
    attrkey: ATTRIBUTES,
    childkey: CHILDREN,
  });
  const { saxParser } = parser as unknown as { saxParser: SaxParser };
  // xml2js is content when the root has ended, and swallows what is wrong behind it; thrown, it counts.
  saxParser.onerror = (error) => {
    throw error;
  };
  let [roots, elements] = [0, 0];
  saxParser.onopentagstart = () => {
    if (saxParser.tags.length === 0 && ++roots > 1) throw malformed("a second root element");
    if (++elements > MAXIMUM_ELEMENTS) throw malformed(`more than ${MAXIMUM_ELEMENTS} elements`);
    if (saxParser.tags.length >= MAXIMUM_DEPTH) throw malformed(`more than ${MAXIMUM_DEPTH} levels`);
  };
  let outcome: { error?: Error | null; root?: ParsedNode | null } | undefined;
  // Without `async` it calls back before it returns; what it meets behind the root it throws.
  try {
    parser.parseString(text, (error, root) => {
      outcome ??= { error, root };
    });
  } catch (error) {
    outcome = { error: error as Error };
  }
  if (outcome?.error instanceof RequestFault) throw outcome.error;
  if (outcome?.error) throw malformed(`it is not well-formed XML (${sentence(outcome.error)})`);
  if (!outcome?.root) throw malformed("it holds no element");
  return outcome.root;
}

/** The parser's messages are several lines: what, where, and the character met, which is left out. */
function sentence({ message }: Error): string {
  const [what, line, column] = message.split("\n");
  return [what, line, column].flatMap((part) => (part ? [part.trim().slice(0, 80)] : [])).join(", ");
}

function elementOf(node: ParsedNode): RequestElement {
  const { uri, local } = node["#attributesns"];
  return {
    namespace: uri,
    name: local,
    text: (node[TEXT] ?? "").trim(),
    attributes: new Map(Object.entries(node[ATTRIBUTES] ?? {}).map(([name, { value }]) => [name, value])),
    children: (node[CHILDREN] ?? []).map(elementOf),
  };
}
