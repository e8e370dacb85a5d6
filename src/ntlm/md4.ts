/**
 * The MD4 digest (RFC 1320). NTLM's password hash is made with it, and OpenSSL 3 no longer
 * offers it. For nothing else: it has been broken for decades.
 *
 * Pure. Knows nothing of NTLM.
 */

const SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
const CONSTANTS = [0, 0x5a827999, 0x6ed9eba1] as const;
/** Which of a block's 16 words each step of a round takes. */
const ORDER = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const;
const MIX: readonly ((x: number, y: number, z: number) => number)[] = [
  (x, y, z) => (x & y) | (~x & z),
  (x, y, z) => (x & y) | (x & z) | (y & z),
  (x, y, z) => x ^ y ^ z,
];

/** 16 bytes. */
export function md4(message: Uint8Array): Buffer {
  const blocks = padded(message);
  let state: Words = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let at = 0; at < blocks.length; at += 64) {
    const mixed = mixBlock(state, blocks, at);
    state = [state[0] + mixed[0], state[1] + mixed[1], state[2] + mixed[2], state[3] + mixed[3]];
  }
  const digest = Buffer.alloc(16);
  for (const [i, word] of state.entries()) digest.writeUInt32LE(word >>> 0, i * 4);
  return digest;
}

type Words = [number, number, number, number];

function mixBlock(state: Words, blocks: Buffer, at: number): Words {
  let [a, b, c, d] = state;
  for (let round = 0; round < 3; round++) {
    const mix = MIX[round] as (typeof MIX)[number];
    for (const [step, word] of (ORDER[round] as (typeof ORDER)[number]).entries()) {
      const sum = (a + mix(b, c, d) + blocks.readUInt32LE(at + word * 4) + (CONSTANTS[round] as number)) | 0;
      const shift = SHIFTS[round]?.[step % 4] as number;
      // Each step works on the next of the four words: they move up by one.
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  return [a, b, c, d];
}

/** The message, a one bit, zeros, and its length in bits: a multiple of 64 bytes. */
function padded(message: Uint8Array): Buffer {
  const blocks = Buffer.alloc((((message.length + 8) >> 6) + 1) * 64);
  blocks.set(message);
  blocks[message.length] = 0x80;
  blocks.writeBigUInt64LE(BigInt(message.length) * 8n, blocks.length - 8);
  return blocks;
}
