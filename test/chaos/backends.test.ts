/** Both systems and the shared cache as processes of their own, which are killed, stopped and made to lie under questions. */

import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, it } from "vitest";
import { disturbed } from "../support/chaos.js";
import {
  BACKEND_PASSWORD,
  CALLER_HASH,
  PROJECT,
  type RunningGateway,
  siteConfiguration,
  startGateway,
} from "../support/gateway-process.js";
import { replacement } from "../support/impostor.js";
import { freePort, hasRedis, type RedisServer, startRedis } from "../support/redis-server.js";
import { ServerProcess } from "../support/server-process.js";

const STYLES = { exchange: "CORP\\svc", workmail: "svc@corp.example" } as const;
type Style = keyof typeof STYLES;

interface Backend {
  readonly url: string;
  readonly server: ServerProcess;
  behave(behaviour: object): Promise<unknown>;
}

async function startBackend(style: Style): Promise<Backend> {
  const port = await freePort("127.0.0.1");
  const origin = `http://127.0.0.1:${port}`;
  const calendar = join(PROJECT, "simulators/demo-calendar.yaml");
  const options = ["--style", style, "--calendar", calendar, "--user", STYLES[style], "--port", String(port)];
  const command = [process.execPath, join(PROJECT, "dist/simulators/main.js"), ...options, "--password-env", "CHAOS"];
  process.env.CHAOS = BACKEND_PASSWORD;
  const server = new ServerProcess(command as [string, ...string[]], "127.0.0.1", port);
  await server.start();
  return {
    url: `${origin}/EWS/Exchange.asmx`,
    server,
    behave: (behaviour) =>
      fetch(`${origin}/simulator/behaviour`, { method: "PUT", body: JSON.stringify(behaviour) }).then((reply) =>
        reply.text(),
      ),
  };
}

const backends = {} as Record<Style, Backend>;
let redis: RedisServer | undefined;
let gateway: RunningGateway;

beforeAll(async () => {
  for (const style of ["exchange", "workmail"] as const) backends[style] = await startBackend(style);
  redis = hasRedis ? await startRedis() : undefined;
  const shared = redis && `cache: { shared: { urls: ['${redis.url}'], encryptionKey: 'env:CACHE_KEY' } }\n`;
  gateway = await startGateway(siteConfiguration(backends.exchange.url, backends.workmail.url) + (shared ?? ""), {
    CALLER_HASH,
    BACKEND_PASSWORD,
    CACHE_KEY: "the key of this test's shared cache, in the environment",
  });
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([backends.exchange?.server.kill(), backends.workmail?.server.kill(), redis?.remove()]);
});

const MODES = {
  hang: "says nothing",
  drip: "sends a byte each half second",
  half: "resets in the middle of its answer",
  reset: "resets before its answer",
  garbage: "sends random bytes",
  html: "sends a page to sign in",
  "too-few": "answers about one mailbox less",
  "too-many": "answers about one mailbox more",
  "bad-event": "sends an event without a time",
  busy: "is busy, and says for how long",
  unavailable: "answers 503 with Retry-After",
} as const;

describe.each(["exchange", "workmail"] as const)("%s", (style) => {
  const unharmed = style === "exchange" ? [1] : [0];
  const disturb = (what: string, begin: (backend: Backend) => unknown, end: (backend: Backend) => unknown) =>
    disturbed(gateway.url, {
      row: style,
      what,
      unharmed,
      begin: () => begin(backends[style]),
      end: () => end(backends[style]),
    });

  it("is killed, and started again", { timeout: 40_000 }, async () => {
    await disturb(
      "killed",
      ({ server }) => server.kill(),
      ({ server }) => server.start(),
    );
  });

  it("is stopped, and goes on", { timeout: 40_000 }, async () => {
    await disturb(
      "stopped (SIGSTOP)",
      ({ server }) => server.pause(),
      ({ server }) => server.resume(),
    );
  });

  it("is slow, within its time", { timeout: 40_000 }, async () => {
    await disturb(
      "takes 1.2 s of its 1.5",
      ({ behave }) => behave({ latencyMs: 1_200 }),
      ({ behave }) => behave({ latencyMs: 0 }),
    );
  });

  it.each(Object.entries(MODES))("%s: %s", { timeout: 40_000 }, async (mode, what) => {
    await disturb(
      what,
      ({ behave }) => behave({ mode, backOffMs: 300 }),
      ({ behave }) => behave({ mode: "normal" }),
    );
  });
});

describe("both at once", () => {
  const both = (use: (backend: Backend) => unknown) => Promise.all([use(backends.exchange), use(backends.workmail)]);

  it("are killed, and started again", { timeout: 40_000 }, async () => {
    await disturbed(gateway.url, {
      row: "both",
      what: "killed",
      unharmed: [],
      begin: () => both(({ server }) => server.kill()),
      end: () => both(({ server }) => server.start()),
    });
  });

  it("are stopped, and go on", { timeout: 40_000 }, async () => {
    await disturbed(gateway.url, {
      row: "both",
      what: "stopped (SIGSTOP)",
      unharmed: [],
      begin: () => both(({ server }) => server.pause()),
      end: () => both(({ server }) => server.resume()),
    });
  });
});

describe.skipIf(!hasRedis)("the shared cache", () => {
  const disturb = (what: string, begin: (server: RedisServer) => unknown, end: (server: RedisServer) => unknown) => {
    const server = redis as RedisServer;
    return disturbed(gateway.url, {
      row: "redis",
      what,
      unharmed: [0, 1],
      begin: () => begin(server),
      end: () => end(server),
    });
  };
  const command = async ({ url }: RedisServer, ...words: [string, ...string[]]) => {
    const inside = new Redis(url);
    try {
      await inside.call(...words);
    } finally {
      inside.disconnect();
    }
  };
  it("is killed, and started again", { timeout: 40_000 }, async () => {
    await disturb(
      "killed",
      ({ server }) => server.kill(),
      ({ server }) => server.start(),
    );
  });

  it("is stopped, and goes on", { timeout: 40_000 }, async () => {
    await disturb(
      "stopped (SIGSTOP)",
      ({ server }) => server.pause(),
      ({ server }) => server.resume(),
    );
  });

  it("cuts every connection, again and again", { timeout: 40_000 }, async () => {
    let timer: NodeJS.Timeout | undefined;
    const cut = (server: RedisServer) => command(server, "CLIENT", "KILL", "SKIPME", "yes").catch(() => {});
    await disturb(
      "cuts its connections five times a second",
      (server) => {
        timer = setInterval(() => void cut(server), 200);
      },
      () => clearInterval(timer),
    );
  });

  it("is full", { timeout: 40_000 }, async () => {
    await disturb(
      "full (maxmemory)",
      (server) => command(server, "CONFIG", "SET", "maxmemory", "1"),
      (server) => command(server, "CONFIG", "SET", "maxmemory", "0"),
    );
  });

  it.each([
    ["sends random bytes", Buffer.from("c3289f00ff0d0a2b2d24", "hex")],
    ["answers every command with a text of a terabyte's length", Buffer.from("$1099511627776\r\nx")],
    ["answers nil to everything", Buffer.from("$-1\r\n")],
    ["says that it is loading", Buffer.from("-LOADING Redis is loading the dataset in memory\r\n")],
  ])("is replaced by what %s", { timeout: 40_000 }, async (what, says) => {
    const { begin, end } = replacement(redis as RedisServer, (socket) => {
      socket.write(says);
      socket.on("data", () => socket.write(says));
    });
    await disturb(`replaced by what ${what}`, begin, end);
  });
});
