/** Tokens: how long one is kept, and how OAuth's client credentials are asked for one. */

import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { decodeProtectedHeader, importX509, jwtVerify } from "jose";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InstantMs, instant } from "../../src/availability/time-window.js";
import { ClientCredentials, type ClientProof } from "../../src/backends/client-credentials.js";
import { KeptToken } from "../../src/backends/kept-token.js";
import { type GrantedToken, TokenError, type TokenGrant } from "../../src/backends/token-source.js";
import { grantOf, sendJson, startTokenEndpoint, type TokenEndpoint } from "../support/token-endpoint.js";

const never = new AbortController().signal;
const thrown = (promise: Promise<unknown>): Promise<TokenError> =>
  promise.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: TokenError) => error,
  );
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Answers when the test says so. */
class FakeGrant implements TokenGrant {
  readonly waiting: { resolve(token: GrantedToken): void; reject(error: unknown): void }[] = [];
  asked = 0;
  atOnce = 0;
  most = 0;
  closed = false;

  obtain(signal: AbortSignal): Promise<GrantedToken> {
    this.asked++;
    this.most = Math.max(this.most, ++this.atOnce);
    return new Promise((resolve, reject) => {
      const one = { resolve, reject };
      this.waiting.push(one);
      signal.addEventListener("abort", () => {
        if (!this.waiting.includes(one)) return;
        this.waiting.splice(this.waiting.indexOf(one), 1);
        this.atOnce--;
        reject(signal.reason);
      });
    });
  }

  async give(token: string, lifetimeMs = 600_000): Promise<void> {
    this.#next()?.resolve({ token, lifetimeMs });
    await settled();
  }

  async fail(error: unknown = new TokenError("HTTP 502", { detail: "down" })): Promise<void> {
    this.#next()?.reject(error);
    await settled();
  }

  #next() {
    if (this.waiting.length > 0) this.atOnce--;
    return this.waiting.shift();
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

describe("a kept token", () => {
  let now: number;
  let grant: FakeGrant;
  let tokens: KeptToken;
  beforeEach(() => {
    now = 1_000_000;
    grant = new FakeGrant();
    tokens = new KeptToken({ grant, now: () => instant(now) });
  });
  const first = async (lifetimeMs?: number) => {
    const token = tokens.token(never);
    await settled();
    await grant.give("one", lifetimeMs);
    return token;
  };

  it("is fetched once for everybody who waits, and then not again", async () => {
    const all = [tokens.token(never), tokens.token(never), tokens.token(never)];
    await settled();
    await grant.give("one");
    expect(await Promise.all(all)).toEqual(["one", "one", "one"]);
    now += 300_000;
    expect(await tokens.token(never)).toBe("one");
    expect(grant.asked).toBe(1);
    expect(tokens.expiresAt).toBe(1_600_000);
  });

  it("serves until a new one has come, which is fetched before it ends", async () => {
    await first();
    now += 460_000;
    expect(await Promise.all([tokens.token(never), tokens.token(never)])).toEqual(["one", "one"]);
    expect(grant.asked).toBe(2);
    await grant.give("two");
    expect(await tokens.token(never)).toBe("two");
  });

  it("serves although no new one can be fetched, whose endpoint is asked less and less often", async () => {
    await first();
    now += 460_000;
    const asked: number[] = [];
    for (let second = 0; second < 120; second++, now += 1000) {
      expect(await tokens.token(never)).toBe("one");
      if (grant.waiting.length > 0) asked.push(second);
      await grant.fail();
    }
    expect(asked).toEqual([0, 2, 6, 14, 30, 60, 90]);
  });

  it("is not used any more a moment before its end: then the failure is everybody's, at once", async () => {
    await first();
    now += 591_000;
    const waiting = thrown(tokens.token(never));
    await settled();
    await grant.fail();
    expect(await waiting).toMatchObject({ code: "HTTP 502", detail: "down" });
    expect(await thrown(tokens.token(never))).toMatchObject({ code: "HTTP 502" });
    expect(grant.asked).toBe(2);
    now += 2000;
    const again = tokens.token(never);
    await settled();
    await grant.give("two");
    expect(await again).toBe("two");
  });

  it("leaves an endpoint alone for as long as it says", async () => {
    const waiting = thrown(tokens.token(never));
    await settled();
    await grant.fail(new TokenError("HTTP 429", { detail: "throttled", retryAfterMs: 60_000 }));
    await waiting;
    now += 59_000;
    await thrown(tokens.token(never));
    expect(grant.asked).toBe(1);
  });

  it("that the backend refuses is replaced once in a few seconds, however many hear the refusal", async () => {
    await first();
    for (let i = 0; i < 5; i++) tokens.refused("one");
    const other = tokens.token(never);
    await settled();
    await grant.give("two");
    expect(await other).toBe("two");
    tokens.refused("one");
    tokens.refused("two");
    expect(await tokens.token(never)).toBe("two");
    expect(grant.asked).toBe(2);
    now += 5000;
    tokens.refused("two");
    void tokens.token(never).catch(() => undefined);
    await settled();
    expect(grant.asked).toBe(3);
  });

  it("keeps nobody waiting who has given up, and is there for the next", async () => {
    const impatient = new AbortController();
    const gaveUp = tokens.token(impatient.signal);
    await settled();
    impatient.abort(new Error("too long"));
    await expect(gaveUp).rejects.toThrow("too long");
    await grant.give("one");
    expect(await tokens.token(never)).toBe("one");
    expect(grant.asked).toBe(1);
    await expect(tokens.token(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  });

  it("ends with whoever keeps it, also for those who wait", async () => {
    const waiting = thrown(tokens.token(never));
    await settled();
    await tokens.close();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    expect(await thrown(tokens.token(never))).toMatchObject({ code: "CLOSED" });
    expect(grant.closed).toBe(true);
  });

  it("is not waited for longer than a fetch may take", async () => {
    const hasty = new KeptToken({ grant, now: () => instant(now), timeoutMs: 20 });
    expect(await thrown(hasty.token(never))).toMatchObject({ code: "TIMEOUT" });
  });

  it("is fetched anew by whoever comes after a fetch has had its time, however long the machine slept, and the one before is forgotten", async () => {
    const before = thrown(tokens.token(never));
    await settled();
    now += 10_000;
    const after = tokens.token(never);
    expect(await before).toMatchObject({ code: "TIMEOUT" });
    expect(grant.waiting).toHaveLength(1);
    await grant.give("two");
    expect(await after).toBe("two");
    expect(await tokens.token(never)).toBe("two");
    expect(grant.asked).toBe(2);
  });

  it("is fetched at once after a failure that a machine hears of when it has slept", async () => {
    const before = thrown(tokens.token(never));
    await settled();
    now += 60_000;
    await grant.fail();
    expect(await before).toMatchObject({ code: "HTTP 502" });
    const after = tokens.token(never);
    await settled();
    await grant.give("two");
    expect(await after).toBe("two");
  });

  it.each(["", "two words", "line\r\nx-evil: 1", "ü"])("is refused when %j would be the header", async (text) => {
    const waiting = thrown(tokens.token(never));
    await settled();
    await grant.give(text);
    expect(await waiting).toMatchObject({ code: "TOKEN_UNUSABLE" });
  });

  it("says of an unforeseen error nothing but that", async () => {
    const waiting = thrown(tokens.token(never));
    await settled();
    await grant.fail(new Error("canary-77 in a message"));
    expect(inspect(await waiting, { depth: 9, showHidden: true })).not.toContain("canary-77");
  });

  it("is never served after its end, and never fetched twice at once, whatever happens", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("ask" as const) },
      fc.record({ give: fc.integer({ min: 1, max: 1_000_000 }) }),
      fc.constant("fail" as const),
      fc.constant("refused" as const),
      fc.record({ pass: fc.integer({ min: 0, max: 700_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        let at = 0;
        const made = new FakeGrant();
        const kept = new KeptToken({ grant: made, now: () => instant(at) });
        const ends = new Map<string, number>();
        let count = 0;
        let last: string | undefined;
        for (const one of steps) {
          if (one === "ask") {
            const pending = made.waiting.length;
            const asked = kept.token(never).then(
              (token) => {
                last = token;
                return token;
              },
              () => undefined,
            );
            const token = await Promise.race([asked, settled()]);
            if (token !== undefined) expect(ends.get(token)).toBeGreaterThan(at);
            expect(made.waiting.length - pending).toBeLessThanOrEqual(1);
          } else if (one === "fail") await made.fail();
          else if (one === "refused") kept.refused(last ?? "");
          else if ("give" in one) {
            const token = `token-${++count}`;
            // From when it was asked for, which is not later than now.
            ends.set(token, at + one.give);
            await made.give(token, one.give);
          } else at += one.pass;
          expect(made.most).toBeLessThanOrEqual(1);
        }
        await kept.close();
      }),
      { numRuns: 200 },
    );
  });
});

describe("OAuth's client credentials", () => {
  const SECRET = "canary s/cret+ü:&=%";
  const folder = mkdtempSync(join(tmpdir(), "client-certificate-"));
  const closing: (() => Promise<unknown>)[] = [];
  let endpoint: TokenEndpoint;
  let now: InstantMs;
  beforeEach(async () => {
    now = instant(Date.now());
    endpoint = await startTokenEndpoint();
    closing.push(() => endpoint.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const granting = (proof: ClientProof, change: Partial<ConstructorParameters<typeof ClientCredentials>[0]> = {}) => {
    const grant = new ClientCredentials({
      tokenUrl: endpoint.url,
      clientId: "client id",
      scope: "https://outlook.office365.com/.default",
      allowPlainHttp: true,
      proof,
      now: () => now,
      ...change,
    });
    closing.push(() => grant.close());
    return grant;
  };
  const basic: ClientProof = { method: "client_secret_basic", secret: SECRET };
  const certificate = (name: string, ...key: string[]) => {
    const file = (end: string) => join(folder, `${name}.${end}`);
    const args = ["req", "-x509", ...key, "-nodes", "-days", "2", "-subj", `/CN=${name}`];
    execFileSync("openssl", [...args, "-keyout", file("key"), "-out", file("crt")], { stdio: "ignore" });
    return { privateKey: readFileSync(file("key"), "utf8"), certificate: readFileSync(file("crt"), "utf8") };
  };

  it("go in the header in the form's own encoding, and nowhere else", async () => {
    expect(await granting(basic).obtain(never)).toEqual({ token: "token-1", lifetimeMs: 3_600_000 });
    const [{ headers, form }] = endpoint.asked as [(typeof endpoint.asked)[0]];
    const [, encoded = ""] = /^Basic (.*)$/.exec(headers.authorization ?? "") ?? [];
    const parts = Buffer.from(encoded, "base64").toString().split(":");
    expect(parts.map((part) => decodeURIComponent(part.replaceAll("+", " ")))).toEqual(["client id", SECRET]);
    expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect([...form]).toEqual([
      ["grant_type", "client_credentials"],
      ["scope", "https://outlook.office365.com/.default"],
    ]);
  });

  it("go in the body where the server wants them there", async () => {
    const grant = granting({ method: "client_secret_post", secret: SECRET }, { scope: undefined, resource: "urn:ews" });
    await grant.obtain(never);
    const [{ headers, form }] = endpoint.asked as [(typeof endpoint.asked)[0]];
    expect(headers.authorization).toBeUndefined();
    expect(Object.fromEntries(form)).toEqual({
      grant_type: "client_credentials",
      client_id: "client id",
      client_secret: SECRET,
      resource: "urn:ews",
    });
  });

  it.each(["PS256", "RS256"] as const)(
    "are proven with a certificate's key, %s, as another library sees it",
    async (algorithm) => {
      const own = certificate("app", "-newkey", "rsa:2048");
      const grant = granting({ method: "private_key_jwt", algorithm, ...own });
      await grant.obtain(never);
      await grant.obtain(never);
      const assertions = endpoint.asked.map(({ form }) => form.get("client_assertion") ?? "");
      expect(endpoint.asked[0]?.form.get("client_assertion_type")).toBe(
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      );
      const { payload } = await jwtVerify(assertions[0] as string, await importX509(own.certificate, algorithm), {
        algorithms: [algorithm],
        audience: endpoint.url.href,
        issuer: "client id",
        subject: "client id",
        maxTokenAge: 600,
        currentDate: new Date(now),
      });
      expect((payload.exp as number) - (payload.nbf as number)).toBeLessThanOrEqual(600);
      const { payload: second } = await jwtVerify(
        assertions[1] as string,
        await importX509(own.certificate, algorithm),
      );
      expect(second.jti).not.toBe(payload.jti);
      const { fingerprint, fingerprint256 } = new X509Certificate(own.certificate);
      const bytes = (print: string) => Buffer.from(print.replaceAll(":", ""), "hex").toString("base64url");
      expect(decodeProtectedHeader(assertions[0] as string)).toEqual({
        alg: algorithm,
        typ: "JWT",
        x5t: bytes(fingerprint),
        "x5t#S256": bytes(fingerprint256),
      });
    },
  );

  it("may come as one text with key and certificate", async () => {
    const { privateKey, certificate: text } = certificate("one", "-newkey", "rsa:2048");
    const both = `${text}${privateKey}`;
    const grant = granting({ method: "private_key_jwt", algorithm: "PS256", privateKey: both, certificate: both });
    expect(await grant.obtain(never)).toMatchObject({ token: "token-1" });
  });

  it("are not sent with a key that cannot be used, and nothing of the key is said", async () => {
    const own = certificate("own", "-newkey", "rsa:2048");
    const other = certificate("other", "-newkey", "rsa:2048");
    const curve = certificate("curve", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");
    const codeWith = async (change: Partial<typeof own>) => {
      const error = await thrown(
        granting({ method: "private_key_jwt", algorithm: "PS256", ...own, ...change }).obtain(never),
      );
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|PRIVATE KEY/);
      return error.code;
    };
    expect(await codeWith({ privateKey: "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n" })).toBe(
      "KEY_UNREADABLE",
    );
    expect(await codeWith(curve)).toBe("KEY_UNREADABLE");
    expect(await codeWith({ certificate: "canary" })).toBe("CERTIFICATE_UNREADABLE");
    expect(await codeWith({ privateKey: other.privateKey })).toBe("KEY_OF_ANOTHER_CERTIFICATE");
    expect(endpoint.asked).toEqual([]);
  });

  it("are not sent to an endpoint without TLS, unless that is allowed", () => {
    expect(() => granting(basic, { allowPlainHttp: false })).toThrow("https");
    expect(() => granting(basic, { tokenUrl: new URL("ftp://127.0.0.1/") })).toThrow("https");
  });

  it.each([
    [400, { error: "invalid_client" }, { code: "invalid_client", refused: true }],
    [401, { error: "invalid_client", error_codes: [7000222] }, { code: "invalid_client", refused: true }],
    [400, { error: "invalid_scope" }, { code: "invalid_scope", refused: false }],
    [400, { error: "canary_word", error_description: "canary" }, { code: "HTTP 400", refused: false }],
    [401, "canary", { code: "HTTP 401", refused: true }],
    [
      503,
      { error: "temporarily_unavailable" },
      { code: "temporarily_unavailable", refused: false, retryAfterMs: 7000 },
    ],
    [302, {}, { code: "HTTP 302", refused: false }],
    [200, { access_token: "canary", token_type: "mac" }, { code: "TOKEN_UNUSABLE", refused: false }],
    [200, "canary{", { code: "TOKEN_UNUSABLE" }],
    [200, { error: "invalid_client" }, { code: "TOKEN_UNUSABLE" }],
  ])("end with a short word when HTTP %i says %j", async (status, said, expected) => {
    endpoint.answer = (reply) => sendJson(reply, status, said, { "retry-after": "7", location: endpoint.url.href });
    const error = await thrown(granting(basic).obtain(never));
    expect(error).toBeInstanceOf(TokenError);
    expect(error).toMatchObject(expected);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary");
    expect(endpoint.asked).toHaveLength(1);
  });

  it("name what Microsoft's numbers mean", async () => {
    endpoint.answer = (reply) => sendJson(reply, 401, { error: "invalid_client", error_codes: [7000222] });
    expect((await thrown(granting(basic).obtain(never))).detail).toContain("expired");
  });

  it.each([
    ["3599", 3_599_000],
    [undefined, 300_000],
  ])("believe %j for a lifetime", async (written, lifetimeMs) => {
    endpoint.answer = (reply) => sendJson(reply, 200, { ...grantOf("t"), expires_in: written });
    expect(await granting(basic).obtain(never)).toEqual({ token: "t", lifetimeMs });
  });

  it.each([0, -5, "soon", null, "1e999x"])("keep no token that is said to live %j", async (written) => {
    endpoint.answer = (reply) => sendJson(reply, 200, grantOf("t", written));
    const kept = new KeptToken({ grant: granting(basic), now: () => now });
    expect(await thrown(kept.token(never))).toMatchObject({ code: "TOKEN_UNUSABLE" });
  });

  it("end when the answer is too large, nobody answers, or nobody waits", async () => {
    endpoint.answer = (reply) => sendJson(reply, 200, { ...grantOf("t"), padding: "x".repeat(100_000) });
    expect(await thrown(granting(basic).obtain(never))).toMatchObject({ code: "UND_ERR_RES_EXCEEDED_MAX_SIZE" });
    endpoint.answer = () => undefined;
    const abort = new AbortController();
    const asked = granting(basic).obtain(abort.signal);
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    const nowhere = granting(basic, { tokenUrl: new URL("http://127.0.0.1:9/") });
    expect(await thrown(nowhere.obtain(never))).toMatchObject({ code: "ECONNREFUSED", refused: false });
  });
});
