/**
 * Decides whose question goes next when not all can: callers take turns, mailbox by mailbox,
 * however many questions each of them has; those of one caller go in the order they came.
 * When the queue is full, the caller with the longest line loses its newest question, so
 * whoever asks for less than an equal share is never turned away.
 *
 * Pure but for what it remembers. Knows no backend, and not what a question is about.
 */

export interface Queued {
  readonly askedBy: string;
  /** Only questions of equal kinds go together. */
  readonly kind: string;
}

export class FairQueue<Item extends Queued> {
  /** In the order in which it is the callers' turn; no line is empty. */
  readonly #lines = new Map<string, Set<Item>>();
  readonly #maximum: number;
  #size = 0;

  /** `maximum`: how many may wait in all. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#size;
  }

  /** Who had to leave for it, which may be the item itself; undefined: nobody. */
  add(item: Item): Item | undefined {
    const loser = this.#size >= this.#maximum ? this.#loser(item) : undefined;
    if (loser === item) return item;
    if (loser !== undefined) this.remove(loser);
    const line = this.#lines.get(item.askedBy);
    if (line === undefined) this.#lines.set(item.askedBy, new Set([item]));
    else line.add(item);
    this.#size++;
    return loser;
  }

  /** False when it was not waiting. */
  remove(item: Item): boolean {
    const line = this.#lines.get(item.askedBy);
    if (!line?.delete(item)) return false;
    if (line.size === 0) this.#lines.delete(item.askedBy);
    this.#size--;
    return true;
  }

  /** At most so many, all of one kind: that of whose turn it is. Empty only when nobody waits. */
  take(atMost: number): Item[] {
    const [turn] = this.#lines;
    if (turn === undefined) return [];
    const [caller, line] = turn;
    const [head] = line;
    const { kind } = head as Item;
    // Whoever chose the kind of this one goes last for the next.
    this.#lines.delete(caller);
    this.#lines.set(caller, line);
    const taken: Item[] = [];
    let sources = [line, ...[...this.#lines.values()].filter((other) => other !== line)].map((items) =>
      ofKind(items, kind),
    );
    while (taken.length < atMost && sources.length > 0) {
      sources = sources.filter((source) => {
        if (taken.length === atMost) return false;
        const { value } = source.next();
        if (value !== undefined) taken.push(value);
        return value !== undefined;
      });
    }
    for (const item of taken) this.remove(item);
    return taken;
  }

  /** The newest of the longest line; the newcomer, where its own is as long. */
  #loser(newcomer: Item): Item {
    let longest = this.#lines.get(newcomer.askedBy);
    for (const line of this.#lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    if (longest === undefined || longest === this.#lines.get(newcomer.askedBy)) return newcomer;
    return [...longest].at(-1) as Item;
  }
}

function* ofKind<Item extends Queued>(items: Iterable<Item>, kind: string): Generator<Item, undefined> {
  for (const item of items) if (item.kind === kind) yield item;
  return undefined;
}
