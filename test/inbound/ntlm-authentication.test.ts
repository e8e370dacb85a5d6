import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { NtlmAuthentication, type NtlmAuthenticationParts } from "../../src/inbound/ntlm-authentication.js";
import { PasswordAuthentication } from "../../src/inbound/password-authentication.js";
import { BACKOFF } from "../../src/inbound/sign-in-backoff.js";
import { NTLMSSP, readSpnego } from "../../src/inbound/spnego.js";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../../src/ntlm/ntlm-client.js";
import { writeNegotiate } from "../../src/ntlm/ntlm-messages.js";
import { ntHash } from "../../src/ntlm/ntlmv2.js";
import { HttpConnection, type HttpReply } from "../support/http-connection.js";
import { backoff, basic, callerNamed, type SignInServer, startSignInServer } from "../support/sign-in-server.js";
import { negTokenInit, negTokenResponse } from "../support/spnego-tokens.js";

const PASSWORDS: Record<string, string> = { exchange: "Secret-1", workmail: "Secret-2" };
const PLAIN = { servicePrincipal: "HTTP/gateway.corp.example", endPoint: undefined };
const NEGOTIATE = negotiateMessage();
const KERBEROS = "2a864886f712010202";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(change: Partial<NtlmAuthenticationParts> & { proxies?: string[] } = {}) {
  const { proxies = [], ...parts } = change;
  const ntlm = new NtlmAuthentication({
    domain: "GATEWAY",
    computer: "GATEWAY",
    dnsComputer: "gateway.corp.example",
    accounts: Object.entries(PASSWORDS).map(([name, password]) => ({
      caller: callerNamed(name),
      usernames: [`CORP\\${name}`, `${name}@corp.example`],
      hash: ntHash(password),
    })),
    backoff: backoff(),
    now: Date.now,
    ...parts,
  });
  const passwords = new PasswordAuthentication({
    accounts: [],
    backoff: backoff(),
    check: async () => false,
  });
  const schemes = [ntlm.scheme("Negotiate"), ntlm.scheme("NTLM"), passwords];
  const server = await startSignInServer({ schemes, standing: [ntlm], proxies });
  closers.push(() => server.close());
  return { server, ntlm };
}

function connectTo(server: SignInServer, maxSockets = 1): HttpConnection {
  const connection = new HttpConnection(server.url, {}, maxSockets);
  closers.push(() => connection.close());
  return connection;
}

const header = (word: string, message: Buffer) => `${word} ${message.toString("base64")}`;
/** What a reply with one challenge holds. */
const tokenIn = ({ challenges }: HttpReply) => Buffer.from((challenges[0] as string).split(" ")[1] as string, "base64");

function answer(challenge: Buffer, user = "exchange", password = PASSWORDS[user] as string): Buffer {
  return authenticateMessage(ntlmCredential(`CORP\\${user}`, password), challenge, PLAIN);
}

async function signIn(connection: HttpConnection, user = "exchange", password = PASSWORDS[user] as string) {
  const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
  return connection.signIn(header("NTLM", answer(tokenIn(challenged), user, password)), "question");
}

describe("a connection", () => {
  it("is told every way to sign in, in order, each in a header of its own", async () => {
    const { server } = await started();
    const { status, challenges } = await connectTo(server).ask();
    expect([status, challenges]).toEqual([401, ["Negotiate", "NTLM", 'Basic realm="free/busy", charset="UTF-8"']]);
    expect(server.refused).toEqual([]);
  });

  it("is its caller's after three messages, until it ends, and no other connection is", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
    expect([challenged.status, challenged.challenges.length]).toEqual([401, 1]);
    const done = await connection.signIn(header("NTLM", answer(tokenIn(challenged))), "question");
    expect([done.status, done.text]).toEqual([200, "exchange 8"]);
    for (let i = 0; i < 3; i++) expect((await connection.ask({}, "more")).text).toBe("exchange 4");
    expect(connection.sockets.size).toBe(1);
    expect((await connectTo(server).ask()).status).toBe(401);
  });

  it("is nobody's again as soon as somebody signs in on it anew, or otherwise, or fails to", async () => {
    const { server } = await started();
    for (const other of [header("NTLM", NEGOTIATE), basic("eve", "x"), "Bearer x", "Strange", "NTLM !"]) {
      const connection = connectTo(server);
      expect((await signIn(connection)).status).toBe(200);
      expect((await connection.signIn(other)).status).toBe(401);
      expect((await connection.ask()).status).toBe(401);
      expect(connection.sockets.size).toBe(1);
    }
  });

  it("may change hands by signing in again, and then is the other's", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    expect((await signIn(connection)).text).toBe("exchange 8");
    expect((await signIn(connection, "workmail")).text).toBe("workmail 8");
    expect((await connection.ask()).text).toBe("workmail 0");
  });

  it("stays usable when a whole question came with the first message: it is read and left", async () => {
    const { server } = await started();
    for (const size of [10, 50_000, 5_000_000]) {
      const connection = connectTo(server);
      const challenged = await connection.signIn(header("NTLM", NEGOTIATE), "x".repeat(size));
      expect(challenged.status).toBe(401);
      const done = await connection.signIn(header("NTLM", answer(tokenIn(challenged))), "question");
      expect([done.text, connection.sockets.size]).toEqual(["exchange 8", 1]);
    }
  });

  it("is let in under user@domain, whatever domain comes with it", async () => {
    const { server } = await started();
    for (const [name, domain] of [
      ["exchange@corp.example", ""],
      ["Exchange@CORP.example", "WORKSTATION"],
    ] as const) {
      const connection = connectTo(server);
      const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
      const credential = { user: name, domain, hash: ntHash("Secret-1") };
      const message = authenticateMessage(credential, tokenIn(challenged), PLAIN);
      expect((await connection.signIn(header("NTLM", message))).text).toBe("exchange 0");
    }
  });
});

describe("somebody else", () => {
  it("is refused with a wrong password and with an unknown name, in the same words", async () => {
    const { server } = await started();
    const wrong = await signIn(connectTo(server), "exchange", "wrong");
    const unknown = await signIn(connectTo(server), "eve", "wrong");
    expect([wrong.status, wrong.text, wrong.challenges]).toEqual([401, unknown.text, unknown.challenges]);
    expect(server.refused.map(({ reason }) => reason)).toEqual(["bad-credentials", "bad-credentials"]);
  });

  it("cannot use an answer again, on its connection or on another, nor to a challenge of its own", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
    const heard = header("NTLM", answer(tokenIn(challenged)));
    expect((await connection.signIn(heard)).status).toBe(200);
    expect((await connection.signIn(heard)).status).toBe(401);
    const other = connectTo(server);
    expect((await other.signIn(heard)).status).toBe(401);
    await other.signIn(header("NTLM", NEGOTIATE));
    expect((await other.signIn(heard)).status).toBe(401);
    expect(server.refused.map(({ reason }) => reason)).toEqual([
      "handshake-out-of-turn",
      "handshake-out-of-turn",
      "bad-credentials",
    ]);
  });

  it("gets another challenge each time", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenges = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const message = tokenIn(await connection.signIn(header("NTLM", NEGOTIATE)));
      challenges.add(message.subarray(24, 32).toString("hex"));
    }
    expect(challenges.size).toBe(50);
  });

  it("is refused when messages are cut off, changed, of the wrong kind, or want less than NTLMv2", async () => {
    const { server } = await started();
    const weak = writeNegotiate({ flags: 0x0000_0201 });
    const first = ["NTLM", "NTLM ", "NTLM =", header("NTLM", weak), header("NTLM", NEGOTIATE.subarray(0, 12))];
    for (const one of first) expect((await connectTo(server).signIn(one)).status).toBe(401);
    for (const change of [
      (message: Buffer) => message.subarray(0, message.length - 20),
      (message: Buffer) => message.fill(1, 90, 92),
      (message: Buffer) => {
        message.writeUInt32LE(2, 8);
        return message;
      },
    ]) {
      const connection = connectTo(server);
      const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
      const message = change(answer(tokenIn(challenged)));
      expect((await connection.signIn(header("NTLM", message))).status).toBe(401);
      expect((await connection.ask()).status).toBe(401);
    }
    expect(server.refused.length).toBe(first.length + 3);
  });

  it("is made to wait after some failures, but not where the right one has signed in, and not by others", async () => {
    const { server } = await started();
    const statuses: number[] = [];
    for (let i = 0; i < BACKOFF.freePerAccount + 3; i++) {
      statuses.push((await signIn(connectTo(server), "exchange", `guess-${i}`)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
    const late = await signIn(connectTo(server), "exchange");
    expect([late.status, Number(late.headers["retry-after"])]).toEqual([429, 1]);
    expect((await signIn(connectTo(server), "workmail")).status).toBe(200);
  });

  it("cannot finish under one name what was begun under the other", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenged = await connection.signIn(header("NTLM", NEGOTIATE));
    const message = answer(tokenIn(challenged));
    expect((await connection.signIn(header("Negotiate", message))).status).toBe(401);
    const again = await connection.signIn(header("Negotiate", NEGOTIATE));
    const wrapped = negTokenResponse(answer(tokenIn(again)));
    expect((await connection.signIn(header("Negotiate", wrapped))).status).toBe(401);
  });
});

describe("Negotiate", () => {
  it("takes a bare message of NTLM", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenged = await connection.signIn(header("Negotiate", NEGOTIATE));
    const done = await connection.signIn(header("Negotiate", answer(tokenIn(challenged))));
    expect([done.text, (await connection.ask()).text]).toEqual(["exchange 0", "exchange 0"]);
  });

  it("takes NTLM inside of SPNEGO", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const challenged = await connection.signIn(header("Negotiate", negTokenInit([NTLMSSP], NEGOTIATE)));
    const challenge = readSpnego(tokenIn(challenged)).token as Buffer;
    const done = await connection.signIn(header("Negotiate", negTokenResponse(answer(challenge))));
    expect(done.text).toBe("exchange 0");
  });

  it("has a client that would rather have Kerberos begin again with NTLM", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    const told = await connection.signIn(header("Negotiate", negTokenInit([KERBEROS, NTLMSSP], Buffer.alloc(100, 1))));
    expect([told.status, readSpnego(tokenIn(told)).token]).toEqual([401, undefined]);
    const challenged = await connection.signIn(header("Negotiate", negTokenResponse(NEGOTIATE)));
    const challenge = readSpnego(tokenIn(challenged)).token as Buffer;
    const done = await connection.signIn(header("Negotiate", negTokenResponse(answer(challenge))));
    expect(done.text).toBe("exchange 0");
  });

  it("refuses Kerberos alone, a later token first, and what is no token", async () => {
    const { server } = await started();
    for (const token of [
      negTokenInit([KERBEROS], Buffer.alloc(100, 1)),
      negTokenResponse(NEGOTIATE),
      negTokenInit([NTLMSSP], Buffer.from("hello, world")),
      Buffer.from([0x60, 0x05, 1]),
    ]) {
      const reply = await connectTo(server).signIn(header("Negotiate", token));
      expect([reply.status, reply.challenges.length]).toEqual([401, 3]);
    }
    expect(server.refused.map(({ reason }) => reason)).toEqual([
      "unsupported-mechanism",
      "handshake-out-of-turn",
      "ntlm-unreadable",
      "ntlm-unreadable",
    ]);
  });
});

describe("behind a reverse proxy, where callers share connections,", () => {
  it("neither NTLM nor Negotiate is offered or taken", async () => {
    const { server } = await started({ proxies: ["127.0.0.1"] });
    const connection = connectTo(server);
    expect((await connection.ask({ "x-forwarded-for": "203.0.113.9" })).challenges).toEqual([
      'Basic realm="free/busy", charset="UTF-8"',
    ]);
    const refused = await connection.signIn(header("NTLM", NEGOTIATE));
    expect([refused.status, refused.challenges.length]).toEqual([401, 1]);
    expect(server.refused).toEqual([{ reason: "shared-connection", source: "127.0.0.1" }]);
  });

  it("a connection that was somebody's is nobody's from the first forwarded request on, even if the proxy is not configured", async () => {
    const { server } = await started();
    const connection = connectTo(server);
    expect((await signIn(connection)).status).toBe(200);
    expect((await connection.ask({ "x-forwarded-for": "203.0.113.9" })).status).toBe(401);
    expect((await connection.ask()).status).toBe(401);
  });
});

describe("many callers at once", () => {
  it("half-done handshakes are bounded in number, and end with their connections", async () => {
    const { server, ntlm } = await started();
    const connections = Array.from({ length: 50 }, () => connectTo(server));
    await Promise.all(connections.map((connection) => connection.signIn(header("NTLM", NEGOTIATE))));
    expect(ntlm.halfDone).toBe(50);
    for (const connection of connections) connection.close();
    for (let i = 0; i < 100 && ntlm.halfDone > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(ntlm.halfDone).toBe(0);
  });

  it("are never taken for each other, on kept connections that are cut under them", { timeout: 60_000 }, async () => {
    const { server } = await started();
    const open = new Set<Socket>();
    server.app.server.on("connection", (socket) => {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    });
    let cut = 0;
    const cutting = setInterval(() => {
      const [one] = [...open].sort(() => Math.random() - 0.5);
      one?.destroy();
      cut++;
    }, 10);
    const shared = connectTo(server, 4);
    const told = { right: 0, wrong: 0, refused: 0, broken: 0 };
    const owned = ["exchange", "workmail"].map((user) => ({ user, connection: connectTo(server) }));
    const count = async (user: string, reply: Promise<HttpReply>) => {
      try {
        const { status, text } = await reply;
        if (status !== 200) told.refused++;
        else if (text.startsWith(`${user} `)) told.right++;
        else told.wrong++;
      } catch {
        told.broken++;
      }
    };
    const ownWay = async ({ user, connection }: (typeof owned)[number]) => {
      for (let i = 0; i < 150; i++) {
        await count(user, signIn(connection, user));
        await count(user, connection.ask());
      }
    };
    // Over connections they share, a handshake may end on another connection than it began: then it must come to nothing.
    const sharedWay = async (user: string) => {
      for (let i = 0; i < 100; i++) await count(user, signIn(shared, user));
    };
    await Promise.all([...owned.map(ownWay), ...["exchange", "workmail", "exchange"].map(sharedWay)]);
    clearInterval(cutting);
    expect(told.wrong).toBe(0);
    expect(told.right).toBeGreaterThan(0);
    expect(cut).toBeGreaterThan(0);
  });
});
