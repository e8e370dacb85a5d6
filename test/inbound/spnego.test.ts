import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DerError, elementsOf } from "../../src/inbound/der-elements.js";
import { isSpnego, NTLMSSP, readSpnego, writeSpnegoResponse } from "../../src/inbound/spnego.js";
import { negTokenInit } from "../support/spnego-tokens.js";

const KERBEROS = "2a864886f712010202";
describe("SPNEGO", () => {
  it("gives back the mechanisms in order and the token, whatever they are", () => {
    const mechanism = fc.constantFrom(NTLMSSP, KERBEROS, "2a864882f712010202");
    fc.assert(
      fc.property(
        fc.array(mechanism, { minLength: 1, maxLength: 5 }),
        fc.option(fc.uint8Array({ maxLength: 2_000 }), { nil: undefined }),
        (mechanisms, bytes) => {
          const token = bytes && Buffer.from(bytes);
          expect(readSpnego(negTokenInit(mechanisms, token))).toEqual({ kind: "init", mechanisms, token });
        },
      ),
    );
  });

  it("is answered with NTLM as the mechanism, and its token", () => {
    const token = Buffer.alloc(300, 7);
    const answer = writeSpnegoResponse(NTLMSSP, token);
    expect(readSpnego(answer)).toEqual({ kind: "response", mechanisms: [], token });
    expect(answer.includes(Buffer.from(`06 0a ${NTLMSSP}`.replaceAll(" ", ""), "hex"))).toBe(true);
    expect(readSpnego(writeSpnegoResponse(NTLMSSP, undefined)).token).toBeUndefined();
  });

  it("is told from a bare message of NTLM by its first byte", () => {
    expect(isSpnego(Buffer.from("NTLMSSP\0"))).toBe(false);
    expect(isSpnego(Buffer.alloc(0))).toBe(false);
    expect(isSpnego(negTokenInit([NTLMSSP], undefined))).toBe(true);
  });

  it("is read or refused, and nothing else happens, whatever the bytes", () => {
    const real = negTokenInit([KERBEROS, NTLMSSP], Buffer.alloc(200, 1));
    const changed = fc.tuple(fc.nat(real.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(real);
      bytes[at] = byte;
      return bytes;
    });
    const cut = fc.nat(real.length).map((length) => real.subarray(0, length));
    const noise = fc
      .tuple(fc.constantFrom(0x60, 0xa1), fc.uint8Array({ maxLength: 300 }))
      .map(([first, bytes]) => Buffer.from([first, ...bytes]));
    fc.assert(
      fc.property(fc.oneof(changed, cut, noise), (bytes) => {
        try {
          readSpnego(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("DER", () => {
  it.each([
    ["no length", "30"],
    ["an indefinite length", "30800000"],
    ["a length in three bytes", "3083000001ff"],
    ["a length in a longer form than needed", "308101ff"],
    ["less content than said", "3005ff"],
    ["a tag of several bytes", "3f8101ff"],
    ["more than 64 elements", "0500".repeat(65)],
  ])("with %s is refused", (_, hex) => {
    expect(() => elementsOf(Buffer.from(hex, "hex"))).toThrow(DerError);
  });
});
