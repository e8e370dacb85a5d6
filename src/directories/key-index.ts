/**
 * Decides how a key is found among millions: in 256 open-addressing tables of pairs
 * [offset, hash], each growing on its own, so that growing never takes longer than a few
 * thousand moves. The hash beside the offset spares a look at the text of other keys.
 *
 * Must not know how keys are kept; it asks whether an offset holds a text.
 */

export interface KeyTexts {
  /** Whether the key at this offset consists of the first `length` code units of these. */
  holds(offset: number, codeUnits: Uint16Array, length: number): boolean;
}

const SHARDS = 256;
const FIRST_PAIRS = 16;

export class KeyIndex {
  readonly #texts: KeyTexts;
  readonly #shards = Array.from({ length: SHARDS }, () => new Int32Array(2 * FIRST_PAIRS));
  readonly #counts = new Int32Array(SHARDS);
  /** The key sought last: reading a text's letters is slow, and they are needed twice. */
  readonly #codeUnits: Uint16Array;
  #hash = 0;

  /** No key may be longer than `longestKey`. */
  constructor(texts: KeyTexts, longestKey: number) {
    this.#texts = texts;
    this.#codeUnits = new Uint16Array(longestKey);
  }

  /** The key's offset, 0 when it is not there. */
  find(key: string): number {
    const length = key.length;
    if (length > this.#codeUnits.length) return 0;
    const codeUnits = this.#codeUnits;
    let hash = 0x811c9dc5;
    for (let i = 0; i < length; i++) {
      const codeUnit = key.charCodeAt(i);
      codeUnits[i] = codeUnit;
      hash = Math.imul(hash ^ codeUnit, 0x01000193);
    }
    hash = mixed(hash);
    this.#hash = hash;
    const pairs = this.#shards[hash >>> 24] as Int32Array;
    const last = pairs.length - 1;
    for (let i = (hash << 1) & last; ; i = (i + 2) & last) {
      const offset = pairs[i] as number;
      if (offset === 0) return 0;
      if (pairs[i + 1] === hash && this.#texts.holds(offset >>> 0, codeUnits, length)) return offset >>> 0;
    }
  }

  /** Puts the key that was sought last, and was not there, at `offset`: more than 0 and less than 2 ** 32. */
  insertSought(offset: number): void {
    const shard = this.#hash >>> 24;
    let pairs = this.#shards[shard] as Int32Array;
    const count = (this.#counts[shard] as number) + 1;
    // Full to three quarters.
    if (count * 8 > pairs.length * 3) {
      const grown = new Int32Array(pairs.length * 2);
      for (let i = 0; i < pairs.length; i += 2) {
        if (pairs[i] !== 0) put(grown, pairs[i + 1] as number, pairs[i] as number);
      }
      this.#shards[shard] = grown;
      pairs = grown;
    }
    put(pairs, this.#hash, offset);
    this.#counts[shard] = count;
  }
}

function put(pairs: Int32Array, hash: number, offset: number): void {
  const last = pairs.length - 1;
  let i = (hash << 1) & last;
  while (pairs[i] !== 0) i = (i + 2) & last;
  pairs[i] = offset;
  pairs[i + 1] = hash;
}

/** So that every bit of a hash depends on all of the text. */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
