/**
 * Decides which namespace a name as written belongs to, and gives it the name this codec
 * uses: "t:Bias" for Bias in the EWS types namespace, whatever prefix the sender chose.
 *
 * Knows prefixes and addresses of namespaces; knows no text and no tags.
 */

import { ownText } from "../availability/own-text.js";

/** The namespaces this codec understands, by the prefix it uses for them. All others appear as "?:". */
const PREFIX_OF = new Map([
  ["http://schemas.xmlsoap.org/soap/envelope/", "s"],
  ["http://www.w3.org/2003/05/soap-envelope", "s12"],
  ["http://schemas.microsoft.com/exchange/services/2006/messages", "m"],
  ["http://schemas.microsoft.com/exchange/services/2006/types", "t"],
  ["http://schemas.microsoft.com/exchange/services/2006/errors", "e"],
  ["http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd", "wsse"],
  ["http://www.w3.org/XML/1998/namespace", "xml"],
]);
export const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

/**
 * The prefixes in force somewhere in the text: its own declarations, then its parent's. The same declarations in the
 * same place are one object, so that a name is resolved once however often it occurs.
 */
export class Scope {
  readonly #resolved = new Map<string, string>();
  readonly #inner = new Map<string, Scope>();
  readonly #own: ReadonlyMap<string, string>;
  readonly #outer: Scope | undefined;

  constructor(own: ReadonlyMap<string, string>, outer?: Scope) {
    this.#own = own;
    this.#outer = outer;
  }

  with(declarations: readonly (readonly [prefix: string, uri: string])[]): Scope {
    // No prefix holds '=', and each address has its length in front: no two lists of declarations share a key.
    let key = "";
    for (const [prefix, uri] of declarations) key += `${prefix}=${uri.length}=${uri}`;
    const known = this.#inner.get(key);
    if (known !== undefined) return known;
    const inner = new Scope(new Map(declarations.map(([prefix, uri]) => [ownText(prefix), ownText(uri)])), this);
    if (key.length <= LONGEST_REMEMBERED) {
      this.#inner.set(ownText(key), inner);
      remembered++;
    }
    return inner;
  }

  /** "t:Bias" for a name as written, or undefined when its prefix is not declared. */
  elementName(written: string): string | undefined {
    const known = this.#resolved.get(written);
    if (known !== undefined) return known;
    const colon = written.indexOf(":");
    const uri = this.#uriOf(colon < 0 ? "" : written.slice(0, colon));
    if (uri === undefined && colon >= 0) return undefined;
    const local = colon < 0 ? written : written.slice(colon + 1);
    if (local === "" || local.includes(":")) return undefined;
    const name = `${PREFIX_OF.get(uri ?? "") ?? "?"}:${local}`;
    if (written.length > LONGEST_REMEMBERED) return name;
    const own = ownText(name);
    this.#resolved.set(ownText(written), own);
    remembered++;
    return own;
  }

  #uriOf(prefix: string): string | undefined {
    const own = this.#own.get(prefix);
    return own !== undefined || this.#outer === undefined ? own : this.#outer.#uriOf(prefix);
  }
}

/**
 * Scopes outlive a document: callers and backends write the same few declarations and names for ever. What strangers
 * make up is forgotten, with everything else, once it is more than real senders could ever need.
 */
const MOST_REMEMBERED = 2_000;
/** Real names have 30 characters, real lists of declarations some hundred each. */
const LONGEST_REMEMBERED = 2_000;
let remembered = 0;
let outermost = new Scope(new Map([["xml", XML_NAMESPACE]]));

export function outermostScope(): Scope {
  if (remembered > MOST_REMEMBERED) {
    outermost = new Scope(new Map([["xml", XML_NAMESPACE]]));
    remembered = 0;
  }
  return outermost;
}
