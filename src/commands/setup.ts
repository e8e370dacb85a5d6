/**
 * `freebusy setup`: prints what has to be typed on the other sides, or how to take it back; with
 * --new, asks a few questions and writes a first configuration. Touches no system, and no file
 * that is there already unless --overwrite says so.
 *
 * Exit codes: 0 done, 1 could not run, 2 wrong command line, configuration or answers.
 */

import { existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { accountsOf } from "../compose-backends.js";
import { organizationNamed, siteFacts } from "../compose-doctor.js";
import type { Configuration } from "../config/configuration.js";
import { ConfigurationError, loadConfiguration, parseConfiguration } from "../config/load-configuration.js";
import { exchangeOf, urlFor, workMailOf } from "../operations/doctor/site-facts.js";
import {
  type Answers,
  firstConfiguration,
  QUESTIONS,
  SECRET_VARIABLES,
} from "../operations/setup/first-configuration.js";
import { type SetupFacts, setupGuide } from "../operations/setup/setup-guide.js";
import { ended } from "./ended.js";

const HELP = `Usage: freebusy setup --config FILE [--undo]   what to type on the other sides, or how to take it back
       freebusy setup --new FILE [--overwrite]  ask a few questions and write a first configuration

Nothing is changed anywhere but FILE. Answers can be piped, one a line; an empty line takes what stands in brackets.

Exit codes: 0 done, 1 could not run, 2 wrong command line, configuration or answers.
`;

export async function setup(args: string[]): Promise<void> {
  let values: ReturnType<typeof parsedArguments>;
  try {
    values = parsedArguments(args);
  } catch (error) {
    return ended(2, `freebusy: ${(error as Error).message}\n\n${HELP}`);
  }
  if (values.help) return void process.stdout.write(HELP);
  if ((values.new === undefined) === (values.config === undefined)) {
    return ended(2, `freebusy: setup needs either --config FILE or --new FILE\n\n${HELP}`);
  }
  if (values.new !== undefined) return wizard(values.new, values.overwrite ?? false);
  try {
    const { configuration, secrets } = loadConfiguration(values.config as string, process.env);
    const site = siteFacts(configuration, secrets);
    process.stdout.write(setupGuide(factsOf(configuration, site), values.undo ?? false));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    ended(2, `${error.message}\n`);
  }
}

function parsedArguments(args: string[]) {
  return parseArgs({
    args,
    options: {
      ...{ config: { type: "string", short: "c" }, new: { type: "string" }, undo: { type: "boolean" } },
      ...{ overwrite: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    },
  }).values;
}

function factsOf(configuration: Configuration, site: ReturnType<typeof siteFacts>): SetupFacts {
  const exchange = exchangeOf(site)?.name ?? "";
  const workmail = workMailOf(site)?.name ?? "";
  const callerOf = (origin: string) => site.callers.find((caller) => caller.origin === origin)?.usernames[0];
  const accounts = (backend: string) => {
    const settings = configuration.backends[backend];
    return settings === undefined
      ? []
      : accountsOf(backend, settings).flatMap(([, account]) => ("username" in account ? [account.username] : []));
  };
  const organization = organizationNamed(configuration);
  const region = Object.values(configuration.backends).flatMap((one) =>
    one.type === "workmail" ? (one.region ?? []) : [],
  )[0];
  return {
    ...{ domains: site.domains, forestDomains: site.forestDomains, lambda: site.lambda },
    ...{ exchangeUrl: urlFor(site, exchange), workmailUrl: urlFor(site, workmail) },
    ...{ exchangeCaller: callerOf(exchange), workmailCaller: callerOf(workmail) },
    ...{ exchangeAccounts: accounts(exchange), workmailAccounts: accounts(workmail) },
    ...{ organizationId: organization?.id, region: organization?.region ?? region },
  };
}

async function wizard(file: string, overwrite: boolean): Promise<void> {
  if (existsSync(file) && !overwrite)
    return ended(2, `freebusy: ${file} is there already. Name another, or say --overwrite.\n`);
  const answers = await answersGiven();
  if (answers === undefined) return ended(2, "freebusy: the answers ended too early; nothing was written.\n");
  const text = firstConfiguration(answers);
  try {
    // With secrets made up for the purpose: what is checked is the file.
    parseConfiguration(
      file,
      text,
      Object.fromEntries(SECRET_VARIABLES.map(([name]) => [name, "$argon2id$v=19$m=1024,t=1,p=1$AAAA$AAAA"])),
    );
    writeFileSync(file, text, { flag: overwrite ? "w" : "wx", mode: 0o600 });
  } catch (error) {
    if (error instanceof ConfigurationError) return ended(2, `${error.message}\nNothing was written.\n`);
    return ended(1, `freebusy: ${file} cannot be written (${(error as NodeJS.ErrnoException).code}).\n`);
  }
  const variables = SECRET_VARIABLES.map(([name, what]) => `  ${name.padEnd(25)} ${what}`).join("\n");
  process.stdout.write(
    `\n${file} is written. It refers to these environment variables, or change them to file:/path:\n${variables}\nNext: freebusy check --config ${file}, then freebusy setup --config ${file}\n`,
  );
}

/** Each question until its answer is good. Undefined: the input has ended before. */
async function answersGiven(): Promise<Answers | undefined> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const typed = lines[Symbol.asyncIterator]();
  const answers: Record<string, string> = {};
  try {
    for (const { key, ask, usual, wrong } of QUESTIONS) {
      const otherwise = usual?.(answers) ?? "";
      for (let problem: string | undefined = ""; problem !== undefined; ) {
        process.stdout.write(`${ask}${otherwise === "" ? "" : ` [${otherwise}]`}: `);
        const line = await typed.next();
        if (line.done) return undefined;
        const answer = line.value.trim() === "" ? otherwise : line.value.trim();
        problem = wrong(answer);
        if (problem === undefined) answers[key] = answer;
        else process.stdout.write(`${problem}\n`);
      }
    }
    return answers;
  } finally {
    lines.close();
  }
}
