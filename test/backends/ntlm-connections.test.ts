/** Connections that belong to an identity, against a server that keeps the books of who came over which. */

import { afterEach, describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { Endpoint } from "../../src/backends/endpoint.js";
import { EndpointChannel } from "../../src/backends/endpoint-channel.js";
import { TransportError } from "../../src/backends/http-channel.js";
import { ntlmScheme } from "../../src/backends/ntlm-scheme.js";
import { messageType } from "../support/ntlm-http-server.js";
import { failure, NtlmSite, never, USERS } from "../support/ntlm-site.js";

const site = new NtlmSite();
afterEach(() => site.close());

const wrong = ntlmScheme({ username: "CORP\\svc", password: "wrong" });

describe("requests over connections of one identity", () => {
  it("cost two exchanges on a new connection and one on a kept one, and the body goes with the proof", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    for (const body of ["one", "two", "three"]) {
      expect((await transport.post(body, never)).body.toString()).toBe(`svc: ${body}`);
    }
    expect(server.arrivals.map(({ authorization, body }) => [messageType(authorization), body])).toEqual([
      [1, ""],
      [3, "one"],
      [undefined, "two"],
      [undefined, "three"],
    ]);
    expect(server.connections).toBe(1);
  });

  it("share as many connections as there may be, each authenticated once", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    const bodies = Array.from({ length: 40 }, (_, i) => `question ${i}`);
    const answers = await Promise.all(bodies.map((body) => transport.post(body, never)));
    expect(answers.map(({ body }) => body.toString())).toEqual(bodies.map((body) => `svc: ${body}`));
    expect(server.connections).toBe(3);
    expect(server.proofs).toBe(server.connections);
  });

  it("do not wait long for the first one when its answer does not come", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    const silent = new AbortController();
    server.instead = (_, __, user) => user !== undefined && server.arrivals.at(-1)?.body === "slow";
    const first = failure(transport.post("slow", silent.signal));
    await expect.poll(() => server.arrivals.at(-1)?.body).toBe("slow");
    expect((await transport.post("quick", never)).body.toString()).toBe("svc: quick");
    silent.abort(new Error("enough"));
    expect((await first).message).toBe("enough");
  });

  it("do not wait long either for the first one at a second server, to which they go when the first one goes down", async () => {
    const [one, two] = [await site.server(), await site.server()];
    const [now, tell] = [() => instant(0), () => undefined];
    const endpoints = [one.url, two.url].map((url) => new Endpoint(url, false, now, tell));
    const channel = new EndpointChannel(endpoints, (url) => site.transport(url), 10_000);
    expect((await channel.post("before", never)).body.toString()).toBe("svc: before");
    await one.close();
    const silent = new AbortController();
    two.instead = (_, __, user) => user !== undefined && two.arrivals.at(-1)?.body === "slow";
    const first = failure(channel.post("slow", silent.signal));
    await expect.poll(() => two.arrivals.at(-1)?.body).toBe("slow");
    expect((await channel.post("quick", never)).body.toString()).toBe("svc: quick");
    silent.abort(new Error("enough"));
    expect((await first).message).toBe("enough");
  });

  it("work under the word Negotiate where the server has no other", async () => {
    const server = await site.server();
    server.offers = ["Negotiate"];
    const scheme = ntlmScheme({ username: "CORP\\svc", password: USERS.svc }, "Negotiate");
    expect((await site.transport(server.url, { scheme }).post("x", never)).body.toString()).toBe("svc: x");
  });

  it.each([
    ["NEGOTIATE", 1],
    ["proof", 3],
  ])(
    "give back what stands in front of the server and answers the %s, and do not take it for consent",
    async (_, type) => {
      const server = await site.server();
      const transport = site.transport(server.url);
      server.instead = (request, reply) => {
        const mine = messageType(request.headers.authorization) === type;
        if (mine) reply.writeHead(503, { "retry-after": "7" }).end();
        return mine;
      };
      expect(await transport.post("x", never)).toMatchObject({ status: 503, retryAfter: "7" });
      server.instead = undefined;
      const before = server.arrivals.length;
      expect((await transport.post("y", never)).body.toString()).toBe("svc: y");
      const types = server.arrivals.slice(before).map(({ authorization }) => messageType(authorization));
      expect(types).toEqual([1, 3]);
    },
  );

  it("take a fault, which comes with 500, for an answer of the server", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    server.instead = (_, reply, user) => {
      if (user !== undefined) reply.writeHead(500).end("fault");
      return user !== undefined;
    };
    for (let i = 0; i < 3; i++) expect((await transport.post("x", never)).status).toBe(500);
    expect(server.proofs).toBe(1);
  });
});

describe("what an identity is worth", () => {
  it("never mixes with another's, however often connections are cut", async () => {
    const server = await site.server();
    const both = [site.transport(server.url, {}, "svc"), site.transport(server.url, {}, "other")] as const;
    for (let round = 0; round < 12; round++) {
      if (round % 3 === 1) server.cut();
      if (round % 3 === 2) server.forget();
      const answers = Array.from({ length: 8 }, async (_, i) => {
        const answer = await both[i % 2]?.post(`${round}.${i}`, never);
        return answer?.body.toString();
      });
      const expected = Array.from({ length: 8 }, (_, i) => `${i % 2 === 0 ? "svc" : "other"}: ${round}.${i}`);
      expect(await Promise.all(answers)).toEqual(expected);
    }
    const names = new Map<number, Set<string>>();
    for (const { connection, user } of server.arrivals) {
      if (user === undefined) continue;
      names.set(connection, (names.get(connection) ?? new Set()).add(user));
    }
    expect([...names.values()].every((users) => users.size === 1)).toBe(true);
    // No request ever came over a connection that had not been authenticated; only after it was forgotten.
    const bodies = server.arrivals.filter(({ body, user }) => body !== "" && user === undefined);
    const authenticated = (connection: number) => names.has(connection);
    expect(bodies.every(({ connection }) => authenticated(connection))).toBe(true);
  });

  it("is proven once more when the server asks again in between, and the answer is the caller's", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    await transport.post("before", never);
    server.forget();
    expect((await transport.post("after", never)).body.toString()).toBe("svc: after");
    expect(server.proofs).toBe(2);
  });

  it("ends when the password does: one try, then the refusal is remembered", async () => {
    const users: { svc: string; other: string } = { ...USERS };
    const server = await site.server({ users });
    const transport = site.transport(server.url, { refusalHeldMs: 60_000 });
    await Promise.all(["a", "b", "c"].map((body) => transport.post(body, never)));
    const before = server.proofs;
    users.svc = "changed";
    server.forget();
    const answers = await Promise.all(Array.from({ length: 9 }, () => transport.post("x", never)));
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(401));
    expect(server.proofs).toBe(before + 1);
  });

  it("is not tried sixteen times with a wrong password when sixteen ask", async () => {
    const server = await site.server();
    const transport = site.transport(server.url, { scheme: wrong });
    const answers = await Promise.all(Array.from({ length: 16 }, () => transport.post("x", never)));
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(401));
    expect(server.proofs).toBe(1);
  });

  it("is tried again once a refusal is old enough", async () => {
    const server = await site.server();
    const transport = site.transport(server.url, { scheme: wrong, refusalHeldMs: 0 });
    await transport.post("x", never);
    await transport.post("x", never);
    expect(server.proofs).toBe(2);
  });
});

describe("a connection that is dead", () => {
  it("costs a repeat when it was kept, and nothing is asked twice of a new one", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    await transport.post("one", never);
    // The request arrives, and the answer does not.
    let cuts = 1;
    server.instead = (request) => {
      if (cuts-- > 0) request.socket.destroy();
      return cuts >= 0;
    };
    expect((await transport.post("two", never)).body.toString()).toBe("svc: two");
    server.instead = (request) => {
      request.socket.destroy();
      return true;
    };
    const before = server.connections;
    expect(await failure(transport.post("three", never))).toBeInstanceOf(TransportError);
    expect(server.connections).toBe(before + 1);
  });

  it("takes its identity along: what comes next is authenticated anew", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    for (let i = 1; i <= 3; i++) {
      expect((await transport.post("x", never)).body.toString()).toBe("svc: x");
      expect(server.proofs).toBe(i);
      server.cut();
    }
  });

  it("is what a server is that does not listen", async () => {
    const gone = await site.server();
    const { url } = gone;
    await gone.close();
    const transport = site.transport(url);
    expect((await failure(transport.post("x", never))).code).toBe("ECONNREFUSED");
    expect((await failure(transport.reach(never))).code).toBe("ECONNREFUSED");
  });
});

describe("whether anybody is there", () => {
  it("is asked without a name, over a connection that no request gets", async () => {
    const server = await site.server();
    const transport = site.transport(server.url);
    expect(await transport.reach(never)).toBe(401);
    await transport.post("x", never);
    expect(server.arrivals[0]).toEqual({ connection: 1, authorization: undefined, body: "", user: undefined });
    expect(server.arrivals.slice(1).every(({ connection }) => connection === 2)).toBe(true);
  });
});
