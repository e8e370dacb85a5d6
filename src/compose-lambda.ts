/**
 * The part of the composition root for AWS Lambda: what answers, without listeners, for the
 * one caller that stands for WorkMail. Composed once per execution environment, while it
 * starts; what could not be composed is tried again with the next event.
 */

import pino, { type DestinationStream, type Logger } from "pino";
import { Registry } from "prom-client";
import { FetchedSecrets } from "./aws/fetched-secrets.js";
import { fetchNamedSecrets } from "./aws/named-secrets.js";
import { serviceAccountNames } from "./compose-backends.js";
import { composeLookups } from "./compose-lookups.js";
import { callerOf } from "./compose-rights.js";
import type { Configuration } from "./config/configuration.js";
import { ConfigurationError, loadConfiguration } from "./config/load-configuration.js";
import { type LambdaContext, type LambdaParts, lambdaHandler } from "./inbound/lambda-handler.js";
import { OwnMarks } from "./inbound/own-marks.js";
import { SharedCacheTelemetry } from "./telemetry/shared-cache-telemetry.js";

/** Beside the handler in the zip, unless FREEBUSY_CONFIG names another file. */
const CONFIGURATION_FILE = "freebusy.yaml";
const SECRET_WITHIN_MS = 3_000;
const SECRET_AGE_MS = 300_000;
/** A cold start waits this long for directories; an event that waits for it has little more than that to spare. */
const DIRECTORIES_WITHIN_MS = 4_000;

/** Lambda's handler. `environment` also receives what FREEBUSY_SECRET_ID names, so that rotated secrets are seen. */
export function composeLambda(environment: NodeJS.ProcessEnv) {
  // Written at once: between events the process is frozen.
  const standardOutput = pino.destination({ dest: 1, sync: true });
  const log = pino({ base: { service: "freebusy-gateway" }, timestamp: pino.stdTimeFunctions.isoTime }, standardOutput);
  const secretId = environment.FREEBUSY_SECRET_ID;
  const secrets = new FetchedSecrets({
    fetch: async () => (secretId ? fetchNamedSecrets(secretId, SECRET_WITHIN_MS) : {}),
    into: environment,
    renewAfterMs: SECRET_AGE_MS,
    now: () => performance.now(),
    onProblem: (error) => log.error({ err: error }, "secrets stay as they were"),
  });
  let composing: Promise<LambdaParts> | undefined;
  const ready = () => {
    composing ??= composeParts(environment, secrets, log, standardOutput).catch((error: unknown) => {
      composing = undefined;
      throw error;
    });
    return composing;
  };
  // Begun while Lambda starts the environment, which costs no event its time. A failure is told with the first event.
  ready().catch(() => {});
  const handle = lambdaHandler({ ready, tell: (what, fields) => log.error(fields, what) });
  return (event: unknown, context?: LambdaContext) => {
    secrets.renew();
    return handle(event, context);
  };
}

async function composeParts(
  environment: NodeJS.ProcessEnv,
  fetched: FetchedSecrets,
  log: Logger,
  standardOutput: DestinationStream,
): Promise<LambdaParts> {
  await fetched.fetch();
  const file = environment.FREEBUSY_CONFIG ?? CONFIGURATION_FILE;
  const loaded = loadConfiguration(file, environment);
  const { configuration } = loaded;
  const caller = callerOf(lambdaCaller(file, configuration));
  log.level = configuration.log.level;
  const lookups = composeLookups(loaded, log, {
    standardOutput,
    sharedCacheTelemetry: () => new SharedCacheTelemetry(log, new Registry()),
  });
  const { answerer, observer, directories, flush } = lookups;
  await Promise.race([directories.start(), new Promise((resolve) => setTimeout(resolve, DIRECTORIES_WITHIN_MS))]);
  return {
    answer: (query, asking, id) => answerer.answer(query, asking, id),
    caller,
    ownMarks: new OwnMarks(serviceAccountNames(configuration)),
    observer,
    flush,
  };
}

/** The cross-checks have seen to it that the caller is there, where one is named. */
function lambdaCaller(file: string, { lambda, callers }: Configuration): Configuration["callers"][number] {
  const caller = callers.find(({ name }) => name === lambda?.caller);
  if (caller !== undefined) return caller;
  throw new ConfigurationError(file, [
    "lambda.caller: is missing. Name the caller that stands for WorkMail, for example lambda: { caller: workmail }.",
  ]);
}
