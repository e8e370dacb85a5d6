/**
 * `npm run clients`: starts the demonstration, lets every real client that is installed ask
 * it, and prints how that went as a table. Exit code 1 when one read something else than it
 * must; what is not installed is named, and is no failure.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { ClientRun, Endpoint } from "./client-run.js";
import { EVERY_RUN } from "./every-run.js";

const demo = spawn(process.execPath, [fileURLToPath(new URL("../simulators/demo.js", import.meta.url))], {
  env: { ...process.env, DEMO_PORT: "0", DEMO_MANAGEMENT_PORT: "0", DEMO_LOG: "silent" },
  stdio: ["ignore", "pipe", "inherit"],
});

async function endpointOfDemo(): Promise<Endpoint> {
  for await (const line of createInterface(demo.stdout)) {
    const url = /^\s*EWS\s+(http\S+)$/.exec(line)?.[1];
    if (url !== undefined) return { url, username: "client@corp.example", password: "demo" };
  }
  throw new Error("the demonstration ended before it listened");
}

async function outcomeOf(run: ClientRun, endpoint: Endpoint): Promise<string> {
  if (run.missing !== undefined) return `not installed (${run.missing})`;
  try {
    const found = await run.run(endpoint);
    if (isDeepStrictEqual(found, run.expected)) return run.outcome;
    process.exitCode = 1;
    return `**wrong**: read ${JSON.stringify(found)}`;
  } catch (error) {
    process.exitCode = 1;
    return `**failed**: ${String((error as Error).message).split("\n", 1)[0]}`;
  }
}

try {
  const endpoint = await endpointOfDemo();
  demo.stdout.resume();
  process.stdout.write("| Client | Asks | Outcome |\n| --- | --- | --- |\n");
  for (const run of EVERY_RUN) {
    const outcome = await outcomeOf(run, endpoint);
    process.stdout.write(`| ${run.client} | ${run.operation} | ${outcome} |\n`);
  }
} finally {
  demo.kill("SIGTERM");
  if (demo.exitCode === null) await once(demo, "exit");
}
