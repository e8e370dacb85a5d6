import { connect, type Socket } from "node:net";
import { Pool } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import { authorization, question, type Site, startSite, told } from "../support/gateway-process.js";

let site: Site | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

const day = (i: number) => ({
  start: `2026-08-${String(1 + (i % 28)).padStart(2, "0")}T08:00:00`,
  end: "2026-09-01T00:00:00",
});
const HEAD = `POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization()}\r\nContent-Type: text/xml\r\n`;

function open(port: number, text: string): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const closed = new Promise<void>((over) => socket.once("close", () => over()));
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.once("connect", () => resolve({ socket, received: () => received, closed }));
    void closed.then(() => reject(new Error("never connected")));
  });
}

const metric = async (name: string) => {
  const text = await (await fetch(`${site?.gateway.management}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);
};
const state = async () => (await (await fetch(`${site?.gateway.management}/readyz`)).json()) as { refusing: unknown };

describe("beyond overload.maximumRequests", () => {
  it("new requests get 503 with Retry-After before they are looked at, what is under way is answered, operators are served", async () => {
    site = await startSite((text) =>
      `${text}overload: { maximumRequests: 3 }\n`
        .replace("timeBudgetSeconds: 3", "timeBudgetSeconds: 15")
        .replaceAll("timeoutSeconds: 1.5", "timeoutSeconds: 12"),
    );
    site.exchange.behaviour.latencyMs = 4000;
    const under = [0, 1, 2].map((i) => site?.ask(["alice@corp.example"], day(i)));
    await vi.waitFor(async () => expect(await metric("freebusy_lookups_in_flight")).toBe(3), 5000);
    const refused = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(site?.gateway.url as string, { method: "POST", body: "not even signed in" }),
      ),
    );
    for (const one of refused) {
      expect([one.status, one.headers.get("content-type")]).toEqual([503, "text/plain; charset=utf-8"]);
      expect(Number(one.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    expect((await state()).refusing).toBe("too-many-requests");
    expect((await fetch(`${site.gateway.management}/healthz`)).status).toBe(200);
    for (const answer of await Promise.all(under))
      expect(told(answer?.text ?? "")).toEqual([expect.stringMatching(/^Detailed/)]);
    site.exchange.behaviour.latencyMs = 0;
    expect((await site.ask(["alice@corp.example"], day(4))).status).toBe(200);
    expect((await state()).refusing).toBeNull();
    await vi.waitFor(
      async () =>
        expect(await metric('freebusy_requests_refused_total{status="503",reason="too-many-requests"}')).toBe(20),
      5000,
    );
    const lines = site.gateway
      .output()
      .split("\n")
      .filter((line) => line.includes("too-many-requests"));
    expect(lines.map((line) => (JSON.parse(line) as { times?: number }).times)).toEqual([undefined, 19]);
  });

  it("callers that give up and ask again do not add up", async () => {
    site = await startSite((text) => `${text}overload: { maximumRequests: 2 }\n`);
    site.exchange.behaviour.latencyMs = 1200;
    const body = (i: number) => question(["alice@corp.example"], day(i));
    for (const i of [0, 1]) {
      const { socket } = await open(site.gateway.port, `${HEAD}Content-Length: ${body(i).length}\r\n\r\n${body(i)}`);
      await vi.waitFor(async () => expect(await metric("freebusy_lookups_in_flight")).toBe(i + 1), 5000);
      socket.destroy();
    }
    await vi.waitFor(async () => expect(await metric("freebusy_requests_in_flight")).toBe(0), 5000);
    expect((await site.ask(["alice@corp.example"], day(5))).status).toBe(503);
    await vi.waitFor(async () => expect(await metric("freebusy_lookups_in_flight")).toBe(0), 5000);
    expect((await site.ask(["alice@corp.example"], day(5))).status).toBe(200);
  });
});

describe("connections", () => {
  it("beyond overload.maximumConnections are closed, told and counted; operators still get through", async () => {
    site = await startSite((text) => `${text}overload: { maximumConnections: 5 }\n`);
    const { port } = site.gateway;
    const kept = await Promise.all(Array.from({ length: 5 }, () => open(port, "POST ")));
    await vi.waitFor(async () => expect(await metric("freebusy_connections")).toBe(5), 5000);
    const more = await open(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await more.closed;
    expect(more.received()).toBe("");
    expect(await metric('freebusy_requests_refused_total{status="0",reason="too-many-connections"}')).toBe(1);
    for (const { socket } of kept) socket.destroy();
    await vi.waitFor(async () => expect(await metric("freebusy_connections")).toBe(0), 5000);
    expect((await site.ask(["alice@corp.example"])).status).toBe(200);
  });

  it("whose header or body comes too slowly are closed, and so are readers that stand still", {
    timeout: 30_000,
  }, async () => {
    site = await startSite((text) => `${text}overload: { requestSeconds: 1, idleSeconds: 4 }\n`);
    const { port } = site.gateway;
    const slow = await Promise.all([open(port, "POST /EWS"), open(port, `${HEAD}Content-Length: 100000\r\n\r\n<`)]);
    const drips = slow.map(({ socket }) => setInterval(() => socket.writable && socket.write("a"), 300));
    const body = question(Array(100).fill("alice@corp.example"), {
      start: "2026-07-01T00:00:00",
      end: "2026-08-30T00:00:00",
      interval: 5,
    });
    const reader = await open(port, "");
    reader.socket.pause();
    // Answers of some hundred kilobytes each, more than any socket's buffers hold.
    const one = `${HEAD}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    reader.socket.write(one.repeat(40));
    await vi.waitFor(async () => expect(await metric("freebusy_requests_in_flight")).toBeGreaterThan(0), 5000);
    await Promise.all(slow.map(({ closed }) => closed));
    drips.forEach(clearInterval);
    for (const { received } of slow) expect(received()).toMatch(/^(HTTP\/1.1 408 |$)/);
    await vi.waitFor(async () => expect(await metric("freebusy_requests_in_flight")).toBe(0), 15_000);
    await vi.waitFor(async () => expect(await metric("freebusy_connections")).toBe(0), 15_000);
    reader.socket.destroy();
  });
});

describe("the end of a process under load", () => {
  it("loses no request that was sent before it: each has its answer, on kept connections, too", async () => {
    site = await startSite((text) => `${text}cache: { viewSeconds: 0 }\n`);
    site.exchange.behaviour.latencyMs = 20;
    const { gateway } = site;
    const pool = new Pool(new URL(gateway.url).origin, { connections: 20 });
    let ending = false;
    let answered = 0;
    let closing = 0;
    const outcomes: string[] = [];
    const client = async (n: number) => {
      for (let i = 0; !ending || i === 0; i++) {
        try {
          const reply = await pool.request({
            method: "POST",
            path: "/EWS/Exchange.asmx",
            headers: { authorization: authorization(), "content-type": "text/xml" },
            body: question(["alice@corp.example"], day(n + i)),
          });
          const text = await reply.body.text();
          if (reply.headers.connection === "close") closing++;
          if (reply.statusCode === 200 && told(text)[0]?.startsWith("Detailed")) answered++;
          else outcomes.push(`${reply.statusCode} ${told(text)}`);
        } catch (error) {
          // Nobody listens any more: the request was never sent.
          const { code } = error as { code?: string };
          if (code === "ECONNREFUSED") return;
          outcomes.push(String(code));
        }
      }
    };
    const clients = Array.from({ length: 20 }, (_, n) => client(n));
    await vi.waitFor(() => expect(answered).toBeGreaterThan(100), 15_000);
    const code = await gateway.stop();
    ending = true;
    await Promise.all(clients);
    await pool.destroy();
    expect(outcomes).toEqual([]);
    expect(closing).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it("is not held up by a request that never arrives", async () => {
    site = await startSite((text) => `${text}overload: { requestSeconds: 1 }\n`);
    const half = await open(site.gateway.port, `${HEAD}Content-Length: 100000\r\n\r\n<`);
    await vi.waitFor(async () => expect(await metric("freebusy_requests_in_flight")).toBe(1), 5000);
    expect(await site.gateway.stop()).toBe(0);
    await half.closed;
  });
});
