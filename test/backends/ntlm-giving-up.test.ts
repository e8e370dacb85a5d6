/** Callers who do not wait for the end. */

import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { TransportError } from "../../src/backends/http-channel.js";
import { messageType } from "../support/ntlm-http-server.js";
import { failure, NtlmSite, never } from "../support/ntlm-site.js";
import { until } from "../support/until.js";

const site = new NtlmSite();
afterEach(() => site.close());

describe("a caller who gives up", () => {
  it.each([
    ["the challenge", 1],
    ["the answer to the proof", 3],
    ["the answer on a kept connection", undefined],
  ])("while waiting for %s is told at once, and leaves no connection behind", async (_, type) => {
    const server = await site.server();
    const transport = site.transport(server.url, { connections: 1 });
    if (type === undefined) await transport.post("first", never);
    let silent = false;
    server.instead = (request) => {
      silent ||= messageType(request.headers.authorization) === type;
      return silent;
    };
    const gaveUp = new AbortController();
    const asked = transport.post("x", gaveUp.signal);
    await until(() => silent);
    gaveUp.abort(new Error("no time left"));
    await expect(asked).rejects.toThrow("no time left");
    server.instead = undefined;
    expect((await transport.post("y", never)).body.toString()).toBe("svc: y");
    await until(() => server.openConnections === 1);
  });

  it("while waiting in the line loses only the place in it", async () => {
    const server = await site.server();
    const transport = site.transport(server.url, { connections: 1 });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.instead = (_, reply, user) => {
      if (user === undefined || reply.writableEnded) return false;
      server.instead = undefined;
      void held.then(() => reply.writeHead(200).end("late"));
      return true;
    };
    const first = transport.post("first", never);
    const gaveUp = new AbortController();
    const second = transport.post("second", gaveUp.signal);
    const third = transport.post("third", never);
    gaveUp.abort(new Error("no time left"));
    await expect(second).rejects.toThrow("no time left");
    release();
    expect((await first).body.toString()).toBe("late");
    expect((await third).body.toString()).toBe("svc: third");
    expect(server.arrivals.some(({ body }) => body === "second")).toBe(false);
  });

  it("before asking asks nothing", async () => {
    const server = await site.server();
    await expect(site.transport(server.url).post("x", AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
    expect(server.connections).toBe(0);
  });

  it("while the connection is being made is told at once", async () => {
    const sockets: Socket[] = [];
    // Takes connections, and never shows a certificate.
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    site.onClose(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const transport = site.transport(new URL(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/`));
    const gaveUp = new AbortController();
    const asked = transport.post("x", gaveUp.signal);
    await until(() => sockets.length > 0);
    gaveUp.abort(new Error("no time left"));
    await expect(asked).rejects.toThrow("no time left");
    sockets[0]?.resume();
    await until(() => sockets[0]?.destroyed === true);
  });

  it("because everything ends is told so, in the line too", async () => {
    const server = await site.server();
    const transport = site.transport(server.url, { connections: 1 });
    server.instead = (_, __, user) => user !== undefined;
    const asked = [transport.post("one", never), transport.post("two", never)].map(failure);
    await until(() => server.arrivals.some(({ body }) => body === "one"));
    await transport.close();
    for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(TransportError);
    expect(await failure(transport.post("three", never))).toMatchObject({ code: "UND_ERR_CLOSED" });
  });
});
