/** Our client against our server, with the wire between them in the hands of somebody else. */

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AV_CHANNEL_BINDINGS,
  AV_FLAGS,
  AV_TARGET_NAME,
  AV_TIMESTAMP,
  readAvPairs,
  writeAvPairs,
} from "../../src/ntlm/av-pairs.js";
import { authenticateMessage, type NtlmTarget, negotiateMessage, ntlmCredential } from "../../src/ntlm/ntlm-client.js";
import {
  type AuthenticateMessage,
  MIC_OFFSET,
  readAuthenticate,
  readChallenge,
  writeAuthenticate,
  writeChallenge,
  writeNegotiate,
} from "../../src/ntlm/ntlm-messages.js";
import { beginNtlm, type NtlmServerOptions } from "../../src/ntlm/ntlm-server.js";
import { ntHash, proofOf, readBlob, responseKey, writeBlob } from "../../src/ntlm/ntlmv2.js";

const SERVER: NtlmServerOptions = {
  domain: "CORP",
  computer: "GATEWAY",
  dnsComputer: "gateway.corp.example",
  find: (user, domain) =>
    user.toLowerCase() === "svc" && domain === "CORP" ? { name: "service", hash: ntHash("Secret-1") } : undefined,
};
const SVC = ntlmCredential("CORP\\svc", "Secret-1");
const PLAIN: NtlmTarget = { servicePrincipal: "HTTP/gateway.corp.example", endPoint: undefined };
const END_POINT = Buffer.from("tls-server-end-point:ours");
const BOUND: NtlmTarget = { ...PLAIN, endPoint: END_POINT };
const ACCEPTED = { kind: "authenticated", account: "service" };
const refused = (reason: string) => ({ kind: "refused", reason });

function begin(options: Partial<NtlmServerOptions> = {}, negotiate = negotiateMessage()) {
  const beginning = beginNtlm(negotiate, { ...SERVER, ...options });
  if (beginning.kind !== "challenge") throw new Error(beginning.reason);
  return beginning;
}

/** An answer as a client makes it that knows the password and is up to something. */
function forged(
  challengeBytes: Buffer,
  change: (pairs: Map<number, Buffer>) => void,
  message: Partial<AuthenticateMessage> = {},
  time?: Buffer,
): Buffer {
  const challenge = readChallenge(challengeBytes);
  const pairs = new Map(readAvPairs(challenge.targetInfo));
  const serverTime = pairs.get(AV_TIMESTAMP) as Buffer;
  change(pairs);
  const blob = writeBlob({
    time: time ?? serverTime,
    clientChallenge: randomBytes(8),
    targetInfo: writeAvPairs(pairs),
  });
  const key = responseKey(SVC.hash, SVC.user, SVC.domain);
  return writeAuthenticate({
    flags: challenge.flags,
    lmResponse: Buffer.alloc(24),
    ntResponse: Buffer.concat([proofOf(key, challenge.serverChallenge, blob).proof, blob]),
    domain: SVC.domain,
    user: SVC.user,
    workstation: "",
    encryptedSessionKey: Buffer.alloc(0),
    mic: undefined,
    ...message,
  });
}

describe("a client that knows the password", () => {
  it("is let in, whatever the names and the password are made of", () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter((text) => !/[\\@]/.test(text));
    fc.assert(
      fc.property(
        name,
        name,
        fc.string({ unit: "binary", maxLength: 80 }),
        fc.boolean(),
        (user, domain, password, tls) => {
          const find = (who: string, where: string) =>
            who === user && where === domain ? { name: "somebody", hash: ntHash(password) } : undefined;
          const { message, exchange } = begin({ find });
          const credential = ntlmCredential(`${domain}\\${user}`, password);
          const answer = authenticateMessage(credential, message, tls ? BOUND : PLAIN);
          expect(exchange.verify(answer, [END_POINT])).toEqual({ kind: "authenticated", account: "somebody" });
        },
      ),
    );
  });

  it.each([
    ["CORP\\svc", "svc", "CORP"],
    ["svc@corp.example", "svc@corp.example", ""],
    ["svc", "svc", ""],
    ["CORP\\svc@corp.example", "svc@corp.example", "CORP"],
  ])("and is called %s says so in the parts of its message", (username, user, domain) => {
    const answer = authenticateMessage(ntlmCredential(username, "x"), begin().message, PLAIN);
    expect(readAuthenticate(answer)).toMatchObject({ user, domain });
  });

  it("says whom it means, through which channel, and that its message has a code", () => {
    const { ntResponse, lmResponse, mic, flags } = readAuthenticate(authenticateMessage(SVC, begin().message, BOUND));
    const pairs = readAvPairs(readBlob(ntResponse.subarray(16))?.targetInfo as Buffer);
    expect(pairs.get(AV_TARGET_NAME)?.toString("utf16le")).toBe("HTTP/gateway.corp.example");
    expect(pairs.get(AV_CHANNEL_BINDINGS)?.every((byte) => byte === 0)).toBe(false);
    expect(pairs.get(AV_FLAGS)?.readUInt32LE()).toBe(2);
    expect(mic?.every((byte) => byte === 0)).toBe(false);
    expect(lmResponse).toEqual(Buffer.alloc(24));
    // No signing, sealing or key exchange.
    expect(flags & 0x4000_0030).toBe(0);
  });

  it("gives an LMv2 response and no code to a server that does not give its time", () => {
    const challenge = { ...readChallenge(begin().message), targetInfo: Buffer.alloc(0) };
    const { lmResponse, ntResponse, mic } = readAuthenticate(
      authenticateMessage(SVC, writeChallenge(challenge), BOUND),
    );
    expect(lmResponse.every((byte) => byte === 0)).toBe(false);
    expect(mic).toEqual(Buffer.alloc(16));
    expect(readAvPairs(readBlob(ntResponse.subarray(16))?.targetInfo as Buffer).has(AV_FLAGS)).toBe(false);
  });

  it.each([
    ["NTLMv2 session security", 0x0008_0000],
    ["Unicode", 0x1],
    ["NTLM", 0x200],
  ])("gives no answer to a challenge that does without %s", (_, flag) => {
    const challenge = readChallenge(begin().message);
    const poorer = writeChallenge({ ...challenge, flags: (challenge.flags & ~flag) >>> 0 });
    expect(() => authenticateMessage(SVC, poorer, PLAIN)).toThrow("less than NTLMv2");
  });
});

describe("somebody else", () => {
  it("is refused with another password, another name or another domain, always for the same reason", () => {
    const others = [
      ntlmCredential("CORP\\svc", "secret-1"),
      ntlmCredential("CORP\\svd", "Secret-1"),
      ntlmCredential("OTHER\\svc", "Secret-1"),
      ntlmCredential("svc", "Secret-1"),
      ntlmCredential("CORP\\svc", ""),
    ];
    for (const other of others) {
      const { message, exchange } = begin();
      expect(exchange.verify(authenticateMessage(other, message, PLAIN), [])).toEqual(refused("wrong-credentials"));
    }
  });

  it("is refused with an answer that was given to another challenge, and with one given twice", () => {
    const first = begin();
    const answer = authenticateMessage(SVC, first.message, PLAIN);
    expect(begin().exchange.verify(answer, [])).toEqual(refused("wrong-credentials"));
    expect(first.exchange.verify(answer, [])).toEqual(ACCEPTED);
    expect(first.exchange.verify(answer, [])).toEqual(refused("challenge-spent"));
  });

  it("is refused after one wrong answer, even with the right one", () => {
    const { message, exchange } = begin();
    expect(exchange.verify(Buffer.from("NTLMSSP"), [])).toEqual(refused("unreadable"));
    expect(exchange.verify(authenticateMessage(SVC, message, PLAIN), [])).toEqual(refused("challenge-spent"));
  });

  it("is refused without a name, and when it says that it has none", () => {
    const nothing = { ntResponse: Buffer.alloc(0), lmResponse: Buffer.alloc(1), domain: "", user: "" };
    const nameless = begin();
    expect(
      nameless.exchange.verify(
        forged(nameless.message, () => undefined, nothing),
        [],
      ),
    ).toEqual(refused("anonymous"));
    const saying = begin();
    const flags = (readChallenge(saying.message).flags | 0x800) >>> 0;
    expect(
      saying.exchange.verify(
        forged(saying.message, () => undefined, { flags }),
        [],
      ),
    ).toEqual(refused("anonymous"));
  });

  it.each([
    ["an NTLMv1 response", { ntResponse: Buffer.alloc(24, 7) }],
    ["an LM response alone", { ntResponse: Buffer.alloc(0), lmResponse: Buffer.alloc(24, 7) }],
    ["a response of version 2 that is cut off", { ntResponse: Buffer.alloc(43, 1) }],
  ])("is refused with %s", (_, change) => {
    const { message, exchange } = begin();
    expect(
      exchange.verify(
        forged(message, () => undefined, change),
        [],
      ),
    ).toEqual(refused("downgraded"));
  });
});

describe("somebody in between", () => {
  it("cannot change a single byte of an answer that is let in", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, bits) => {
        const { message, exchange } = begin();
        const answer = authenticateMessage(SVC, message, PLAIN);
        const at = place % answer.length;
        answer[at] = (answer[at] as number) ^ bits;
        expect(exchange.verify(answer, [])).not.toEqual(ACCEPTED);
      }),
      { numRuns: 500 },
    );
  });

  it("is found out when the code over the messages is changed, or the NEGOTIATE was another", () => {
    const { message, exchange } = begin();
    const answer = authenticateMessage(SVC, message, PLAIN);
    answer[MIC_OFFSET] = (answer[MIC_OFFSET] as number) ^ 1;
    expect(exchange.verify(answer, [])).toEqual(refused("wrong-integrity-code"));

    const poorer = writeNegotiate({ flags: 0x0008_8201 });
    const begun = begin({}, poorer);
    expect(begun.exchange.verify(authenticateMessage(SVC, begun.message, PLAIN), [])).toEqual(
      refused("wrong-integrity-code"),
    );
  });

  it("cannot take the code away, and may only where the configuration says so", () => {
    const strict = begin();
    expect(
      strict.exchange.verify(
        forged(strict.message, () => undefined),
        [],
      ),
    ).toEqual(refused("no-integrity-code"));
    const lax = begin({ integrityCode: "when-promised" });
    expect(
      lax.exchange.verify(
        forged(lax.message, () => undefined),
        [],
      ),
    ).toEqual(ACCEPTED);
    const promised = begin({ integrityCode: "when-promised" });
    const promise = (pairs: Map<number, Buffer>) => pairs.set(AV_FLAGS, Buffer.from([2, 0, 0, 0]));
    expect(promised.exchange.verify(forged(promised.message, promise), [])).toEqual(refused("wrong-integrity-code"));
  });

  it("is refused when fewer flags come back than were agreed on, or more", () => {
    const lax = { integrityCode: "when-promised" } as const;
    for (const flags of [0x0000_0201, 0x0008_0202, 0xc008_0201, 0x0008_0281]) {
      const { message, exchange } = begin(lax);
      expect(
        exchange.verify(
          forged(message, () => undefined, { flags }),
          [],
        ),
      ).toEqual(refused("downgraded"));
    }
  });

  it("is refused before the challenge when the NEGOTIATE does without NTLM's newer form, or any text", () => {
    for (const flags of [0x0000_0201, 0x0008_0200]) {
      expect(beginNtlm(writeNegotiate({ flags }), SERVER)).toEqual(refused("downgraded"));
    }
    expect(beginNtlm(Buffer.from("hello"), SERVER)).toEqual(refused("unreadable"));
  });
});

describe("the time in an answer", () => {
  const lax = { integrityCode: "when-promised" } as const;

  it("must be ours, even when the client's is the same", () => {
    const { message, exchange } = begin(lax);
    const forget = (pairs: Map<number, Buffer>) => pairs.delete(AV_TIMESTAMP);
    const time = readAvPairs(readChallenge(message).targetInfo).get(AV_TIMESTAMP) as Buffer;
    expect(exchange.verify(forged(message, forget, {}, time), [])).toEqual(refused("downgraded"));
  });

  it("may be as far from ours as the configuration says, and no further", () => {
    const minutes = 60_000;
    for (const [waited, verdict] of [
      [29 * minutes, ACCEPTED],
      [31 * minutes, refused("stale")],
    ] as const) {
      let now = 1_782_900_000_000;
      const { message, exchange } = begin({ now: () => now });
      const answer = authenticateMessage(SVC, message, PLAIN);
      now += waited;
      expect(exchange.verify(answer, [])).toEqual(verdict);
    }
  });

  it("may be any 64 bits, and is only too far away", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (time) => {
        const { message, exchange } = begin(lax);
        const answer = forged(message, () => undefined, {}, Buffer.from(time));
        expect(exchange.verify(answer, [])).toEqual(refused("stale"));
      }),
    );
  });
});

describe("the channel of an answer", () => {
  const answered = (options: Partial<NtlmServerOptions>, target: NtlmTarget, endPoints: Buffer[]) => {
    const { message, exchange } = begin(options);
    return exchange.verify(authenticateMessage(SVC, message, target), endPoints);
  };
  const other = Buffer.from("tls-server-end-point:other");

  it("must be ours when the client names one and we know ours", () => {
    expect(answered({}, BOUND, [END_POINT])).toEqual(ACCEPTED);
    expect(answered({}, BOUND, [other, END_POINT])).toEqual(ACCEPTED);
    expect(answered({}, BOUND, [other])).toEqual(refused("wrong-channel-binding"));
    expect(answered({}, BOUND, [])).toEqual(ACCEPTED);
    expect(answered({}, PLAIN, [END_POINT])).toEqual(ACCEPTED);
  });

  it("must be named, and be known, where that is required", () => {
    const strict = { channelBinding: "required" } as const;
    expect(answered(strict, BOUND, [END_POINT])).toEqual(ACCEPTED);
    expect(answered(strict, PLAIN, [END_POINT])).toEqual(refused("no-channel-binding"));
    expect(answered(strict, BOUND, [])).toEqual(refused("wrong-channel-binding"));
  });
});

describe("garbage", () => {
  it("is refused by the server, whatever it is", () => {
    const head = Buffer.from("NTLMSSP\0\x03\0\0\0", "latin1");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withHead) => {
        const garbage = withHead ? Buffer.concat([head, bytes]) : Buffer.from(bytes);
        expect(begin().exchange.verify(garbage, []).kind).toBe("refused");
        expect(["refused", "challenge"]).toContain(beginNtlm(garbage, SERVER).kind);
      }),
      { numRuns: 500 },
    );
  });
});
