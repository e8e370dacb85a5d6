/**
 * Asks for free/busy time with ews-javascript-api, in a process of its own: the package costs 0.6 s
 * and 58 MB, and has no time-out, so the process is ended instead. Its zone is UTC, because the
 * package cuts windows to dates by this machine's. The password is handed over on a pipe, never on
 * the command line or in the environment.
 */

import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ClientAnswer, ClientQuestion } from "../operations/doctor/probes.js";
import { bounded } from "./bounded-look.js";

/** A gateway has answered, or its caller has given up. */
const PATIENCE_MS = 22_000;
const PROGRAM = fileURLToPath(new URL("./independent-client-process.js", import.meta.url));
/** What a child needs of the environment; secrets stay behind. */
const KEPT = ["PATH", "HOME", "SystemRoot", "TEMP", "TMP", "NODE_EXTRA_CA_CERTS"];

export class ClientMissing extends Error {
  constructor() {
    super("the independent client is not installed");
    this.name = "ClientMissing";
  }
}

/** Rejects with {@link ClientMissing}. Ended by the signal it answers "failed". */
export function askIndependently(question: ClientQuestion, signal: AbortSignal): Promise<ClientAnswer> {
  if (!existsSync(PROGRAM)) return Promise.reject(new ClientMissing());
  return bounded(signal, PATIENCE_MS, (own) => asked(question, own));
}

function asked(question: ClientQuestion, signal: AbortSignal): Promise<ClientAnswer> {
  const began = performance.now();
  const environment = Object.fromEntries(
    KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const trusted = question.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: question.caFile };
  const child = fork(PROGRAM, {
    env: { ...environment, ...trusted, TZ: "UTC" },
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const gone = (problem: string) => resolve({ kind: "failed", problem, ms: Math.round(performance.now() - began) });
    const end = () => {
      child.kill("SIGKILL");
      gone("no answer within 22 seconds");
    };
    signal.addEventListener("abort", end, { once: true });
    child.once("message", (answer: ClientAnswer | "missing") => {
      if (answer === "missing") reject(new ClientMissing());
      else resolve(answer);
      child.kill("SIGKILL");
    });
    child.once("error", () => gone("the client could not be started"));
    child.once("exit", () => {
      signal.removeEventListener("abort", end);
      gone("the client stumbled over what was answered: look at it by hand");
    });
    if (signal.aborted) end();
    else child.send(question);
  });
}
