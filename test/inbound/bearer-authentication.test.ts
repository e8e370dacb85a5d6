import { createHmac } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BearerAuthentication, type TokenIdentity } from "../../src/inbound/bearer-authentication.js";
import { type KeySource, SigningKeys } from "../../src/inbound/signing-keys.js";
import { callerNamed, signInRequest } from "../support/sign-in-server.js";

const ISSUER = "https://sts.corp.example/tenant/v2.0";
const AUDIENCE = "api://freebusy";
const START = Date.UTC(2026, 6, 1);
const KNOWN = { kind: "known", caller: callerNamed("exchange") };
const BAD = { kind: "failed", reason: "bad-token" };
const UNAVAILABLE = { kind: "failed", reason: "keys-unavailable" };

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let first: Pair;
let second: Pair;
let elliptic: Pair;
beforeAll(async () => {
  [first, second, elliptic] = (await Promise.all(
    ["RS256", "RS256", "ES256"].map((alg) => generateKeyPair(alg, { extractable: true })),
  )) as [Pair, Pair, Pair];
});

const jwk = async (pair: Pair, kid: string): Promise<JWK> => ({ ...(await exportJWK(pair.publicKey)), kid });

/** An issuer's key server: what it gives, and how often it was asked. */
let issuer: Server;
let served: { status: number; text: string; location?: string };
let asked: number;
beforeEach(async () => {
  asked = 0;
  served = {
    status: 200,
    text: JSON.stringify({ keys: [await jwk(first, "first"), await jwk(elliptic, "elliptic")] }),
  };
  issuer = createServer((_, reply) => {
    asked++;
    reply.writeHead(served.status, served.location === undefined ? {} : { location: served.location }).end(served.text);
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
});
const keys: SigningKeys[] = [];
afterEach(async () => {
  await Promise.all(keys.splice(0).map((one) => one.close()));
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
});

const keysUrl = () => new URL(`http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`);

function bearer(source?: KeySource) {
  const clock = { at: START };
  const problems: string[] = [];
  const now = () => clock.at;
  const signing = new SigningKeys({
    source: source ?? { url: keysUrl() },
    now,
    onProblem: (text) => problems.push(text),
  });
  keys.push(signing);
  const identity = (name: string, claim: string, value: string): TokenIdentity => ({
    caller: callerNamed(name),
    issuer: ISSUER,
    claim,
    value,
  });
  const authentication = new BearerAuthentication({
    issuers: [{ issuer: ISSUER, audience: [AUDIENCE], keys: signing, skewSeconds: 60 }],
    identities: [identity("exchange", "azp", "app-1"), identity("workmail", "sub", "service-2")],
    now,
  });
  return { authentication, clock, problems };
}

interface TokenChange {
  readonly pair?: Pair;
  readonly alg?: string;
  readonly kid?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

async function token({ pair = first, alg = "RS256", kid = "first", claims = {} }: TokenChange = {}): Promise<string> {
  const seconds = START / 1000;
  const all = { iss: ISSUER, aud: AUDIENCE, azp: "app-1", iat: seconds, exp: seconds + 3600, ...claims };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg, kid }).sign(pair.privateKey);
}

const ask = (authentication: BearerAuthentication, text: string, socket: object = {}) =>
  authentication.authenticate(`Bearer ${text}`, signInRequest(undefined, "192.0.2.1", socket));
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token", () => {
  it("of the issuer, for this gateway, with a configured caller in its claim, is that caller's", async () => {
    const { authentication } = bearer();
    expect(await ask(authentication, await token())).toEqual(KNOWN);
    expect(await ask(authentication, await token({ pair: elliptic, alg: "ES256", kid: "elliptic" }))).toEqual(KNOWN);
    const other = await token({ claims: { azp: undefined, sub: "service-2", aud: ["other", AUDIENCE] } });
    expect(await ask(authentication, other)).toEqual({ kind: "known", caller: callerNamed("workmail") });
    expect(asked).toBe(1);
  });

  it.each<[string, TokenChange]>([
    ["for somebody else", { claims: { aud: "api://other" } }],
    ["for nobody", { claims: { aud: undefined } }],
    ["of another issuer", { claims: { iss: "https://evil.example" } }],
    ["of the same issuer, spelt otherwise", { claims: { iss: `${ISSUER}/` } }],
    ["of no issuer", { claims: { iss: undefined } }],
    ["that has expired", { claims: { exp: START / 1000 - 61 } }],
    ["that never expires", { claims: { exp: undefined } }],
    ["that is not valid yet", { claims: { nbf: START / 1000 + 61 } }],
    ["of an application nobody configured", { claims: { azp: "app-2" } }],
    ["whose claim is a list", { claims: { azp: ["app-1"] } }],
    ["whose claim is another's", { claims: { azp: "service-2", sub: "app-1" } }],
    ["whose claim has another case", { claims: { azp: "APP-1" } }],
    ["without the claim", { claims: { azp: undefined } }],
    ["with a key the issuer does not have", { kid: "unknown" }],
  ])("%s is refused", async (_, change) => {
    expect(await ask(bearer().authentication, await token(change))).toEqual(BAD);
  });

  it("signed with another key under the issuer's name for its own is refused", async () => {
    expect(await ask(bearer().authentication, await token({ pair: second }))).toEqual(BAD);
  });

  it("may be a minute early or late, as the skew says", async () => {
    const { authentication } = bearer();
    const seconds = START / 1000;
    expect(await ask(authentication, await token({ claims: { exp: seconds - 59 } }))).toEqual(KNOWN);
    expect(await ask(authentication, await token({ claims: { nbf: seconds + 59 } }))).toEqual(KNOWN);
  });

  it("without a signature, or signed with the public key as if it were a secret, is refused", async () => {
    const { authentication } = bearer();
    const payload = part({ iss: ISSUER, aud: AUDIENCE, azp: "app-1", exp: START / 1000 + 3600 });
    for (const alg of ["none", "None", "NONE"]) {
      for (const signature of ["", "AA"]) {
        expect(await ask(authentication, `${part({ alg, kid: "first" })}.${payload}.${signature}`)).toEqual(BAD);
      }
    }
    for (const secret of [await exportSPKI(first.publicKey), JSON.stringify(await jwk(first, "first"))]) {
      const signed = `${part({ alg: "HS256", kid: "first" })}.${payload}`;
      const signature = createHmac("sha256", secret).update(signed).digest("base64url");
      expect(await ask(authentication, `${signed}.${signature}`)).toEqual(BAD);
    }
  });

  it("that brings its own key, or says where to find it, is checked with the issuer's all the same", async () => {
    const { authentication } = bearer();
    const claims = { iss: ISSUER, aud: AUDIENCE, azp: "app-1", exp: START / 1000 + 3600 };
    const own = await jwk(second, "first");
    for (const header of [{ jwk: own }, { jku: "http://127.0.0.1:1/keys" }, { x5u: "http://127.0.0.1:1/" }]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: "RS256", kid: "first", ...header })
        .sign(second.privateKey);
      expect(await ask(authentication, forged)).toEqual(BAD);
    }
  });

  it("changed anywhere is refused", async () => {
    const { authentication } = bearer();
    const real = await token();
    for (let at = 0; at < real.length - 1; at += 7) {
      const other = real[at] === "A" ? "B" : "A";
      expect(await ask(authentication, real.slice(0, at) + other + real.slice(at + 1))).toEqual(BAD);
    }
    for (const garbage of ["", ".", "..", "a.b.c", "a.b.c.d", "é.é.é", real.slice(0, -10)]) {
      expect(await ask(authentication, garbage)).toEqual(BAD);
    }
  });

  it("seen before is known without a promise, as long as it is valid, and not longer", async () => {
    const { authentication, clock } = bearer();
    const text = await token();
    await ask(authentication, text);
    const socket = {};
    expect(ask(authentication, text, socket)).toEqual(KNOWN);
    clock.at += 3600_000 + 59_000;
    expect(ask(authentication, text, socket)).toEqual(KNOWN);
    clock.at += 1_000;
    expect(ask(authentication, text, socket)).toEqual(BAD);
    expect(ask(authentication, text)).toEqual(BAD);
  });
});

describe("an issuer's keys", () => {
  it("are not asked for because of tokens of other issuers, nor of what is no token", async () => {
    const { authentication } = bearer();
    const strange = [
      await token({ claims: { iss: "https://evil.example" } }),
      await token({ claims: { iss: undefined } }),
    ];
    for (const text of [...strange, "a.b.c", ""]) await ask(authentication, text);
    expect(asked).toBe(0);
  });

  it("are fetched once for many tokens at once, and for many made-up names once in thirty seconds", async () => {
    const { authentication, clock } = bearer();
    const real = await token();
    await Promise.all(Array.from({ length: 50 }, () => ask(authentication, real)));
    expect(asked).toBe(1);
    clock.at += 31_000;
    for (let i = 0; i < 50; i++) await ask(authentication, await token({ kid: `made-up-${i}` }));
    expect(asked).toBe(2);
  });

  it("are fetched anew when the issuer has changed them", async () => {
    const { authentication, clock } = bearer();
    await ask(authentication, await token());
    served.text = JSON.stringify({ keys: [await jwk(second, "second")] });
    clock.at += 31_000;
    expect(await ask(authentication, await token({ pair: second, kid: "second" }))).toEqual(KNOWN);
    expect(await ask(authentication, await token({ claims: { jti: "new" } }))).toEqual(BAD);
  });

  it("count on while the issuer cannot be reached, for a day", async () => {
    const { authentication, clock, problems } = bearer();
    await ask(authentication, await token());
    served.status = 500;
    const later = async (hours: number) => {
      clock.at = START + hours * 3_600_000;
      const exp = clock.at / 1000 + 600;
      return ask(authentication, await token({ claims: { exp, jti: String(hours) } }));
    };
    expect(await later(1)).toEqual(KNOWN);
    expect(await later(23)).toEqual(KNOWN);
    expect(await later(25)).toEqual(UNAVAILABLE);
    expect(new Set(problems)).toEqual(new Set(["HTTP 500 in place of keys"]));
  });

  it.each([
    ["an error", { status: 503, text: "" }, "HTTP 503 in place of keys"],
    ["a page", { status: 200, text: "<html>" }, "not JSON in place of keys"],
    ["no keys", { status: 200, text: "{}" }, "no key set"],
    ["secrets only", { status: 200, text: '{"keys":[{"kty":"oct","k":"AAAA"}]}' }, "no public key in the key set"],
    ["two megabytes", { status: 200, text: " ".repeat(1 << 21) }, "more than a key set can be"],
  ])("that cannot be had (%s) make nobody known, and say so", async (_, answer, problem) => {
    const { authentication, problems } = bearer();
    served = answer;
    expect(await ask(authentication, await token())).toEqual(UNAVAILABLE);
    expect(problems).toEqual([problem]);
  });

  it("are not taken from where the issuer's answer points", async () => {
    const { authentication } = bearer();
    served = { status: 302, text: "", location: `${keysUrl()}` };
    expect(await ask(authentication, await token())).toEqual(UNAVAILABLE);
    expect(asked).toBe(1);
  });

  it("may come from a file", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "keys-")), "keys.json");
    writeFileSync(file, served.text);
    expect(await ask(bearer({ file }).authentication, await token())).toEqual(KNOWN);
    const { authentication, problems } = bearer({ file: `${file}.gone` });
    expect(await ask(authentication, await token())).toEqual(UNAVAILABLE);
    expect(problems).toEqual(["ENOENT"]);
    expect(asked).toBe(0);
  });
});
