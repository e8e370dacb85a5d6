/**
 * Starts what a soak runs on: two simulated systems, a Redis server where one is installed,
 * and the gateway as a process of its own, with a cache small enough to be full soon.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashSync } from "@node-rs/argon2";
import { stringify } from "yaml";
import { calendarFromFile } from "../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../simulators/ews-simulator.js";

const MAIN = fileURLToPath(new URL("../src/main.js", import.meta.url));
// The compiled soak runs from dist/; the calendar stays beside the source.
const CALENDAR = fileURLToPath(new URL("../../simulators/demo-calendar.yaml", import.meta.url));
const REDIS = ["/usr/bin/redis-server", "/usr/bin/valkey-server"].find(existsSync);

/** Read into the gateway's process before it starts: what is garbage is told from what is held only by collecting it. */
const COLLECT_WHEN_TOLD = 'data:text/javascript,process.on("SIGUSR2",()=>globalThis.gc())';

export interface SoakSite {
  readonly url: string;
  readonly management: string;
  readonly gateway: ChildProcess;
  readonly backends: readonly EwsSimulator[];
  /** Undefined where no server is installed. */
  readonly redis: ChildProcess | undefined;
  close(): Promise<void>;
}

export async function startSoakSite(): Promise<SoakSite> {
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  const backend = (style: "exchange" | "workmail") =>
    startSimulator({
      style,
      calendar: calendarFromFile(CALENDAR, style),
      accounts: [{ username: "svc", password: "soak" }],
    });
  const [exchange, workmail] = await Promise.all([backend("exchange"), backend("workmail")]);
  const redisPort = await freePort();
  const redis =
    REDIS === undefined
      ? undefined
      : spawn(REDIS, ["--bind", "127.0.0.1", "--port", String(redisPort), "--dir", folder, "--save", ""], {
          stdio: "ignore",
        });
  const login = { username: "svc", password: "env:SOAK_BACKEND", allowPlainHttp: true, timeoutSeconds: 2 };
  const caller = (name: string, more: object) => ({ name, usernames: [name], passwordHash: "env:SOAK_HASH", ...more });
  const file = join(folder, "freebusy.yaml");
  writeFileSync(
    file,
    stringify({
      listen: { port: 0 },
      management: { port: 0 },
      timeBudgetSeconds: 4,
      autodiscover: { url: "http://127.0.0.1/EWS/Exchange.asmx", allowPlainHttp: true },
      signIn: { ntlm: { integrityCode: "when-promised" } },
      cache: {
        maximumMegabytes: 4,
        viewSeconds: 20,
        ...(redis !== undefined && {
          shared: { urls: [`redis://127.0.0.1:${redisPort}`], encryptionKey: "env:SOAK_KEY" },
        }),
      },
      callers: [
        caller("client", { maximumView: "Detailed", freeBusyUrls: true }),
        caller("slots", { maximumView: "MergedOnly" }),
        caller("workmail", { origin: "workmail", maximumView: "Detailed" }),
      ],
      backends: {
        exchange: { type: "ews", url: exchange.url, ...login },
        workmail: { type: "workmail", url: workmail.url, ...login },
      },
      directories: [{ type: "probe", rememberSeconds: 30 }],
      addressSpaces: [
        { domain: "corp.example", backend: "exchange" },
        { domain: "corp.awsapps.com", backend: "workmail", rewriteDomain: "corp.example" },
      ],
      mailboxes: [
        { address: "bob@corp.example", aliases: ["bob@corp.awsapps.com"], backend: "workmail" },
        { address: "erin@corp.example", backend: "workmail" },
      ],
    }),
  );
  const secrets = {
    SOAK_BACKEND: "soak",
    SOAK_HASH: hashSync("soak", { memoryCost: 1024, timeCost: 1, parallelism: 1 }),
    SOAK_KEY: "the key of a soak that nobody else uses",
  };
  const gateway = spawn(process.execPath, ["--expose-gc", "--import", COLLECT_WHEN_TOLD, MAIN, "--config", file], {
    env: { ...process.env, ...secrets },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url, management] = await addresses(gateway);
  return {
    url,
    management,
    gateway,
    backends: [exchange, workmail],
    redis,
    close: async () => {
      const exited = new Promise((resolve) => gateway.once("exit", resolve));
      gateway.kill("SIGTERM");
      await exited;
      redis?.kill("SIGCONT");
      redis?.kill("SIGKILL");
      await Promise.all([exchange.close(), workmail.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where it listens, as it says itself. What it logs later is read and left. */
function addresses(gateway: ChildProcess): Promise<[url: string, management: string]> {
  let output = "";
  return new Promise((resolve, reject) => {
    gateway.stdout?.on("data", (chunk: Buffer) => {
      if (output === "done") return;
      output += chunk.toString();
      const [, url, management] = /"ews":"([^"]+)","management":"([^"]+)"/.exec(output) ?? [];
      if (url === undefined || management === undefined) return;
      output = "done";
      resolve([`${url}/EWS/Exchange.asmx`, management]);
    });
    gateway.once("exit", (code) => reject(new Error(`the gateway ended with ${code}: ${output}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
