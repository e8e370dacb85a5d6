/**
 * Decides what the command line means. Exit codes: 0 done, 1 it could not run, 2 the
 * command line or the configuration is wrong.
 */

import { parseArgs } from "node:util";
import { hash } from "@node-rs/argon2";
import { compose, createLog } from "./compose.js";
import { configurationJsonSchema } from "./config/configuration.js";
import { ConfigurationError, loadConfiguration } from "./config/load-configuration.js";

const HELP = `Usage: freebusy [run] --config FILE      run the gateway
       freebusy check --config FILE      say everything that is wrong with a configuration
       freebusy hash-password            read a password from standard input, print its hash
       freebusy schema                   print the configuration's JSON schema

Options:
  -c, --config FILE   YAML configuration
  -h, --help          this text
      --version       the version

Exit codes: 0 done, 1 could not run, 2 wrong command line or configuration.
`;

/** How long a stop may take before the process ends anyway: a little less than orchestrators wait. */
const STOP_WITHIN_MS = 25_000;

export async function runCommandLine(args: string[], version: string): Promise<void> {
  let values: { config?: string | undefined; help?: boolean | undefined; version?: boolean | undefined };
  let command: string;
  try {
    const parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: "string", short: "c" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
      },
    });
    values = parsed.values;
    command = parsed.positionals[0] ?? "run";
    if (parsed.positionals.length > 1) throw new Error(`Unexpected argument '${parsed.positionals[1]}'`);
  } catch (error) {
    return usage((error as Error).message);
  }
  if (values.help) process.stdout.write(HELP);
  else if (values.version) process.stdout.write(`${version}\n`);
  else if (command === "schema") process.stdout.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  else if (command === "hash-password") await hashPassword();
  else if (command !== "run" && command !== "check") usage(`There is no command '${command}'`);
  else if (values.config === undefined) usage("--config FILE is needed");
  else await withConfiguration(values.config, command);
}

async function withConfiguration(file: string, command: "run" | "check"): Promise<void> {
  try {
    const loaded = loadConfiguration(file, process.env);
    if (command === "check") process.stdout.write(`${file}: no problems\n`);
    else await run(loaded);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 2;
    } else {
      process.stderr.write(`freebusy: ${startProblem(error)}\n`);
      process.exitCode = 1;
    }
  }
}

async function run(loaded: ReturnType<typeof loadConfiguration>): Promise<void> {
  const { configuration } = loaded;
  const log = createLog(configuration.log.level);
  const gateway = compose(loaded, log);
  const addresses = await gateway.start();
  log.info(addresses, "listening");
  const { host, tls } = configuration.listen;
  if (tls === undefined && !/^(127\.|localhost$|::1$)/.test(host)) {
    log.warn(
      { host },
      "callers' passwords arrive unencrypted here: set listen.tls, or let only a TLS proxy reach this port",
    );
  }
  const stop = (signal: string) => {
    log.info({ signal }, "draining");
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    gateway.stop().then(
      () => log.info("stopped"),
      (error: unknown) => {
        log.error({ err: error }, "could not stop cleanly");
        process.exitCode = 1;
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
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
  if (code === "EACCES") return `${address}:${port} may not be bound. Use a port above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function usage(problem: string): void {
  process.stderr.write(`freebusy: ${problem}\n\n${HELP}`);
  process.exitCode = 2;
}
