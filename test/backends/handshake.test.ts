import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { challengeFor, HandshakeFailure } from "../../src/backends/handshake.js";

const failureOf = (result: unknown) => {
  expect(result).toBeInstanceOf(HandshakeFailure);
  const { code, detail } = result as HandshakeFailure;
  return { code, detail };
};

describe("what a server's WWW-Authenticate headers say", () => {
  it.each([
    ["one header for each", ["Negotiate", "NTLM TlRMTVNTUAA=", 'Basic realm="x"']],
    ["one header for all", ['Negotiate, NTLM TlRMTVNTUAA=, Basic realm="x, NTLM AAAA"']],
    ["in any case", ["ntlm TlRMTVNTUAA="]],
  ])("is the token of the scheme that is meant, with %s", (_, headers) => {
    expect(challengeFor("NTLM", headers)).toEqual(Buffer.from("NTLMSSP\0"));
  });

  it("is an offer without a token when the word stands alone", () => {
    expect(challengeFor("NTLM", ["Negotiate", "NTLM"])).toBeUndefined();
  });

  it("is which schemes there are instead, by name only", () => {
    const headers = [
      "Negotiate",
      'Basic realm="secret NTLM, NTLM"',
      'Digest realm="a", nonce="b", qop="auth"',
      "Basic",
    ];
    expect(failureOf(challengeFor("NTLM", headers))).toEqual({
      code: "SCHEME_NOT_OFFERED",
      detail: "HTTP 401 without NTLM; offered: Negotiate, Basic, Digest",
    });
    expect(failureOf(challengeFor("Negotiate", [])).detail).toBe("HTTP 401 without Negotiate; offered: nothing");
  });

  it("is nothing that can be read when the token is no base64", () => {
    for (const token of ["abc def", "a=b=c", "ä", "A".repeat(70_000)]) {
      expect(failureOf(challengeFor("NTLM", [`NTLM ${token}`])).code).toBe("CHALLENGE_UNREADABLE");
    }
  });

  it("may be anything, and is a token, an offer or a failure with a short detail", () => {
    const parts = fc.constantFrom("NTLM", "NTLM ", "Basic", 'realm="', '"', ",", "=", "\\", "AAAA", " ");
    const header = fc.oneof(
      fc.string(),
      fc.array(parts, { maxLength: 30 }).map((list) => list.join("")),
    );
    fc.assert(
      fc.property(fc.array(header, { maxLength: 5 }), (headers) => {
        const result = challengeFor("NTLM", headers);
        if (result instanceof HandshakeFailure) expect(result.detail.length).toBeLessThan(400);
        else expect(result === undefined || Buffer.isBuffer(result)).toBe(true);
      }),
    );
  });
});
