/**
 * Decides when an element is unclear because it holds one of its children twice. Knows names only.
 */

/** Takes note of an element's children, of which each of EWS's own comes once; which of two is right is unknown. */
export class ElementChildren {
  readonly #names = new Set<string>();
  /** The name of one that came again. */
  repeated: string | undefined;

  /** The name itself. */
  next(name: string): string {
    if (this.#names.has(name) && !name.startsWith("?:")) this.repeated ??= name;
    this.#names.add(name);
    return name;
  }
}
