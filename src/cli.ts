/**
 * Decides what the command line means. Exit codes: 0 done, 1 it could not run, 2 the
 * command line or the configuration is wrong, 3 the answer is no.
 */

import { parseArgs } from "node:util";
import { hash } from "@node-rs/argon2";
import { doctor } from "./commands/doctor.js";
import { health } from "./commands/health.js";
import { lookup } from "./commands/lookup.js";
import { reason } from "./commands/reason.js";
import { setup } from "./commands/setup.js";
import { compose, createLog } from "./compose.js";
import { configurationJsonSchema } from "./config/configuration.js";
import { ConfigurationError, loadConfiguration, managementUrl } from "./config/load-configuration.js";
import { KerberosUnavailable } from "./kerberos/installed-package.js";
import { explanationText } from "./operations/explanation-text.js";
import { type PurgedText, purgedText } from "./operations/purged-text.js";
import type { RouteExplanation } from "./proxy/explain-route.js";

const HELP = `Usage: freebusy [run] --config FILE      run the gateway
       freebusy check --config FILE      say everything that is wrong with a configuration
       freebusy hash-password            read a password from standard input, print its hash
       freebusy schema                   print the configuration's JSON schema
       freebusy explain ADDRESS          ask the running gateway why a mailbox goes where it goes
                        [--as BACKEND] [--ask] [--json] --config FILE | --management URL
       freebusy health --config FILE | --management URL
                                         whether the gateway on this machine is alive
       freebusy lookup MAILBOX...        ask the running gateway who is free when, and draw it;
                                         freebusy lookup --help says how
       freebusy setup --config FILE      what to type on the other sides; --undo takes it back;
                                         --new FILE asks a few questions and writes a first configuration
       freebusy doctor --config FILE     look at the whole site: what is wrong, why it matters, what to do;
                                         freebusy doctor --help says more
       freebusy purge ADDRESS | --all    have the running gateway, and those that share its cache, forget answers
                        [--json] --config FILE | --management URL
       freebusy reason [WORD]            what a reason in a log or an answer means, and what to do; all of them

Options:
  -c, --config FILE   YAML configuration
      --as BACKEND    explain: as if this system asked
      --ask           explain: ask the backend too, and say how long it took
      --all           purge: about every mailbox
      --json          explain, purge: for programs
      --management URL  explain, purge, health: the running gateway's management listener, when it is not on this machine
  -h, --help          this text
      --version       the version

Exit codes: 0 done, 1 could not run, 2 wrong command line or configuration,
            3 explain: nobody would be asked, or what was asked failed; purge: others who share the cache were not reached.
`;

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

type Values = ReturnType<typeof parsedArguments>["values"];

async function explain(address: string | undefined, values: Values) {
  if (address === undefined) return usage("explain needs an ADDRESS");
  const management = managementOf("explain", values);
  if (management === undefined) return;
  const url = new URL(`/routes/${encodeURIComponent(address)}`, management);
  if (values.as !== undefined) url.searchParams.set("as", values.as);
  if (values.ask) url.searchParams.set("ask", "1");
  const reply = await replyOf(url, "GET");
  if (reply === undefined) return;
  if (reply.status === 400) {
    const { known } = (await reply.json()) as { known: string[] };
    usage(`--as: there is no system '${values.as}'. Known: ${known.join(", ")}`);
  } else if (!reply.ok) refused(url, reply);
  else {
    const explanation = (await reply.json()) as RouteExplanation;
    process.stdout.write(values.json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation));
    const { decision, asked } = explanation;
    if (asked === undefined ? decision.kind === "failure" : asked.result !== "a view") process.exitCode = 3;
  }
}

async function purge(address: string | undefined, values: Values) {
  if ((address === undefined) === !values.all) return usage("purge needs an ADDRESS, or --all");
  const management = managementOf("purge", values);
  if (management === undefined) return;
  const url = new URL("/purge", management);
  if (address === undefined) url.searchParams.set("all", "true");
  else url.searchParams.set("mailbox", address);
  const reply = await replyOf(url, "POST");
  if (reply === undefined) return;
  if (reply.status === 400) usage(`'${address}' is not an SMTP address`);
  else if (!reply.ok) refused(url, reply);
  else {
    const purged = (await reply.json()) as PurgedText;
    process.stdout.write(values.json ? `${JSON.stringify(purged, null, 2)}\n` : purgedText(purged));
    if (purged.others === "not reached") process.exitCode = 3;
  }
}

/** Where the running gateway is asked. Undefined, after saying why, when nobody can tell. */
function managementOf(command: string, values: Values): string | undefined {
  let management: string | undefined;
  try {
    management = values.management ?? (values.config === undefined ? undefined : managementUrl(values.config));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return undefined;
  }
  if (management === undefined) usage(`${command} needs --config FILE or --management URL`);
  else if (URL.canParse(management)) return management;
  else usage(`--management: '${management}' is no URL such as http://127.0.0.1:9090`);
  return undefined;
}

async function replyOf(url: URL, method: "GET" | "POST"): Promise<Response | undefined> {
  try {
    return await fetch(url, { method, signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    const code = ((error as Error).cause as { code?: string } | undefined)?.code ?? (error as Error).name;
    process.stderr.write(
      `freebusy: no gateway answers at ${url.origin} (${code}). Start it, or name its management listener with --management.\n`,
    );
    process.exitCode = 1;
    return undefined;
  }
}

function refused(url: URL, reply: Response): void {
  process.stderr.write(`freebusy: ${url.origin} answered with HTTP ${reply.status}\n`);
  process.exitCode = 1;
}

async function withConfiguration(file: string, command: "run" | "check"): Promise<void> {
  try {
    const loaded = loadConfiguration(file, process.env);
    if (command === "check") process.stdout.write(`${file}: no problems\n`);
    else await run(loaded);
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof KerberosUnavailable) {
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
  const gateway = await compose(loaded, log);
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
