/** Bytes with a bearer token, against real sockets. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BearerTransport } from "../../src/backends/bearer-transport.js";
import { TransportError } from "../../src/backends/http-channel.js";
import { TokenError, type TokenSource } from "../../src/backends/token-source.js";
import { untilAborted } from "../../src/backends/until-aborted.js";

const never = new AbortController().signal;
const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: unknown) => error,
  );

/** Hands out its tokens one after the other: the next when the one before is refused. */
class Tokens implements TokenSource {
  readonly given: string[];
  readonly refusals: string[] = [];
  expiresAt = undefined;
  closed = false;
  error: TokenError | undefined;
  silent = false;

  constructor(...given: string[]) {
    this.given = given;
  }

  async token(signal: AbortSignal): Promise<string> {
    if (this.silent) return untilAborted(new Promise<never>(() => undefined), signal);
    if (this.error !== undefined) throw this.error;
    return this.given[0] as string;
  }

  refused(token: string): void {
    this.refusals.push(token);
    if (this.given.length > 1 && this.given[0] === token) this.given.shift();
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

describe("requests with a bearer token", () => {
  let server: Server;
  let answer: (request: IncomingMessage, reply: ServerResponse) => void;
  const seen: { method: string; authorization: string | undefined; body: string; headers: object }[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    seen.length = 0;
    answer = (request, reply) =>
      reply
        .writeHead(request.headers.authorization === "Bearer good" ? 200 : 401, { "content-type": "text/xml" })
        .end("x");
    server = createServer(async (request, reply) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = "", headers } = request;
      seen.push({ method, authorization: headers.authorization, body: Buffer.concat(chunks).toString(), headers });
      answer(request, reply);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const over = (tokens: TokenSource, maximumAnswerBytes = 1000, patienceMs = 5000) => {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx?x=1`);
    const transport = new BearerTransport({ url, tokens, connections: 2, maximumAnswerBytes, patienceMs });
    closing.push(() => transport.close());
    return transport;
  };
  const sent = () => seen.map(({ authorization, body }) => [authorization, body]);

  it("carry it, and the marks of this gateway", async () => {
    expect(await over(new Tokens("good")).post("one", never)).toMatchObject({ status: 200, contentType: "text/xml" });
    expect(sent()).toEqual([["Bearer good", "one"]]);
    expect(seen[0]?.headers).toMatchObject({ "user-agent": "freebusy-gateway", "x-freebusy-hop": "1" });
  });

  it("are repeated once with another token when one is refused", async () => {
    const tokens = new Tokens("old", "good");
    expect((await over(tokens).post("one", never)).status).toBe(200);
    expect(sent()).toEqual([
      ["Bearer old", "one"],
      ["Bearer good", "one"],
    ]);
    expect(tokens.refusals).toEqual(["old"]);
  });

  it("are not repeated twice, nor with the same token, nor without one", async () => {
    expect((await over(new Tokens("old", "older", "oldest")).post("one", never)).status).toBe(401);
    expect(seen).toHaveLength(2);
    expect((await over(new Tokens("old")).post("two", never)).status).toBe(401);
    expect(seen).toHaveLength(3);
    const spent = new Tokens("old");
    answer = (_, reply) => {
      spent.error = new TokenError("HTTP 502", { detail: "down" });
      reply.writeHead(401).end();
    };
    expect((await over(spent).post("three", never)).status).toBe(401);
    expect(seen).toHaveLength(4);
  });

  it("are not called refused when it is not known whether there is another token", async () => {
    const tokens = new Tokens("old");
    answer = (_, reply) => {
      tokens.silent = true;
      reply.writeHead(401).end();
    };
    expect(await thrown(over(tokens, 1000, 20).post("one", never))).toMatchObject({ code: "TIMEOUT", refused: false });
    expect(seen).toHaveLength(1);
  });

  it("are not sent at all without a token", async () => {
    const tokens = new Tokens("good");
    tokens.error = new TokenError("invalid_client", { detail: "wrong", refused: true });
    expect(await thrown(over(tokens).post("one", never))).toBe(tokens.error);
    expect(tokens.error).toBeInstanceOf(TransportError);
    expect(seen).toEqual([]);
  });

  it("follow no redirect and read no more than the limit", async () => {
    answer = (_, reply) => reply.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
    expect(await over(new Tokens("good")).post("one", never)).toMatchObject({
      status: 302,
      location: "http://127.0.0.1:9/",
    });
    answer = (_, reply) => reply.end("x".repeat(1001));
    expect(await thrown(over(new Tokens("good")).post("one", never))).toMatchObject({
      code: "UND_ERR_RES_EXCEEDED_MAX_SIZE",
    });
  });

  it("are repeated when the kept connection was dead, and not when a new one dies", async () => {
    const transport = over(new Tokens("good"));
    await transport.post("one", never);
    let cuts = 1;
    const served = answer;
    answer = (request, reply) => (cuts-- > 0 ? request.socket.destroy() : served(request, reply));
    expect((await transport.post("two", never)).status).toBe(200);
    cuts = 2;
    expect(await thrown(transport.post("three", never))).toMatchObject({ name: "TransportError" });
  });

  it("end when nobody waits any more", async () => {
    answer = () => undefined;
    const abort = new AbortController();
    const asked = over(new Tokens("good")).post("one", abort.signal);
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await expect(asked).rejects.toThrow("enough");
  });

  it("tell a stranger's status without showing it the token", async () => {
    expect(await over(new Tokens("good")).reach(never)).toBe(401);
    expect(seen).toMatchObject([{ method: "GET", authorization: undefined }]);
  });

  it("leave no token in the error of an answer that echoes it in broken HTTP", async () => {
    answer = (request) => request.socket.end(`HTTP/1.1 200 OK\r\n${request.headers.authorization}\r\n\r\n`);
    const transport = over(new Tokens("canary-4711"));
    const error = await thrown(transport.post("one", never));
    expect(error).toBeInstanceOf(TransportError);
    expect(inspect([error, transport], { depth: 12, showHidden: true })).not.toContain("canary-4711");
  });

  it("close what the token came from", async () => {
    const tokens = new Tokens("good");
    await over(tokens).close();
    expect(tokens.closed).toBe(true);
  });
});
