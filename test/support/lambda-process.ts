/** Runs the handler of the built zip the way Lambda does: unpacked into an empty folder, in a fresh process of its own. */

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { CapResponse } from "../../src/workmail-cap/cap-response.js";
import { PROJECT } from "./gateway-process.js";

/** The zip with these files beside the handler, by name. */
export function builtZip(files: Readonly<Record<string, string>> = {}): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "lambda-zip-"));
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
  const zip = join(folder, "out.zip");
  execFileSync(process.execPath, [join(PROJECT, "dist/lambda/build-zip.js"), ...paths], {
    env: { ...process.env, LAMBDA_ZIP: zip },
  });
  return readFileSync(zip);
}

export interface LambdaProcess {
  /** What the handler returns; rejects with what it throws. `remainingMs`: as Lambda's context tells it. */
  invoke(event: unknown, remainingMs?: number): Promise<CapResponse>;
  output(): string;
  stop(): Promise<void>;
}

const RUNNER = `
import { handler } from "./lambda.mjs";
process.on("message", async ({ id, event, remainingMs }) => {
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => remainingMs };
  try { process.send({ id, result: await handler(event, context) }); }
  catch (error) { process.send({ id, thrown: String(error) }); }
});
`;

export function startLambda(zip: Buffer, environment: Record<string, string>): LambdaProcess {
  const folder = join(mkdtempSync(join(tmpdir(), "lambda-")), "task");
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(unzipSync(zip))) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, "runner.mjs"), RUNNER);
  // Nothing of this machine: what a function has is its zip and its own environment.
  const child: ChildProcess = fork(join(folder, "runner.mjs"), {
    cwd: folder,
    env: environment,
    execArgv: [],
    silent: true,
  });
  let output = "";
  const hear = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let count = 0;
  return {
    invoke: (event, remainingMs = 20_000) =>
      new Promise((resolve, reject) => {
        const id = `request-${++count}`;
        const receive = (said: { id: string; result?: CapResponse; thrown?: string }) => {
          if (said.id !== id) return;
          child.off("message", receive);
          if (said.thrown === undefined) resolve(said.result as CapResponse);
          else reject(new Error(said.thrown));
        };
        child.on("message", receive);
        void exited.then(() => reject(new Error(`the function ended: ${output}`)));
        child.send({ id, event, remainingMs });
      }),
    output: () => output,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}
