import type { Socket } from "node:net";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { BearerAuthentication } from "../../src/inbound/bearer-authentication.js";
import {
  type Authentication,
  CallerAuthenticator,
  type CallerAuthenticatorParts,
  type SignInScheme,
  type StandingIdentity,
  type Verdict,
} from "../../src/inbound/caller-authentication.js";
import { NtlmAuthentication } from "../../src/inbound/ntlm-authentication.js";
import { PasswordAuthentication } from "../../src/inbound/password-authentication.js";
import { signInAnswer } from "../../src/inbound/sign-in-answer.js";
import { SigningKeys } from "../../src/inbound/signing-keys.js";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../../src/ntlm/ntlm-client.js";
import { ntHash } from "../../src/ntlm/ntlmv2.js";
import { LookupLog } from "../../src/telemetry/lookup-log.js";
import { Metrics } from "../../src/telemetry/metrics.js";
import { HttpConnection } from "../support/http-connection.js";
import { backoff, basic, callerNamed, signInRequest, startSignInServer } from "../support/sign-in-server.js";
import { negTokenInit } from "../support/spnego-tokens.js";

const known = (name: string): Verdict => ({ kind: "known", caller: callerNamed(name) });
const scheme = (word: string, verdict: Verdict | Promise<Verdict>, bindsConnection = false): SignInScheme => ({
  word,
  offer: word.toUpperCase(),
  bindsConnection,
  authenticate: () => verdict,
});

class Standing implements StandingIdentity {
  readonly forgotten: Socket[] = [];
  readonly #name: string | undefined;
  constructor(name: string | undefined) {
    this.#name = name;
  }
  callerOf() {
    return this.#name === undefined ? undefined : callerNamed(this.#name);
  }
  forget(socket: Socket) {
    this.forgotten.push(socket);
  }
}

function authenticator(change: Partial<CallerAuthenticatorParts> = {}) {
  return new CallerAuthenticator({
    schemes: [
      scheme("handshake", known("by-handshake"), true),
      scheme("basic", known("by-password")),
      scheme("bearer", Promise.resolve(known("by-token"))),
    ],
    standing: [],
    sharesConnection: () => false,
    ...change,
  });
}

const refusal = (result: Authentication | Promise<Authentication>) =>
  result instanceof Promise || result.kind !== "refused" ? undefined : [result.reason, result.challenges];

describe("a request", () => {
  it("is read by the scheme it names, in any case, at once where the scheme knows at once", async () => {
    for (const word of ["Basic", "BASIC", "basic"]) {
      expect(authenticator().authenticate(signInRequest(`${word} x`))).toEqual(known("by-password"));
    }
    const late = authenticator().authenticate(signInRequest("Bearer x"));
    expect(late).toBeInstanceOf(Promise);
    expect(await late).toEqual(known("by-token"));
  });

  it("without credentials is told all schemes in the order they were given, one that names none of them, too", () => {
    const offers = ["HANDSHAKE", "BASIC", "BEARER"];
    expect(refusal(authenticator().authenticate(signInRequest(undefined)))).toEqual(["no-credentials", offers]);
    for (const header of ["", "Digest x", "Basi", "Basicx y", " Basic x", "__proto__ x", "constructor"]) {
      expect(refusal(authenticator().authenticate(signInRequest(header)))).toEqual(["unknown-scheme", offers]);
    }
  });

  it("without credentials is the first's that knows its connection", () => {
    const standing = [new Standing(undefined), new Standing("first"), new Standing("second")];
    expect(authenticator({ standing }).authenticate(signInRequest(undefined))).toEqual(known("first"));
  });

  it("with credentials is never its connection's, and ends what the connection was known for", () => {
    const standing = [new Standing("connection")];
    const request = signInRequest("Basic x");
    expect(authenticator({ standing }).authenticate(request)).toEqual(known("by-password"));
    expect(refusal(authenticator({ standing }).authenticate(signInRequest("Digest x")))?.[0]).toBe("unknown-scheme");
    expect(standing[0]?.forgotten[0]).toBe(request.socket);
    expect(standing[0]?.forgotten.length).toBe(2);
  });

  it("over a shared connection is nobody's without credentials, and no scheme that signs in connections is taken", () => {
    const standing = [new Standing("connection")];
    const shared = authenticator({ standing, sharesConnection: () => true });
    const offers = ["BASIC", "BEARER"];
    expect(refusal(shared.authenticate(signInRequest(undefined)))).toEqual(["no-credentials", offers]);
    expect(refusal(shared.authenticate(signInRequest("Handshake x")))).toEqual(["shared-connection", offers]);
    expect(shared.authenticate(signInRequest("Basic x"))).toEqual(known("by-password"));
  });
});

describe("what somebody who is not let in is told", () => {
  it("is the same for every reason that is about them", () => {
    const refused = (reason: Extract<Authentication, { kind: "refused" }>["reason"]) =>
      signInAnswer({ kind: "refused", reason, challenges: ["Basic"], retryAfterMs: undefined });
    const { reason, ...told } = refused("bad-credentials");
    expect(reason).toBe("bad-credentials");
    for (const other of ["bad-token", "unknown-scheme", "ntlm-stale", "handshake-out-of-turn"] as const) {
      expect(refused(other)).toEqual({ ...told, reason: other });
    }
    expect(refused("no-credentials")).toEqual({ ...told, reason: undefined });
  });

  it("is when to come back, rounded up to whole seconds, when there is nothing wrong with them yet", () => {
    const later = (reason: "too-many-failures" | "too-many-checks" | "keys-unavailable", retryAfterMs?: number) => {
      const { status, headers } = signInAnswer({ kind: "refused", reason, challenges: [], retryAfterMs });
      return [status, headers["retry-after"], headers["www-authenticate"]];
    };
    expect(later("too-many-failures", 1_001)).toEqual([429, "2", undefined]);
    expect(later("too-many-failures", 1)).toEqual([429, "1", undefined]);
    expect(later("too-many-checks")).toEqual([503, "5", undefined]);
    expect(later("keys-unavailable")).toEqual([503, "5", undefined]);
  });
});

describe("nothing a caller sends to sign in", () => {
  it("is in an answer, in the log at its most talkative, or in the metrics", async () => {
    const CANARY = "canary-7Qx";
    const ntlm = new NtlmAuthentication({
      domain: "GATEWAY",
      computer: "GATEWAY",
      dnsComputer: "gateway.corp.example",
      accounts: [{ caller: callerNamed("exchange"), usernames: ["CORP\\svc"], hash: ntHash(`right-${CANARY}`) }],
      backoff: backoff(),
      now: Date.now,
    });
    const passwords = new PasswordAuthentication({
      accounts: [{ caller: callerNamed("exchange"), usernames: ["CORP\\svc"], passwordHash: "$argon2id$" }],
      backoff: backoff(),
      check: async () => false,
    });
    const said: string[] = [];
    const keys = new SigningKeys({
      source: { url: new URL(`http://127.0.0.1:1/${CANARY}`) },
      now: Date.now,
      onProblem: (problem) => said.push(problem),
    });
    const tokens = new BearerAuthentication({
      issuers: [{ issuer: "https://sts.corp.example", audience: ["a"], keys, skewSeconds: 0 }],
      identities: [],
      now: Date.now,
    });
    const schemes = [ntlm.scheme("Negotiate"), ntlm.scheme("NTLM"), passwords, tokens];
    const server = await startSignInServer({ schemes, standing: [ntlm] });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = (value: string) => Buffer.from(value).toString("base64");
    const forms = [CANARY, text(CANARY).slice(0, 12), Buffer.from(CANARY, "utf16le").toString("latin1")];
    try {
      const headers = [
        basic("CORP\\svc", CANARY),
        basic(CANARY, "x"),
        `Basic ${CANARY}`,
        ...Array.from({ length: 8 }, (_, i) => basic("CORP\\svc", `${CANARY}-${i}`)),
        `Bearer ${CANARY}`,
        `Bearer ${part({ alg: "RS256", kid: CANARY })}.${part({ iss: "https://sts.corp.example", sub: CANARY })}.AAAA`,
        `Bearer ${part({ alg: "none" })}.${part({ iss: CANARY })}.`,
        `Digest username="${CANARY}"`,
        CANARY,
        `NTLM ${text(CANARY)}`,
        `Negotiate ${negTokenInit(["2a864886f712010202"], Buffer.from(CANARY)).toString("base64")}`,
      ];
      for (const authorization of headers) {
        const connection = new HttpConnection(server.url);
        const { status, text: told, headers: answered } = await connection.signIn(authorization);
        said.push(told, JSON.stringify(answered));
        expect(status).toBeGreaterThanOrEqual(401);
        connection.close();
      }
      for (const password of [`wrong-${CANARY}`, `right-${CANARY}`]) {
        const connection = new HttpConnection(server.url);
        const challenged = await connection.signIn(`NTLM ${negotiateMessage().toString("base64")}`);
        const challenge = Buffer.from((challenged.challenges[0] as string).slice(5), "base64");
        const target = { servicePrincipal: "HTTP/gateway", endPoint: undefined };
        const message = authenticateMessage(ntlmCredential("CORP\\svc", password), challenge, target);
        const { text: told, headers: answered } = await connection.signIn(`NTLM ${message.toString("base64")}`);
        said.push(told, JSON.stringify(answered));
        connection.close();
      }
      const log = new LookupLog(pino({ level: "trace" }, { write: (line) => said.push(line) }), "plain");
      const metrics = new Metrics();
      for (const { reason, source } of server.refused) {
        const refused = { id: "1", source, caller: undefined, status: 401, reason };
        log.requestRefused(refused);
        metrics.requestRefused(refused);
      }
      said.push(await metrics.registry.metrics());
      expect(server.refused.length).toBe(headers.length + 1);
      expect(said.join("\n")).toContain("bad-credentials");
      for (const form of forms) expect(said.join("\n")).not.toContain(form);
    } finally {
      await server.close();
      await keys.close();
    }
  });
});
