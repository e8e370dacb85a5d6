/**
 * `freebusy lookup`: asks a running gateway, as one of its callers, who is free when, and draws
 * it. It is a client like any other: it reads no secret of the gateway's, sees what its caller
 * may see, and its password is never in the list of processes.
 *
 * Exit codes: 0 everything asked is known, 1 it could not run, 2 the command line is wrong,
 * 3 something asked is not known.
 */

import { parseArgs } from "node:util";
import { type InstantMs, instant, MINUTE_MS, type TimeWindow } from "../availability/time-window.js";
import { type TimeZone, UTC_ZONE } from "../availability/time-zone.js";
import { ConfigurationError, listenerUrl } from "../config/load-configuration.js";
import { windowsTimeZone } from "../ews/windows-time-zones.js";
import type { ParameterProblem } from "../json/availability-question.js";
import { writeInstant } from "../json/date-time.js";
import { type LookedUp, readAnswers } from "../json/read-availability-answer.js";
import { availabilityGrid, printable } from "../operations/availability-grid.js";
import { askedTime, dayAfter, TIME_EXPECTED } from "./asked-times.js";
import { promptedPassword } from "./password-prompt.js";

const HELP = `Usage: freebusy lookup MAILBOX... --user NAME --url URL | --config FILE

Asks a running gateway who is free when, and draws it: a row a mailbox, the hours across.

Options:
      --from TIME     the beginning; default: today
      --to TIME       the end, itself not in it; default: one day after the beginning
      --zone NAME     for TIME and for what is drawn; default: this machine's
      --interval MIN  minutes of a slot; default: 15
      --url URL       where callers ask the gateway, such as https://freebusy.corp.example
  -c, --config FILE   or the gateway's configuration, when it runs on this machine
      --user NAME     the caller to sign in as (HTTP Basic); or FREEBUSY_USER in the environment
                      Its password is FREEBUSY_PASSWORD in the environment, or asked for.
      --allow-plain-http  send the password unencrypted to another machine
      --json          for programs: the gateway's answer as it came
      --view VIEW     with --json: merged, times or details; default: times
  -h, --help          this text

TIME is today, tomorrow, yesterday, now, 2026-07-01, 2026-07-01T09:00, or one with Z or +02:00
behind it. A day is its beginning: --from today --to tomorrow is today.
A certificate of an authority of your own: NODE_EXTRA_CA_CERTS=FILE. NO_COLOR=1: no colours.

Exit codes: 0 everything asked is known, 1 could not run, 2 wrong command line,
            3 a mailbox failed, or some of its time is not known.
`;

/** Longer than any time budget a gateway can have. */
const PATIENCE_MS = 65_000;

/** Ends the command: a sentence for standard error, and the exit code. */
class Stop extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2,
  ) {
    super(message);
  }
}

const wrong = (sentence: string) => new Stop(`${sentence}\nfreebusy lookup --help says more.`, 2);

interface Asked {
  readonly mailboxes: readonly string[];
  readonly url: URL;
  readonly user: string;
  readonly window: TimeWindow;
  readonly zone: TimeZone;
  readonly zoneName: string;
  readonly intervalMinutes: number;
  readonly view: string;
  readonly json: boolean;
}

export async function lookup(args: string[]): Promise<void> {
  try {
    const asked = askedOn(args, instant(Date.now()));
    if (asked === undefined) return void process.stdout.write(HELP);
    const text = await reply(asked, await passwordOf(asked.user));
    const answers = readAnswers(parsed(text), asked.mailboxes, asked.window);
    if (answers === undefined) throw new Stop(`${asked.url.origin} answered something else than was asked.`, 1);
    process.stdout.write(asked.json ? text : drawn(asked, answers));
    const unknown = answers.some(({ merged }) => merged === undefined || merged.digits.includes("4"));
    process.exitCode = unknown ? 3 : 0;
  } catch (error) {
    if (!(error instanceof Stop) && !(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`freebusy: ${error.message}\n`);
    process.exitCode = error instanceof Stop ? error.exitCode : 2;
  }
}

/** What the command line asks for; undefined: help. */
function askedOn(args: string[], now: InstantMs): Asked | undefined {
  const { values, positionals: mailboxes } = parsedArguments(args);
  if (values.help) return undefined;
  if (mailboxes.length === 0) throw wrong("lookup needs a MAILBOX, or several.");
  const user = values.user ?? process.env.FREEBUSY_USER;
  if (user === undefined || user === "") throw wrong("Say who asks: --user NAME, or FREEBUSY_USER in the environment.");
  const { zone, zoneName } = zoneOf(values.zone);
  const start = timeOf("--from", values.from ?? "today", now, zone);
  const end = values.to === undefined ? dayAfter(start, zone) : timeOf("--to", values.to, now, zone);
  const window = { start, end };
  const interval = values.interval ?? String(Math.min(15, Math.max(5, Math.floor((end - start) / MINUTE_MS))));
  if (!/^\d{1,4}$/.test(interval)) throw wrong(`--interval: '${interval}' is no number of minutes.`);
  const view = values.view ?? (values.json ? "times" : "merged");
  const url = urlOf(values);
  return {
    ...{ mailboxes, url, user, window, zone, zoneName, view },
    intervalMinutes: Number(interval),
    json: values.json ?? false,
  };
}

function parsedArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...{ from: { type: "string" }, to: { type: "string" }, zone: { type: "string" }, interval: { type: "string" } },
        ...{ url: { type: "string" }, config: { type: "string", short: "c" }, user: { type: "string" } },
        ...{ json: { type: "boolean" }, view: { type: "string" }, "allow-plain-http": { type: "boolean" } },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function zoneOf(named: string | undefined): { zone: TimeZone; zoneName: string } {
  const zoneName = named ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = windowsTimeZone(zoneName);
  if (zone !== undefined) return { zone, zoneName };
  if (named === undefined) return { zone: UTC_ZONE, zoneName: "UTC" };
  throw wrong(
    `--zone: there is no zone '${named}'. Expected: Europe/Berlin, UTC or W. Europe Standard Time, for example.`,
  );
}

function timeOf(option: string, text: string, now: InstantMs, zone: TimeZone): InstantMs {
  const at = askedTime(text, now, zone);
  if (at === undefined) throw wrong(`${option}: '${text}' is no time. Expected: ${TIME_EXPECTED}.`);
  return at;
}

function urlOf(values: ReturnType<typeof parsedArguments>["values"]): URL {
  if (values.url === undefined && values.config === undefined) throw wrong("lookup needs --url URL or --config FILE.");
  const text = values.url ?? listenerUrl(values.config as string);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw wrong("--url is no URL such as https://freebusy.corp.example.");
  }
  if (url.username !== "" || url.password !== "") {
    throw wrong("--url holds a name or a password, where every process can read it. Use --user and FREEBUSY_PASSWORD.");
  }
  const here = /^(127\.[\d.]+|localhost|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !here && !values["allow-plain-http"]) {
    throw wrong(`--url: the password would go to ${url.hostname} unencrypted. Use https://, or --allow-plain-http.`);
  }
  return new URL("v1/availability", url.href.endsWith("/") ? url : `${url.href}/`);
}

async function passwordOf(user: string): Promise<string> {
  const given = process.env.FREEBUSY_PASSWORD;
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) throw wrong("There is no password in FREEBUSY_PASSWORD, and no terminal to ask for it.");
  const typed = await promptedPassword(`Password of ${printable(user)}: `);
  if (typed === undefined) throw new Stop("No password was given.", 1);
  return typed;
}

/** The text of an answer that is one; everything else stops with what to do. */
async function reply({ mailboxes, url, user, window, zoneName, intervalMinutes, view }: Asked, password: string) {
  const question = {
    ...{ mailboxes, from: writeInstant(window.start), to: writeInstant(window.end) },
    ...{ interval: intervalMinutes, view, zone: zoneName },
  };
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(question),
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((error: Error) => {
    const { code, message } = (error.cause ?? {}) as { code?: string; message?: string };
    const why = code ?? message ?? error.name;
    if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(why)) {
      const how = "Name the authority's file in NODE_EXTRA_CA_CERTS, and the host as in the certificate with --url.";
      throw new Stop(`The certificate of ${url.origin} is not trusted (${why}). ${how}`, 1);
    }
    throw new Stop(`No gateway answers at ${url.origin} (${why}). Start it, or name it with --url.`, 1);
  });
  const text = await response.text().catch(() => "");
  if (response.ok) return text;
  const { detail, problems } = (parsed(text) ?? {}) as { detail?: unknown; problems?: unknown };
  if (response.status === 400 && Array.isArray(problems)) throw wrong(problemLines(problems));
  if (response.status === 401) {
    const basic = /\bbasic\b/i.test(response.headers.get("www-authenticate") ?? "");
    throw new Stop(
      basic
        ? `${url.origin} does not let ${user} in: unknown name or wrong password.`
        : `${url.origin} lets nobody in with a password (HTTP Basic); a caller needs usernames and passwordHash.`,
      1,
    );
  }
  const said =
    typeof detail === "string" ? `: ${printable(detail)}` : response.status === 404 ? ": no look-ups there" : "";
  throw new Stop(`${url.origin} answered with HTTP ${response.status}${said}.`, 1);
}

/** The gateway's complaints, in the words of the command line. */
function problemLines(problems: readonly Partial<ParameterProblem>[]): string {
  return problems
    .map(({ parameter, problem, expected }) => {
      const option = parameter === "mailboxes" ? "MAILBOX" : `--${parameter}`;
      return printable(`${option} ${problem}. Expected: ${expected}.`);
    })
    .join("\n");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function drawn({ window, zone, zoneName }: Asked, answers: readonly LookedUp[]): string {
  const { isTTY, columns } = process.stdout;
  const { NO_COLOR, TERM, COLUMNS } = process.env;
  const colour = isTTY && (NO_COLOR ?? "") === "" && TERM !== "dumb";
  const width = Math.max(40, columns || Number(COLUMNS) || 80);
  const grid = availabilityGrid(answers, { window, zone, zoneName, width, colour });
  const failures = answers.flatMap(({ mailbox, failure }) =>
    failure === undefined ? [] : [`${printable(mailbox)}: ${printable(failure.sentence)}`],
  );
  const oldest = Math.min(...answers.flatMap(({ learntAt }) => learntAt ?? []));
  const seconds = Math.round((Date.now() - oldest) / 1000);
  const age = Number.isFinite(oldest) && seconds > 1 ? [`The oldest of it was learnt ${seconds} s ago.`] : [];
  const below = [...age, ...failures].map((line) => `${line}\n`).join("");
  return below === "" ? grid : `${grid}\n${below}`;
}
