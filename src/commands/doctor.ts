/**
 * `freebusy doctor`: looks at everything a site needs to work, and says what is wrong, why it
 * matters and what to type. It reads only, changes nothing, and ends within a minute.
 *
 * Exit codes: 0 nothing to do, 1 could not run, 2 wrong command line or configuration, 3 there
 * are warnings, 4 there are failures.
 */

import { setMaxListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { composeDoctor } from "../compose-doctor.js";
import { ConfigurationError, loadConfiguration, managementUrl } from "../config/load-configuration.js";
import { exitCodeOf } from "../operations/doctor/finding.js";
import { reportJson, reportText, withoutSecrets } from "../operations/doctor/report.js";
import { examine } from "../operations/doctor/runner.js";
import { VERSION } from "../version.js";
import { ended } from "./ended.js";

const HELP = `Usage: freebusy doctor --config FILE [--json] [--report FILE] [--management URL]

Looks at both systems, DNS, certificates, and the gateway that runs, and goes the whole way in
both directions. Says what is wrong, why it matters and what to do. Changes nothing.

Options:
  -c, --config FILE     the gateway's configuration; its section doctor says what may be used
      --json            for programs
      --report FILE     also write the whole examination (JSON, without secrets) to a file
      --management URL  the running gateway's management listener, when it is not on this machine
  -h, --help            this text

Exit codes: 0 nothing to do, 1 could not run, 2 wrong command line or configuration,
            3 there are warnings, 4 there are failures. What could not be checked is said and does not count.
`;

/** With loading and writing well within a minute. */
const WITHIN_MS = 30_000;

export async function doctor(args: string[]): Promise<void> {
  let values: ReturnType<typeof parsedArguments>;
  try {
    values = parsedArguments(args);
  } catch (error) {
    return ended(2, `freebusy: ${(error as Error).message}\n\n${HELP}`);
  }
  if (values.help) return void process.stdout.write(HELP);
  const { config, json, report, management } = values;
  if (config === undefined) return ended(2, `freebusy: doctor needs --config FILE\n\n${HELP}`);
  if (management !== undefined && !URL.canParse(management)) {
    return ended(2, `freebusy: --management: '${management}' is no URL such as http://127.0.0.1:9090\n`);
  }
  // A check may have as many looks under way as there are domains, and each listens for the end.
  setMaxListeners(0);
  try {
    const made = composeDoctor(loadConfiguration(config, process.env), management ?? managementUrl(config));
    const at = new Date().toISOString();
    const examination = await examine(made.checks, WITHIN_MS, Date.now);
    const whole = withoutSecrets(reportJson(examination, VERSION, at), made.secrets);
    const text = json ? whole : withoutSecrets(reportText(examination), made.secrets);
    process.exitCode = exitCodeOf(examination.findings);
    if (report !== undefined && !written(report, whole)) process.exitCode = 1;
    // What does not heed its signal must not keep the command from ending.
    process.stdout.write(text, () => process.exit());
  } catch (error) {
    if (error instanceof ConfigurationError) ended(2, `${error.message}\n`);
    else ended(1, `freebusy: the doctor could not run (${(error as Error).name}). 'freebusy check' may say more.\n`);
  }
}

function parsedArguments(args: string[]) {
  return parseArgs({
    args,
    options: {
      ...{ config: { type: "string", short: "c" }, json: { type: "boolean" }, report: { type: "string" } },
      ...{ management: { type: "string" }, help: { type: "boolean", short: "h" } },
    },
  }).values;
}

/** Readable for its owner only: it tells how a site is built. */
function written(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { mode: 0o600 });
    return true;
  } catch (error) {
    process.stderr.write(`freebusy: --report: ${file} cannot be written (${(error as NodeJS.ErrnoException).code}).\n`);
    return false;
  }
}
