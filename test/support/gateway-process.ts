/** Starts the real gateway as its own process between two simulated systems, and asks it over real sockets. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashSync } from "@node-rs/argon2";
import { calendarFromFile } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";

export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const DEMO_CALENDAR = join(PROJECT, "simulators/demo-calendar.yaml");
export const PASSWORD = "demo";
/** Cheap on purpose: what is tested is not how slow the hash is. */
export const CALLER_HASH = hashSync(PASSWORD, { memoryCost: 1024, timeCost: 1, parallelism: 1 });
export const BACKEND_PASSWORD = "backend-canary-Zk7";

export interface RunningGateway {
  readonly url: string;
  readonly management: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** All it has written to its outputs so far. */
  output(): string;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface Site {
  readonly exchange: EwsSimulator;
  readonly workmail: EwsSimulator;
  readonly gateway: RunningGateway;
  ask(mailboxes: readonly string[], options?: AskOptions): Promise<{ status: number; text: string; ms: number }>;
  close(): Promise<void>;
}

export interface AskOptions {
  user?: string;
  password?: string;
  view?: string;
  start?: string;
  end?: string;
  interval?: number;
  version?: string;
}

export async function startGateway(
  configuration: string,
  environment: Record<string, string> = {},
): Promise<RunningGateway> {
  const file = join(mkdtempSync(join(tmpdir(), "gateway-")), "freebusy.yaml");
  // Any free port: the gateway says which it got, so no other process can take it in between.
  writeFileSync(file, configuration.replace("LISTEN_PORT", "0").replace("MANAGEMENT_PORT", "0"));
  const child = spawn(process.execPath, [join(PROJECT, "dist/src/main.js"), "--config", file], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('"msg":"listening"')) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    void exited.then((code) => reject(new Error(`the gateway ended with ${code}: ${output}`)));
  });
  const [, ews, management] = /"ews":"([^"]+)","management":"([^"]+)"/.exec(output) as unknown as [
    string,
    string,
    string,
  ];
  return {
    url: `${ews}/EWS/Exchange.asmx`,
    management,
    port: Number(new URL(ews).port),
    process: child,
    output: () => output,
    stop: async () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

export function siteConfiguration(exchangeUrl: string, workmailUrl: string, extra = ""): string {
  return `
listen: { port: LISTEN_PORT${extra} }
management: { port: MANAGEMENT_PORT }
timeBudgetSeconds: 3
log: { level: debug }
callers:
  - { name: exchange, usernames: ['CORP\\exchange', exchange@corp.example], passwordHash: 'env:CALLER_HASH', origin: exchange }
  - { name: workmail, usernames: [workmail@corp.example], passwordHash: 'env:CALLER_HASH', origin: workmail }
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: Detailed }
  - { name: slots, usernames: [slots@corp.example], passwordHash: 'env:CALLER_HASH', maximumView: MergedOnly }
backends:
  exchange: { type: ews, url: '${exchangeUrl}', username: 'CORP\\svc', password: 'env:BACKEND_PASSWORD', timeoutSeconds: 1.5, allowPlainHttp: true }
  workmail: { type: workmail, url: '${workmailUrl}', username: svc@corp.example, password: 'env:BACKEND_PASSWORD', timeoutSeconds: 1.5, allowPlainHttp: true }
addressSpaces:
  - { domain: corp.example, backend: exchange }
  - { domain: corp.awsapps.com, backend: workmail, rewriteDomain: corp.example }
mailboxes:
  - { address: bob@corp.example, aliases: [bob@corp.awsapps.com], backend: workmail }
  - { address: erin@corp.example, aliases: [erin@corp.awsapps.com], backend: workmail }
`;
}

/** `change` edits the configuration before the gateway reads it. */
export async function startSite(
  change: (configuration: string) => string = (same) => same,
  environment: Record<string, string> = {},
): Promise<Site> {
  const [exchange, workmail] = await Promise.all([
    startSimulator({
      style: "exchange",
      calendar: calendarFromFile(DEMO_CALENDAR, "exchange"),
      accounts: [{ username: "CORP\\svc", password: BACKEND_PASSWORD }],
    }),
    startSimulator({
      style: "workmail",
      calendar: calendarFromFile(DEMO_CALENDAR, "workmail"),
      accounts: [{ username: "svc@corp.example", password: BACKEND_PASSWORD }],
    }),
  ]);
  const gateway = await startGateway(change(siteConfiguration(exchange.url, workmail.url)), {
    CALLER_HASH,
    BACKEND_PASSWORD,
    ...environment,
  });
  return {
    exchange,
    workmail,
    gateway,
    ask: (mailboxes, options) => ask(gateway.url, mailboxes, options),
    close: async () => {
      await gateway.stop();
      await Promise.all([exchange.close(), workmail.close()]);
    },
  };
}

export function authorization(user = "client@corp.example", password = PASSWORD): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export async function post(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const started = performance.now();
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "text/xml; charset=utf-8", authorization: authorization(), ...headers },
    body: body as string,
    redirect: "manual",
  });
  return { status: reply.status, text: await reply.text(), ms: performance.now() - started, headers: reply.headers };
}

export function ask(url: string, mailboxes: readonly string[], options: AskOptions = {}) {
  return post(url, question(mailboxes, options), { authorization: authorization(options.user, options.password) });
}

export const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';

export function question(mailboxes: readonly string[], options: AskOptions = {}): string {
  const {
    view = "DetailedMerged",
    start = "2026-07-01T00:00:00",
    end = "2026-07-02T00:00:00",
    interval = 30,
    version = "Exchange2013",
  } = options;
  const data = mailboxes
    .map(
      (address) =>
        `<t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>`,
    )
    .join("");
  return `<s:Envelope ${NAMESPACES}><s:Header><t:RequestServerVersion Version="${version}"/><t:TimeZoneContext><t:TimeZoneDefinition Id="W. Europe Standard Time"/></t:TimeZoneContext></s:Header><s:Body><m:GetUserAvailabilityRequest><m:MailboxDataArray>${data}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>${interval}</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>${view}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}

/** Per mailbox, in order: the view's name and its subjects, or the reason in brackets of its error. */
export function told(text: string): string[] {
  return text
    .split("<m:FreeBusyResponse>")
    .slice(1)
    .map((entry) => {
      const reason = /\[([a-z-]+)\]<\/m:MessageText>/.exec(entry)?.[1];
      if (reason !== undefined) return reason;
      const subjects = [...entry.matchAll(/<t:Subject>([^<]*)</g)].map((match) => match[1]);
      return [/<t:FreeBusyViewType>(\w+)</.exec(entry)?.[1], ...subjects].join(" ");
    });
}
