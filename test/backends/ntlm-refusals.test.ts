/** What is told to a server that does not do as it was configured: nothing. */

import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { HandshakeFailure } from "../../src/backends/handshake.js";
import { messageType, type NtlmHttpServer } from "../support/ntlm-http-server.js";
import { failure, NtlmSite, never } from "../support/ntlm-site.js";
import { until } from "../support/until.js";

const site = new NtlmSite();
afterEach(() => site.close());

describe("a server that does not do as it was configured", () => {
  it.each([
    ["Basic only", ['Basic realm="EWS"'], "HTTP 401 without NTLM; offered: Basic"],
    ["nothing", [], "HTTP 401 without NTLM; offered: nothing"],
  ])("and offers %s is told nothing, and the failure says so", async (_, offers, detail) => {
    const server = await site.server();
    server.offers = offers;
    // It does not understand the word.
    server.instead = (_, reply) => {
      reply.writeHead(401, { "www-authenticate": [...offers] }).end();
      return true;
    };
    const error = await failure(site.transport(server.url).post("x", never));
    expect(error).toBeInstanceOf(HandshakeFailure);
    expect(error).toMatchObject({ code: "SCHEME_NOT_OFFERED", detail });
    expect(server.arrivals.map(({ authorization, body }) => [messageType(authorization), body])).toEqual([[1, ""]]);
  });

  it("and answers before it knows us is not believed", async () => {
    const server = await site.server();
    server.instead = (_, reply) => {
      reply.writeHead(200).end("come in");
      return true;
    };
    const error = await failure(site.transport(server.url).post("secret question", never));
    expect(error.code).toBe("NOT_ASKED_TO_AUTHENTICATE");
    expect(server.arrivals.every(({ body }) => body === "")).toBe(true);
  });

  it("and redirects is not followed, wherever in the handshake", async () => {
    const elsewhere = await site.server();
    const server = await site.server();
    const redirect: NonNullable<NtlmHttpServer["instead"]> = (_, reply) => {
      reply.writeHead(307, { location: elsewhere.url.href }).end();
      return true;
    };
    server.instead = redirect;
    expect(await site.transport(server.url).post("x", never)).toMatchObject({ status: 307 });
    server.instead = (request, reply, user) =>
      messageType(request.headers.authorization) === 3 && redirect(request, reply, user);
    expect(await site.transport(server.url).post("x", never)).toMatchObject({
      status: 307,
      location: elsewhere.url.href,
    });
    expect(elsewhere.arrivals).toEqual([]);
  });

  it("and closes the connection between challenge and proof is told so", async () => {
    const server = await site.server();
    server.closesOn401 = true;
    expect((await failure(site.transport(server.url).post("x", never))).code).toBe("CONNECTION_NOT_KEPT");
  });

  it.each([
    ["without a challenge", "NTLM"],
    ["that is no base64", "NTLM %%%"],
    ["that is no NTLM", `NTLM ${Buffer.from("something else").toString("base64")}`],
    ["that is a NEGOTIATE", `NTLM ${Buffer.from("NTLMSSP\0\x01\0\0\0".padEnd(60, "\0"), "latin1").toString("base64")}`],
    ["that wants NTLMv1", `NTLM ${Buffer.from("NTLMSSP\0\x02\0\0\0".padEnd(60, "\0"), "latin1").toString("base64")}`],
  ])("and offers NTLM %s gets no proof", async (_, header) => {
    const server = await site.server();
    server.instead = (_, reply) => {
      reply.writeHead(401, { "www-authenticate": header }).end();
      return true;
    };
    expect((await failure(site.transport(server.url).post("x", never))).code).toBe("CHALLENGE_UNREADABLE");
    expect(server.proofs).toBe(0);
    await until(() => server.openConnections === 0);
  });

  it("and answers with more than the limit is cut off", async () => {
    const server = await site.server();
    server.instead = (_, reply, user) => {
      if (user !== undefined) reply.writeHead(200).end("x".repeat(20_000));
      return user !== undefined;
    };
    expect((await failure(site.transport(server.url).post("x", never))).code).toBe("UND_ERR_RES_EXCEEDED_MAX_SIZE");
  });
});

describe("secrets", () => {
  it("are in no failure, whatever goes wrong", async () => {
    const server = await site.server();
    const failures: unknown[] = [];
    for (const header of ["NTLM", "NTLM %%%", "Basic", `NTLM ${Buffer.alloc(60).toString("base64")}`]) {
      server.instead = (_, reply) => {
        reply.writeHead(401, { "www-authenticate": header }).end();
        return true;
      };
      failures.push(await failure(site.transport(server.url).post("x", never)));
    }
    const written = failures.map((error) => inspect(error, { depth: 10 })).join("\n");
    expect(written).not.toContain("canary");
    expect(written).not.toMatch(/svc|TlRMTVNTUAAD/);
  });
});
