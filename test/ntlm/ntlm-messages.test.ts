import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAvPairs, writeAvPairs } from "../../src/ntlm/av-pairs.js";
import { NtlmMessageError } from "../../src/ntlm/message-error.js";
import {
  type AuthenticateMessage,
  type ChallengeMessage,
  MAXIMUM_MESSAGE_BYTES,
  readAuthenticate,
  readChallenge,
  readNegotiate,
  writeAuthenticate,
  writeChallenge,
  writeNegotiate,
} from "../../src/ntlm/ntlm-messages.js";

const UNICODE = 1;
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const text = fc.string({ unit: "binary", maxLength: 40 });
const flags = fc.nat(0xffff_ffff).map((some) => (some | UNICODE) >>> 0);
const challenges: fc.Arbitrary<ChallengeMessage> = fc.record({
  flags,
  targetName: text,
  serverChallenge: bytes(8, 8),
  targetInfo: bytes(0, 300),
});
const authentications: fc.Arbitrary<AuthenticateMessage> = fc.record({
  flags,
  lmResponse: bytes(0, 24),
  ntResponse: bytes(0, 400),
  domain: text,
  user: text,
  workstation: text,
  encryptedSessionKey: bytes(0, 16),
  mic: bytes(16, 16),
});
const READERS = [
  ["NEGOTIATE", readNegotiate],
  ["CHALLENGE", readChallenge],
  ["AUTHENTICATE", readAuthenticate],
  ["target information", readAvPairs],
] as const;

/** What a reader does with bytes, when it does nothing worse than refuse them. */
function refusedOrRead(read: (bytes: Buffer) => unknown, message: Buffer): "refused" | "read" {
  try {
    read(message);
    return "read";
  } catch (error) {
    expect(error).toBeInstanceOf(NtlmMessageError);
    return "refused";
  }
}

describe("messages that were written", () => {
  it("are read as what was written", () => {
    fc.assert(
      fc.property(flags, (some) => {
        // Without the two that promise names.
        const sent = (some & ~0x3000) >>> 0;
        expect(readNegotiate(writeNegotiate({ flags: sent }))).toEqual({ flags: sent });
      }),
    );
    fc.assert(
      fc.property(challenges, (one) => {
        expect(readChallenge(writeChallenge(one))).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(authentications, (one) => {
        expect(readAuthenticate(writeAuthenticate(one))).toEqual(one);
      }),
    );
  });

  it("hold the version wherever the flag announces it, and a NEGOTIATE has 40 bytes", () => {
    const version = "0a0000000000000f";
    expect(writeNegotiate({ flags: 0x0200_0001 }).toString("hex", 32)).toBe(version);
    const [challenge] = fc.sample(challenges, 1) as [ChallengeMessage];
    expect(writeChallenge({ ...challenge, flags: 0x0200_0001 }).toString("hex", 48, 56)).toBe(version);
    const [answer] = fc.sample(authentications, 1) as [AuthenticateMessage];
    expect(writeAuthenticate({ ...answer, flags: 0x0200_0001 }).toString("hex", 64, 72)).toBe(version);
  });

  it("are refused when they are cut off anywhere that matters", () => {
    fc.assert(
      fc.property(challenges, fc.nat(), (one, cut) => {
        const whole = writeChallenge({ ...one, targetInfo: Buffer.alloc(8) });
        expect(refusedOrRead(readChallenge, whole.subarray(0, cut % whole.length))).toBe("refused");
      }),
    );
    fc.assert(
      fc.property(authentications, fc.nat(), (one, cut) => {
        const whole = writeAuthenticate({ ...one, encryptedSessionKey: Buffer.alloc(16) });
        expect(refusedOrRead(readAuthenticate, whole.subarray(0, cut % whole.length))).toBe("refused");
      }),
    );
  });
});

describe("bytes that nobody wrote", () => {
  it.each(READERS)("are refused as %s, or read, but never do anything else", (_, read) => {
    fc.assert(
      fc.property(bytes(0, 200), (garbage) => {
        refusedOrRead(read, garbage);
      }),
    );
  });

  it.each(READERS.slice(0, 3))("may be changed anywhere in a %s", (_, read) => {
    const whole = [
      writeNegotiate({ flags: UNICODE }),
      ...fc.sample(challenges, 20).map(writeChallenge),
      ...fc.sample(authentications, 20).map(writeAuthenticate),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 6 }),
        (message, changes) => {
          const changed = Buffer.from(message);
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
          refusedOrRead(read, changed);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("are refused when a part points out of the message or into its head", () => {
    const [one] = fc.sample(authentications, 1) as [AuthenticateMessage];
    for (const [length, offset] of [
      [0xffff, 88],
      [1, 0xffff_ffff],
      [8, 0],
      [8, 63],
      [2, 1_000_000],
    ] as const) {
      const message = writeAuthenticate(one);
      message.writeUInt16LE(length, 20);
      message.writeUInt32LE(offset, 24);
      expect(refusedOrRead(readAuthenticate, message)).toBe("refused");
    }
  });

  it("are refused above the limit, and none above it are written", () => {
    const challenge = { flags: UNICODE, targetName: "", serverChallenge: Buffer.alloc(8), targetInfo: Buffer.alloc(0) };
    const large = Buffer.concat([writeChallenge(challenge), Buffer.alloc(MAXIMUM_MESSAGE_BYTES)]);
    expect(() => readChallenge(large)).toThrow("message too large");
    expect(() => writeChallenge({ ...challenge, targetInfo: Buffer.alloc(MAXIMUM_MESSAGE_BYTES) })).toThrow(
      NtlmMessageError,
    );
    expect(() => writeChallenge({ ...challenge, targetInfo: Buffer.alloc(70_000) })).toThrow(NtlmMessageError);
  });

  it("are refused when they are half a character", () => {
    const message = writeAuthenticate({ ...(fc.sample(authentications, 1)[0] as AuthenticateMessage), user: "ab" });
    message.writeUInt16LE(3, 36);
    expect(refusedOrRead(readAuthenticate, message)).toBe("refused");
  });
});

describe("target information", () => {
  const pairs = fc
    .uniqueArray(fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 11, 999), bytes(0, 50)), { selector: ([id]) => id })
    .map((list) => new Map(list));

  it("is read as what was written, up to its end", () => {
    fc.assert(
      fc.property(pairs, bytes(0, 8), (some, rest) => {
        expect([...readAvPairs(Buffer.concat([writeAvPairs(some), rest]))]).toEqual([...some]);
      }),
    );
  });

  it.each([
    ["without an end", "010002004100"],
    ["with a value beyond its end", "01000400410000000000"],
    ["that says the same thing twice", "01000200410001000200420000000000"],
    ["with flags of a wrong size", "0600020001000000000000"],
    ["with channel bindings of a wrong size", "0a00080000000000000000000000000000"],
    ["with an end that has a length", "00000400ffffffff"],
  ])("is refused %s", (_, hex) => {
    expect(refusedOrRead(readAvPairs, Buffer.from(hex, "hex"))).toBe("refused");
  });
});
