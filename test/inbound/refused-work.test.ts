import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import type { Authentication, CallerAuthenticator } from "../../src/inbound/caller-authentication.js";
import { capRoutes } from "../../src/inbound/cap-routes.js";
import { ewsRoutes } from "../../src/inbound/ews-routes.js";
import { OwnMarks } from "../../src/inbound/own-marks.js";
import { refuseWork } from "../../src/inbound/refused-work.js";
import { TrustedProxies } from "../../src/inbound/trusted-proxies.js";
import { WorkGate } from "../../src/inbound/work-gate.js";
import { capEvent } from "../support/cap-events.js";
import { question } from "../support/gateway-process.js";

/** More than the buffers of a socket hold at both of its ends. */
const LARGE = 24 * 1024 * 1024;

let app: FastifyInstance | undefined;
const sockets: Socket[] = [];
let written = 0;
let waiting = 0;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app?.close();
});

/** Two large answers are more than there is room for. They are written when `release` is called. */
async function serve(roomBytes = 1.5 * LARGE) {
  written = 0;
  waiting = 0;
  const gate = new WorkGate({
    maximumRequests: 100,
    strain: () => undefined,
    roomBytes: () => roomBytes,
    took: () => undefined,
    now: () => 0,
  });
  const requestRefused = vi.fn();
  const server = fastify({ forceCloseConnections: true });
  app = server;
  refuseWork(server, {
    gate,
    maximumConnections: 100,
    proxies: { sourceOf: () => "192.0.2.1" },
    observer: { requestRefused },
    random: () => 0,
    draining: () => false,
  });
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.get("/large", async (_, reply) => {
    await released;
    return reply.type("text/xml").sendWhereRoom(() => {
      written++;
      return Buffer.alloc(LARGE);
    });
  });
  const options = {
    answer: async (): Promise<MailboxAnswer[]> => {
      waiting++;
      await released;
      return [viewed({ detail: "times", events: Array(2000).fill({ start: 0, end: 60_000, busyType: "Busy" }) })];
    },
    authenticator: {
      authenticate: (): Authentication => ({
        kind: "known",
        caller: { name: "client", origin: undefined, maximumDetail: "times" },
      }),
    } as unknown as CallerAuthenticator,
    proxies: new TrustedProxies([]),
    ownMarks: new OwnMarks([]),
    observer: { lookupAnswered() {}, backendAsked() {}, requestRefused() {}, unexpected() {} },
    now: () => instant(0),
  };
  server.register(ewsRoutes, options);
  server.register(capRoutes, { ...options, withinMs: 10_000 });
  server.get("/small", async () => "small");
  await server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = server.server.address() as AddressInfo;
  return { gate, requestRefused, release, port, url: `http://127.0.0.1:${port}` };
}

/** Asks and does not read. */
async function asking(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  socket.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  return socket;
}

describe("large answers that nobody reads", () => {
  it("close the door when they are too many, and open it when they are read or their connection is gone", async () => {
    const { gate, release, port, url, requestRefused } = await serve();
    release();
    const one = await asking(port);
    const other = await asking(port);
    await vi.waitFor(() => expect(gate.refusal).toBe("memory-short"), 10_000);
    const refused = await fetch(`${url}/small`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(requestRefused).toHaveBeenCalledWith(expect.objectContaining({ reason: "memory-short", status: 503 }));
    one.destroy();
    await vi.waitFor(() => expect(gate.refusal).toBeUndefined(), 10_000);
    expect(await (await fetch(`${url}/small`)).text()).toBe("small");
    await asking(port);
    await vi.waitFor(() => expect(gate.refusal).toBe("memory-short"), 10_000);
    other.resume();
    await vi.waitFor(() => expect(gate.refusal).toBeUndefined(), 10_000);
  });

  it("take no more than their room when all were let in before the first was written: the others are turned away", async () => {
    const { gate, release, port, url } = await serve();
    for (let i = 0; i < 3; i++) await asking(port);
    await vi.waitFor(() => expect(gate.requests).toBe(3), 10_000);
    const reading = [fetch(`${url}/large`), fetch(`${url}/large`)];
    await vi.waitFor(() => expect(gate.requests).toBe(5), 10_000);
    expect(gate.refusal).toBeUndefined();
    release();
    for (const answer of await Promise.all(reading)) {
      expect([answer.status, answer.headers.get("content-type"), answer.headers.get("retry-after")]).toEqual([
        503,
        "text/plain; charset=utf-8",
        "1",
      ]);
      expect(await answer.text()).toBe("Too much is under way here. Ask again in a few seconds.\n");
    }
    expect([gate.full, written]).toEqual([true, 2]);
  });

  it.each([
    ["/EWS/Exchange.asmx", "text/xml", question(["alice@corp.example"])],
    ["/cap", "application/json", JSON.stringify(capEvent(["alice@corp.example"]))],
  ])("are not written for %s beyond their room, though all waited for the same look-up", async (path, type, body) => {
    const { release, url } = await serve(0);
    const asked = [1, 2, 3, 4, 5].map(() =>
      fetch(`${url}${path}`, { method: "POST", headers: { "content-type": type }, body }),
    );
    await vi.waitFor(() => expect(waiting).toBe(5), 10_000);
    release();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 503, 503, 503, 503]);
  });
});
