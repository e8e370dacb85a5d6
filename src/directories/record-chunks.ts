/**
 * Decides how a directory's recipients lie in memory: as bytes in chunks of 1 MB outside the
 * JavaScript heap, so that a million of them are a hundred buffers to the garbage collector.
 *
 *   record: [owner u32][number of keys u32], then its keys
 *   key:    [its record's offset u32][length u14, foreign, wide u16][one byte per code unit, two when wide]
 *
 * Offsets count through all chunks. What does not fit into the rest of a chunk begins the next
 * one, and zeros in its place say so: a key never spans chunks, a record of thousands of keys may.
 *
 * Must not know what owners and keys mean, nor how a key is found.
 */

/** Longer keys cannot be kept. Active Directory has no address or name of more than 1123 characters. */
export const LONGEST_KEY = 4096;

const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const WITHIN = CHUNK_BYTES - 1;
const MOST_CHUNKS = 4096;
const RECORD_HEAD = 8;
const KEY_HEAD = 6;
const LENGTH = 0x3fff;
const FOREIGN = 0x4000;
const WIDE = 0x8000;

export class RecordChunks {
  readonly #chunks: Buffer[] = [];
  /** Nothing begins at 0, so that 0 can mean "nowhere". */
  #end = RECORD_HEAD;

  /** Begins a record; its offset. At least one key must follow. Throws a RangeError beyond 4 GB. */
  begin(owner: number): number {
    const record = this.#reserve(RECORD_HEAD);
    this.#chunk(record).writeUInt32LE(owner, record & WITHIN);
    return record;
  }

  /** Adds a key to the record begun last; its offset. A foreign key is written down, but belongs to another record. */
  append(record: number, key: string, foreign: boolean): number {
    const wide = isWide(key);
    const at = this.#reserve(KEY_HEAD + (wide ? 2 * key.length : key.length));
    const [chunk, start] = [this.#chunk(at), at & WITHIN];
    chunk.writeUInt32LE(record, start);
    chunk.writeUInt16LE(key.length | (foreign ? FOREIGN : 0) | (wide ? WIDE : 0), start + 4);
    chunk.write(key, start + KEY_HEAD, wide ? "utf16le" : "latin1");
    this.#chunk(record).writeUInt32LE(this.keyCount(record) + 1, (record & WITHIN) + 4);
    return at;
  }

  owner(record: number): number {
    return this.#chunk(record).readUInt32LE(record & WITHIN);
  }

  keyCount(record: number): number {
    return this.#chunk(record).readUInt32LE((record & WITHIN) + 4);
  }

  recordOf(key: number): number {
    return this.#chunk(key).readUInt32LE(key & WITHIN);
  }

  firstKey(record: number): number {
    return this.#keyFrom(record + RECORD_HEAD);
  }

  /** Only for a key that is not its record's last. */
  nextKey(key: number): number {
    return this.#keyFrom(key + KEY_HEAD + byteLength(this.#head(key)));
  }

  isForeign(key: number): boolean {
    return (this.#head(key) & FOREIGN) !== 0;
  }

  text(key: number): string {
    const head = this.#head(key);
    const start = (key & WITHIN) + KEY_HEAD;
    return this.#chunk(key).toString(head & WIDE ? "utf16le" : "latin1", start, start + byteLength(head));
  }

  /** Whether the key is the first `length` of these code units. */
  holds(key: number, codeUnits: Uint16Array, length: number): boolean {
    const chunk = this.#chunk(key);
    const start = (key & WITHIN) + KEY_HEAD;
    const head = chunk.readUInt16LE(start - 2);
    if ((head & LENGTH) !== length) return false;
    if (head & WIDE) {
      for (let i = 0; i < length; i++) if (chunk.readUInt16LE(start + 2 * i) !== codeUnits[i]) return false;
    } else {
      for (let i = 0; i < length; i++) if (chunk[start + i] !== codeUnits[i]) return false;
    }
    return true;
  }

  /** Whether both keys are the same text, foreign or not alike. */
  sameKey(key: number, other: RecordChunks, otherKey: number): boolean {
    const head = this.#head(key);
    if (head !== other.#head(otherKey)) return false;
    const [mine, theirs] = [this.#chunk(key), other.#chunk(otherKey)];
    const [from, otherFrom] = [(key & WITHIN) + KEY_HEAD, (otherKey & WITHIN) + KEY_HEAD];
    for (let i = byteLength(head) - 1; i >= 0; i--) if (mine[from + i] !== theirs[otherFrom + i]) return false;
    return true;
  }

  /** Every record's offset, in the order they were begun. */
  *records(): Generator<number> {
    for (let at = RECORD_HEAD; at < this.#end; ) {
      const leftBehind = (at & WITHIN) + RECORD_HEAD > CHUNK_BYTES || this.keyCount(at) === 0;
      const record = leftBehind ? nextChunk(at) : at;
      yield record;
      let key = this.firstKey(record);
      for (let i = this.keyCount(record); i > 1; i--) key = this.nextKey(key);
      at = key + KEY_HEAD + byteLength(this.#head(key));
    }
  }

  #reserve(bytes: number): number {
    if (this.#chunks.length === 0 || (this.#end & WITHIN) === 0 || (this.#end & WITHIN) + bytes > CHUNK_BYTES) {
      if (this.#chunks.length === MOST_CHUNKS) throw new RangeError("the directory is larger than 4 GB");
      if (this.#chunks.length > 0) this.#end = this.#chunks.length * CHUNK_BYTES;
      this.#chunks.push(Buffer.alloc(CHUNK_BYTES));
    }
    const at = this.#end;
    this.#end += bytes;
    return at;
  }

  #keyFrom(at: number): number {
    const leftBehind = (at & WITHIN) + KEY_HEAD > CHUNK_BYTES || this.#head(at) === 0;
    return leftBehind ? nextChunk(at) : at;
  }

  #head(key: number): number {
    return this.#chunk(key).readUInt16LE((key & WITHIN) + 4);
  }

  #chunk(offset: number): Buffer {
    return this.#chunks[offset >>> CHUNK_BITS] as Buffer;
  }
}

function nextChunk(at: number): number {
  return ((at >>> CHUNK_BITS) + 1) * CHUNK_BYTES;
}

function byteLength(head: number): number {
  return head & WIDE ? (head & LENGTH) * 2 : head & LENGTH;
}

function isWide(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return true;
  return false;
}
