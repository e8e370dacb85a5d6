import { scryptSync } from "node:crypto";
import { hashSync } from "@node-rs/argon2";
import { describe, expect, it } from "vitest";
import type { Verdict } from "../../src/inbound/caller-authentication.js";
import { PasswordAuthentication, type PasswordAuthenticationParts } from "../../src/inbound/password-authentication.js";
import { DecoyHashes, hashMatches } from "../../src/inbound/password-hashes.js";
import { backoff, basic, callerNamed, signInRequest } from "../support/sign-in-server.js";

const CHEAP = { memoryCost: 1024, timeCost: 1, parallelism: 1 };
const HASH = hashSync("Secret-1", CHEAP);
const scrypt = scryptSync("Secret-2", "salt", 32, { N: 1024, r: 8, p: 1 }).toString("base64").replace("=", "");
const SCRYPT = `$scrypt$ln=10,r=8,p=1$${Buffer.from("salt").toString("base64").replace(/=+$/, "")}$${scrypt}`;
const KNOWN = { kind: "known", caller: callerNamed("exchange") };
const BAD = { kind: "failed", reason: "bad-credentials" };

function passwords(change: Partial<PasswordAuthenticationParts> = {}) {
  return new PasswordAuthentication({
    accounts: [
      { caller: callerNamed("exchange"), usernames: ["CORP\\exchange", "exchange@corp.example"], passwordHash: HASH },
      { caller: callerNamed("workmail"), usernames: ["workmail@corp.example"], passwordHash: SCRYPT },
    ],
    backoff: backoff(),
    ...change,
  });
}

/** Checks that take until they are let go, and how many there were, in all and at once. */
function slowChecks(right: (password: string) => boolean = () => false) {
  const state = { all: 0, atOnce: 0, mostAtOnce: 0, stored: new Set<string>() };
  const check = async (stored: string, password: string) => {
    state.all++;
    state.stored.add(stored);
    state.mostAtOnce = Math.max(state.mostAtOnce, ++state.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    state.atOnce--;
    return right(password);
  };
  return { state, check };
}

describe("a Basic header", () => {
  it.each([
    ["DOMAIN\\user", "CORP\\exchange", "Secret-1", KNOWN],
    ["in another case", "corp\\EXCHANGE", "Secret-1", KNOWN],
    ["user@domain", "exchange@corp.example", "Secret-1", KNOWN],
    ["a scrypt hash", "workmail@corp.example", "Secret-2", { kind: "known", caller: callerNamed("workmail") }],
    ["a wrong password", "CORP\\exchange", "secret-1", BAD],
    ["another's password", "CORP\\exchange", "Secret-2", BAD],
    ["an unknown name", "eve", "Secret-1", BAD],
    ["no name", "", "Secret-1", BAD],
    ["no password", "CORP\\exchange", "", BAD],
  ])("with %s", async (_, user, password, verdict) => {
    expect(await passwords().authenticate(basic(user, password), signInRequest(undefined))).toEqual(verdict);
  });

  it("without a colon, or with nothing, is refused without a check", () => {
    const { state, check } = slowChecks();
    for (const header of ["Basic", "Basic ", "Basic !!!", `Basic ${Buffer.from("nobody").toString("base64")}`]) {
      expect(passwords({ check }).authenticate(header, signInRequest(undefined))).toEqual(BAD);
    }
    expect(state.all).toBe(0);
  });

  it("seen before is known without a promise: on its connection, and on another, and from another source", async () => {
    const authentication = passwords();
    const header = basic("CORP\\exchange", "Secret-1");
    await authentication.authenticate(header, signInRequest(undefined));
    const request = signInRequest(undefined);
    expect(authentication.authenticate(header, request)).toEqual(KNOWN);
    expect(authentication.authenticate(header, request)).toEqual(KNOWN);
    expect(authentication.authenticate(header, signInRequest(undefined, "192.0.2.9"))).toEqual(KNOWN);
  });

  it("seen before says nothing about another one on the same connection", async () => {
    const authentication = passwords();
    const request = signInRequest(undefined);
    await authentication.authenticate(basic("CORP\\exchange", "Secret-1"), request);
    authentication.authenticate(basic("CORP\\exchange", "Secret-1"), request);
    expect(await authentication.authenticate(basic("CORP\\exchange", "Secret-9"), request)).toEqual(BAD);
    expect(await authentication.authenticate(basic("workmail@corp.example", "Secret-2"), request)).toEqual({
      kind: "known",
      caller: callerNamed("workmail"),
    });
  });

  it("that a hundred new connections bring at once is checked once", async () => {
    const { state, check } = slowChecks(() => true);
    const authentication = passwords({ check });
    const header = basic("CORP\\exchange", "Secret-1");
    const all = Array.from({ length: 100 }, () => authentication.authenticate(header, signInRequest(undefined)));
    for (const verdict of await Promise.all(all)) expect(verdict).toEqual(KNOWN);
    expect(state.all).toBe(1);
  });
});

describe("an unknown name", () => {
  it("is checked against a hash with the parameters of the ones in use, always the same, which nothing matches", async () => {
    const decoys = new DecoyHashes([HASH, SCRYPT]);
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const decoy = decoys.for(`name-${i}`);
      expect(decoys.for(`name-${i}`)).toBe(decoy);
      seen.add(decoy);
      const like = decoy.startsWith("$scrypt$") ? SCRYPT : HASH;
      expect(decoy.split("$").slice(0, -2)).toEqual(like.split("$").slice(0, -2));
      expect(decoy.length).toBe(like.length);
      expect(decoy).not.toBe(like);
    }
    expect(seen.size).toBe(2);
    for (const decoy of seen) expect(await hashMatches(decoy, "Secret-1")).toBe(false);
  });

  it("is checked where no account has a password at all", async () => {
    const { state, check } = slowChecks();
    await passwords({ accounts: [], check }).authenticate(basic("eve", "x"), signInRequest(undefined));
    expect(state.all).toBe(1);
    expect([...state.stored][0]).toMatch(/^\$argon2id\$v=19\$m=19456/);
  });

  it("gets the very answers a known one gets, to a hundred wrong passwords in a row", async () => {
    const tell = async (user: string) => {
      const authentication = passwords({ backoff: backoff(() => 0) });
      const told: Verdict[] = [];
      for (let i = 0; i < 100; i++) {
        told.push(await authentication.authenticate(basic(user, `guess-${i}`), signInRequest(undefined)));
      }
      return told;
    };
    expect(await tell("eve@corp.example")).toEqual(await tell("exchange@corp.example"));
  });
});

describe("ten thousand wrong passwords", () => {
  const attack = async (sources: number) => {
    const { state, check } = slowChecks((password) => password === "Secret-1");
    const authentication = passwords({ check, backoff: backoff(() => 0) });
    const home = "198.51.100.1";
    const right = basic("CORP\\exchange", "Secret-1");
    expect(await authentication.authenticate(right, signInRequest(undefined, home))).toEqual(KNOWN);
    state.all = 0;
    const reasons = new Map<string, number>();
    const owners: Verdict[] = [];
    for (let i = 0; i < 10_000; i += 100) {
      const verdicts = Array.from({ length: 100 }, (_, j) => {
        const n = (i + j) % sources;
        const request = signInRequest(undefined, `10.0.${n >> 8}.${n & 255}`);
        return authentication.authenticate(basic("CORP\\exchange", `guess-${i + j}`), request);
      });
      // Meanwhile the caller comes over a new connection, and a colleague of its with a password not seen before.
      owners.push(await authentication.authenticate(right, signInRequest(undefined, home)));
      for (const verdict of await Promise.all(verdicts)) {
        const reason = verdict.kind === "failed" ? verdict.reason : verdict.kind;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    expect(owners.every(({ kind }) => kind === "known")).toBe(true);
    expect(reasons.has("known")).toBe(false);
    return { checks: state.all, mostAtOnce: state.mostAtOnce, reasons };
  };

  it("from one address cost a handful of checks", async () => {
    const { checks, mostAtOnce, reasons } = await attack(1);
    expect(checks).toBe(6);
    expect(mostAtOnce).toBeLessThanOrEqual(3);
    expect(reasons.get("too-many-failures")).toBe(10_000 - 6);
  });

  it("from a thousand addresses cost a handful each, and never more than three at once", async () => {
    const { checks, mostAtOnce } = await attack(1_000);
    expect(checks).toBeLessThanOrEqual(6_000);
    expect(mostAtOnce).toBeLessThanOrEqual(3);
  });

  it("cannot keep out a caller that is known, but whose remembered header is gone, while strangers fill the line", async () => {
    const { check } = slowChecks((password) => password.startsWith("Secret"));
    const memory = backoff();
    memory.succeeded("198.51.100.1", "corp\\exchange");
    const authentication = passwords({ check, backoff: memory });
    const strangers = Array.from({ length: 1_000 }, (_, i) =>
      authentication.authenticate(basic("eve", `guess-${i}`), signInRequest(undefined, `10.0.${i >> 8}.${i & 255}`)),
    );
    const verdict = authentication.authenticate(
      basic("CORP\\exchange", "Secret-1"),
      signInRequest(undefined, "198.51.100.1"),
    );
    expect(await verdict).toEqual(KNOWN);
    const told = await Promise.all(strangers);
    expect(told.filter((one) => one.kind === "failed" && one.reason === "too-many-checks").length).toBe(1_000 - 67);
  });

  it("do not make the gateway forget a right one", async () => {
    const { state, check } = slowChecks((password) => password === "Secret-1");
    const authentication = passwords({ check });
    const right = basic("CORP\\exchange", "Secret-1");
    await authentication.authenticate(right, signInRequest(undefined));
    for (let i = 0; i < 3_000; i++) {
      const request = signInRequest(undefined, `10.0.${i >> 8}.${i & 255}`);
      await authentication.authenticate(basic("eve", `guess-${i}`), request);
    }
    const before = state.all;
    expect(authentication.authenticate(right, signInRequest(undefined))).toEqual(KNOWN);
    expect(state.all).toBe(before);
  });

  it("do not find out the right one by trying it while they have to wait", async () => {
    const authentication = passwords({ backoff: backoff(() => 0) });
    const right = basic("CORP\\exchange", "Secret-1");
    await authentication.authenticate(right, signInRequest(undefined, "198.51.100.1"));
    for (let i = 0; i < 10; i++) {
      await authentication.authenticate(basic("CORP\\exchange", `guess-${i}`), signInRequest(undefined, "10.0.0.1"));
    }
    const verdict = authentication.authenticate(right, signInRequest(undefined, "10.0.0.1"));
    expect(verdict).toMatchObject({ kind: "failed", reason: "too-many-failures" });
    expect(authentication.authenticate(right, signInRequest(undefined, "198.51.100.1"))).toEqual(KNOWN);
  });
});
