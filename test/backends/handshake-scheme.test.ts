/** What the connections do with schemes other than NTLM: one that needs one token, one that needs many, one that hangs. */

import { afterEach, describe, expect, it } from "vitest";
import { AuthenticatedConnection } from "../../src/backends/authenticated-connection.js";
import type { HandshakeScheme, HandshakeStep, Peer } from "../../src/backends/handshake.js";
import { SingleConnection } from "../../src/backends/single-connection.js";
import { failure, NtlmSite, never } from "../support/ntlm-site.js";

const site = new NtlmSite();
afterEach(() => site.close());

/** A scheme that says its steps one after the other; `peers` collects for whom. */
function scripted(steps: readonly HandshakeStep[], peers: Peer[] = []): HandshakeScheme {
  return {
    word: "Negotiate",
    begin: (peer) => {
      peers.push(peer);
      const left = [...steps];
      const say = async () => left.shift() ?? (steps.at(-1) as HandshakeStep);
      return { start: say, next: say };
    },
  };
}

const step = (text: string, last: boolean): HandshakeStep => ({ token: Buffer.from(text), last });

describe("a scheme", () => {
  it("whose first token is the last sends the question along with it", async () => {
    const server = await site.server();
    server.instead = (_, reply) => {
      reply.writeHead(200).end("answer");
      return true;
    };
    const peers: Peer[] = [];
    const transport = site.transport(server.url, { scheme: scripted([step("ticket", true)], peers) });
    expect((await transport.post("question", never)).body.toString()).toBe("answer");
    expect((await transport.post("another", never)).body.toString()).toBe("answer");
    expect(server.arrivals.map(({ authorization, body }) => [authorization, body])).toEqual([
      [`Negotiate ${Buffer.from("ticket").toString("base64")}`, "question"],
      [undefined, "another"],
    ]);
    expect(peers).toEqual([{ host: "127.0.0.1", certificate: undefined }]);
  });

  it("that never comes to an end is given up", async () => {
    const server = await site.server();
    server.instead = (_, reply) => {
      reply.writeHead(401, { "www-authenticate": "Negotiate AAAA" }).end();
      return true;
    };
    const transport = site.transport(server.url, { scheme: scripted([step("more", false)]) });
    expect((await failure(transport.post("question", never))).code).toBe("CHALLENGE_UNREADABLE");
    expect(server.arrivals).toHaveLength(6);
  });

  it("that has not been through lends its connection to no request", async () => {
    const server = await site.server();
    const socket = await SingleConnection.open({ url: server.url, maximumAnswerBytes: 1000 }, never);
    site.onClose(() => socket.close());
    const connection = new AuthenticatedConnection(socket, scripted([]), "127.0.0.1");
    await expect(connection.post("question", never)).rejects.toThrow("not authenticated");
    expect(server.arrivals).toEqual([]);
  });

  it.each(["start", "next"] as const)("that hangs in %s does not keep a caller who gives up", async (where) => {
    const server = await site.server();
    server.instead = (_, reply) => {
      reply.writeHead(401, { "www-authenticate": "Negotiate AAAA" }).end();
      return true;
    };
    const gaveUp = new AbortController();
    const hang = () => {
      setImmediate(() => gaveUp.abort(new Error("no time left")));
      return new Promise<HandshakeStep>(() => undefined);
    };
    const begun = { start: async () => step("first", false), next: hang, [where]: hang };
    const transport = site.transport(server.url, { scheme: { word: "Negotiate", begin: () => begun } });
    await expect(transport.post("question", gaveUp.signal)).rejects.toThrow("no time left");
  });
});
