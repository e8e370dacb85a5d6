/** The worked example of MS-NLMP 4.2.4, and what it leaves out. */

import { describe, expect, it } from "vitest";
import { AV_COMPUTER, AV_DOMAIN, readAvPairs, writeAvPairs } from "../../src/ntlm/av-pairs.js";
import { readAuthenticate, readChallenge } from "../../src/ntlm/ntlm-messages.js";
import {
  fileTime,
  lmV2Response,
  msOfFileTime,
  ntHash,
  ntHashFromHex,
  proofOf,
  readBlob,
  responseKey,
  writeBlob,
} from "../../src/ntlm/ntlmv2.js";

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const SERVER_CHALLENGE = hex("0123456789abcdef");
const CLIENT_CHALLENGE = hex("aaaaaaaaaaaaaaaa");
const TARGET_INFO = hex("02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000");
const CHALLENGE = Buffer.concat([
  hex("4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000 2400240044000000"),
  hex("060070170000000f 530065007200760065007200"),
  TARGET_INFO,
]);
const AUTHENTICATE = Buffer.concat([
  hex("4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000 0800080054000000"),
  hex("100010005c000000 10001000d8000000 358288e2 0501280a0000000f"),
  hex("44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200"),
  hex("86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"),
  hex("68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000"),
  TARGET_INFO,
  hex("00000000 c5dad2544fc9799094ce1ce90bc9d03e"),
]);

describe("the example of MS-NLMP 4.2.4", () => {
  const key = responseKey(ntHash("Password"), "User", "Domain");
  const blob = writeBlob({ time: Buffer.alloc(8), clientChallenge: CLIENT_CHALLENGE, targetInfo: TARGET_INFO });

  it("gives the specification's hash of the password and key of the responses", () => {
    expect(ntHash("Password").toString("hex")).toBe("a4f49c406510bdcab6824ee7c30fd852");
    expect(key.toString("hex")).toBe("0c868a403bfd7a93a3001ef22ef02e3f");
  });

  it("gives the specification's responses and session key", () => {
    const { proof, sessionKey } = proofOf(key, SERVER_CHALLENGE, blob);
    expect(proof.toString("hex")).toBe("68cd0ab851e51c96aabc927bebef6a1c");
    expect(sessionKey.toString("hex")).toBe("8de40ccadbc14a82f15cb0ad0de95ca3");
    const lm = lmV2Response(key, SERVER_CHALLENGE, CLIENT_CHALLENGE);
    expect(lm.toString("hex")).toBe("86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
  });

  it("reads the specification's CHALLENGE", () => {
    const challenge = readChallenge(CHALLENGE);
    expect(challenge).toMatchObject({ flags: 0xe28a8233, targetName: "Server", serverChallenge: SERVER_CHALLENGE });
    const pairs = readAvPairs(challenge.targetInfo);
    expect([pairs.get(AV_DOMAIN)?.toString("utf16le"), pairs.get(AV_COMPUTER)?.toString("utf16le")]).toEqual([
      "Domain",
      "Server",
    ]);
    expect(writeAvPairs(pairs)).toEqual(TARGET_INFO);
  });

  it("reads the specification's AUTHENTICATE, in which there is no room for a MIC", () => {
    const { proof } = proofOf(key, SERVER_CHALLENGE, blob);
    const message = readAuthenticate(AUTHENTICATE);
    expect(message).toMatchObject({ user: "User", domain: "Domain", workstation: "COMPUTER", mic: undefined });
    expect(message.ntResponse).toEqual(Buffer.concat([proof, blob]));
    expect(readBlob(message.ntResponse.subarray(16))?.clientChallenge).toEqual(CLIENT_CHALLENGE);
  });
});

describe("what the example leaves out", () => {
  const key = (user: string, domain = "") => responseKey(ntHash("x"), user, domain).toString("hex");

  it("takes a user's name in any case, and a domain's as it is written", () => {
    expect(key("jörg")).toBe(key("JÖRG"));
    expect(key("a", "corp")).not.toBe(key("a", "CORP"));
  });

  it("does not make two letters of one, nor one of ASCII of another, as Windows does not", () => {
    expect(key("straße")).not.toBe(key("strasse"));
    expect(key("\u017fvc")).not.toBe(key("svc"));
    expect(key("\u0131d")).not.toBe(key("id"));
  });

  it("counts time from 1601 in 100 ns", () => {
    expect(fileTime(0).readBigUInt64LE()).toBe(116_444_736_000_000_000n);
    expect(msOfFileTime(fileTime(1_782_900_000_123))).toBe(1_782_900_000_123);
  });

  it("takes a hash of 32 hexadecimal digits, and nothing else", () => {
    expect(ntHashFromHex("A4F49C406510BDCAB6824EE7C30FD852")).toEqual(ntHash("Password"));
    expect(ntHashFromHex("a4f49c406510bdcab6824ee7c30fd85")).toBeUndefined();
    expect(ntHashFromHex("g4f49c406510bdcab6824ee7c30fd852")).toBeUndefined();
  });
});
