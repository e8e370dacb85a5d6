/**
 * Decides what the command line means. Exit codes: 0 done, 1 it could not run, 2 the
 * command line or the configuration is wrong, 3 the answer is no.
 */

import { parseArgs } from "node:util";
import { hash } from "@node-rs/argon2";
import { doctor } from "./commands/doctor.js";
import { ended } from "./commands/ended.js";
import { explain } from "./commands/explain.js";
import { health } from "./commands/health.js";
import { lookup } from "./commands/lookup.js";
import { purge } from "./commands/purge.js";
import { reason } from "./commands/reason.js";
import { managementOf } from "./commands/running-gateway.js";
import { setup } from "./commands/setup.js";
import { HELP, usage } from "./commands/usage.js";
import { compose, createLog } from "./compose.js";
import { configurationJsonSchema } from "./config/configuration.js";
import { ConfigurationError, loadConfiguration } from "./config/load-configuration.js";
import { installedKerberos, KerberosUnavailable, NOT_INSTALLED } from "./kerberos/installed-package.js";
import { unforeseen } from "./telemetry/unforeseen.js";

/** How long a stop may take before the process ends anyway: a little less than orchestrators wait. */
const STOP_WITHIN_MS = 25_000;

const WITH_OPERAND: ReadonlySet<string> = new Set(["explain", "purge", "reason"]);

export async function runCommandLine(args: string[], version: string): Promise<void> {
  if (args[0] === "lookup") return lookup(args.slice(1));
  if (args[0] === "doctor") return doctor(args.slice(1));
  if (args[0] === "setup") return setup(args.slice(1));
  let values: ReturnType<typeof parsedArguments>["values"];
  let command: string;
  let operand: string | undefined;
  try {
    const parsed = parsedArguments(args);
    values = parsed.values;
    [command = "run", operand] = parsed.positionals;
    const most = WITH_OPERAND.has(command) ? 2 : 1;
    if (parsed.positionals.length > most) throw new Error(`Unexpected argument '${parsed.positionals[most]}'`);
  } catch (error) {
    return usage((error as Error).message);
  }
  if (values.help) process.stdout.write(HELP);
  else if (values.version) process.stdout.write(`${version}\n`);
  else if (command === "schema") process.stdout.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  else if (command === "hash-password") await hashPassword();
  else if (command === "explain") await explain(operand, values);
  else if (command === "reason") reason(operand);
  else if (command === "health") {
    const management = managementOf("health", values);
    if (management !== undefined) await health(management);
  } else if (command === "purge") await purge(operand, values);
  else if (command !== "run" && command !== "check") usage(`There is no command '${command}'`);
  else if (values.config === undefined) usage("--config FILE is needed");
  else await withConfiguration(values.config, command);
}

function parsedArguments(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string", short: "c" },
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
      as: { type: "string" },
      ask: { type: "boolean" },
      json: { type: "boolean" },
      all: { type: "boolean" },
      management: { type: "string" },
    },
  });
}

async function withConfiguration(file: string, command: "run" | "check"): Promise<void> {
  try {
    const loaded = loadConfiguration(file, process.env);
    if (command === "check") {
      if (usesKerberos(loaded) && installedKerberos() === undefined) throw new KerberosUnavailable(NOT_INSTALLED);
      process.stdout.write(`${file}: no problems\n`);
    } else await run(loaded);
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof KerberosUnavailable) {
      ended(2, `${error.message}\n`);
    } else ended(1, `freebusy: ${startProblem(error)}\n`);
  }
}

function usesKerberos({ configuration: { signIn, backends } }: ReturnType<typeof loadConfiguration>): boolean {
  const accounts = Object.values(backends).flatMap(({ accounts = [] }) => accounts);
  return signIn.kerberos !== undefined || accounts.some(({ scheme }) => scheme === "negotiate");
}

async function run(loaded: ReturnType<typeof loadConfiguration>): Promise<void> {
  const { configuration } = loaded;
  const written = createLog(configuration.log.level);
  const { log } = written;
  // The first process of a container is not ended by a signal that nobody listens to. Nothing is under way yet.
  const giveUp = (why: NodeJS.Signals) => {
    log.info({ why }, "ended before it was ready");
    process.exit(0);
  };
  process.once("SIGTERM", giveUp).once("SIGINT", giveUp);
  const gateway = await compose(loaded, written);
  const addresses = await gateway.start();
  process.off("SIGTERM", giveUp).off("SIGINT", giveUp);
  log.info(addresses, "listening");
  const { host, tls } = configuration.listen;
  if (tls === undefined && !/^(127\.|localhost$|::1$)/.test(host)) {
    log.warn(
      { host },
      "callers' passwords arrive unencrypted here: set listen.tls, or let only a TLS proxy reach this port",
    );
  }
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, "draining");
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    gateway.stop().then(
      () => log.info("stopped"),
      (error: unknown) => {
        log.error({ err: error }, "could not stop cleanly");
        process.exitCode = 1;
      },
    );
  };
  // Whoever sends it twice, as timeout and npm do, means one end. A second Ctrl-C means at once.
  process.on("SIGTERM", stop);
  process.once("SIGINT", stop);
  // Otherwise it means what it means to any program whose terminal is gone.
  if (configuration.audit !== undefined && configuration.audit.to !== "stdout") {
    process.on("SIGHUP", () => gateway.reopenAudit());
  }
  // A mistake in the program, and nobody knows what it has left: who has asked is answered, and another process goes on.
  process.on("uncaughtException", (error) => {
    log.fatal(unforeseen(error), "an exception that nobody caught: please report it with this line");
    process.exitCode = 1;
    stop("uncaughtException");
  });
}

async function hashPassword(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const password = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password === "") usage("hash-password reads the password from standard input, and got none");
  else process.stdout.write(`${await hash(password)}\n`);
}

function startProblem(error: unknown): string {
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  if (code === "EADDRINUSE")
    return `${address}:${port} is in use. Stop what listens there, or change listen.port or management.port.`;
  if (code === "EADDRNOTAVAIL")
    return `${address} is no address of this machine. Change listen.host or management.host.`;
  if (code === "EACCES" && port !== undefined) return `${address}:${port} may not be bound. Use a port above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
