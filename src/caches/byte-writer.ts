/**
 * Decides how numbers and texts lie in bytes: whole numbers in as few bytes as they need,
 * seven bits in each, the sign in the lowest bit; texts in UTF-8 behind their length.
 * Reading never goes past the end and never believes a length: whatever does not fit is
 * {@link UnreadableBytes}.
 */

export class UnreadableBytes extends Error {}

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  /** Safe integers only, of either sign. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError("no safe integer");
    // Not by shifting: that is for 32 bits.
    let rest = value < 0 ? -(value + 1) : value;
    let byte = (rest % 64) * 2 + (value < 0 ? 1 : 0);
    rest = Math.floor(rest / 64);
    while (rest > 0) {
      this.byte(byte + 128);
      byte = rest % 128;
      rest = Math.floor(rest / 128);
    }
    this.byte(byte);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.integer(length);
    this.#room(length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  finished(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe((this.#length + more) * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  integer(): number {
    let byte = this.byte();
    const negative = byte % 2 === 1;
    let value = Math.floor((byte % 128) / 2);
    for (let scale = 64; byte >= 128; scale *= 128) {
      byte = this.byte();
      value += (byte % 128) * scale;
      if (!Number.isSafeInteger(value)) throw new UnreadableBytes("a number is too large");
    }
    return negative ? -value - 1 : value;
  }

  /** How many follow, of things that take a byte each at least. */
  count(): number {
    const count = this.integer();
    if (count < 0 || count > this.#bytes.length - this.#at) throw new UnreadableBytes("more than there is");
    return count;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new UnreadableBytes("cut short");
    return byte;
  }

  text(): string {
    const length = this.count();
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new UnreadableBytes("longer than it says");
  }
}
