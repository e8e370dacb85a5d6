/**
 * Measures the gateway as a process between processes, against named references in the
 * same run, and prints ratios. `npm run bench`. See bench/README.md for what each row means.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashSync } from "@node-rs/argon2";
import autocannon from "autocannon";
import { Agent, request } from "undici";
import { stringify } from "yaml";

const DIST = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bench-"));
const children: ChildProcess[] = [];
const AUTHORIZATION = `Basic ${Buffer.from("client@corp.example:demo").toString("base64")}`;
const BACKEND = `Basic ${Buffer.from("svc:bench").toString("base64")}`;
const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const RULE =
  "<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>1</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>";

function question(count: number, days: number): string {
  const data = Array.from(
    { length: count },
    (_, i) =>
      `<t:MailboxData><t:Email><t:Address>p${i}@corp.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`,
  ).join("");
  return `<s:Envelope ${NAMESPACES}><s:Header><t:RequestServerVersion Version="Exchange2013"/></s:Header><s:Body><m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>${RULE}</t:StandardTime><t:DaylightTime>${RULE}</t:DaylightTime></t:TimeZone><m:MailboxDataArray>${data}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>2026-07-06T00:00:00</t:StartTime><t:EndTime>2026-07-${String(6 + days).padStart(2, "0")}T00:00:00</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>Detailed</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a script and resolves when a port answers; its output goes to a file, as it would in production. */
async function start(
  script: string,
  args: string[],
  port: number,
  environment: Record<string, string> = {},
): Promise<void> {
  const log = openSync(join(folder, `${port}.log`), "a");
  children.push(
    spawn(process.execPath, [join(DIST, script), ...args], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", log, log],
    }),
  );
  for (let i = 0; i < 100; i++) {
    try {
      await request(`http://127.0.0.1:${port}/`).then(({ body }) => body.dump());
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`${script} did not start; see ${folder}`);
}

async function startGateway(simulator: number, viewSeconds: number): Promise<string> {
  const port = await freePort();
  const file = join(folder, `${port}.yaml`);
  writeFileSync(
    file,
    stringify({
      listen: { port },
      management: { port: await freePort() },
      cache: { viewSeconds },
      callers: [
        { name: "client", usernames: ["client@corp.example"], passwordHash: "env:HASH", maximumView: "Detailed" },
      ],
      backends: {
        exchange: {
          type: "ews",
          url: `http://127.0.0.1:${simulator}/EWS/Exchange.asmx`,
          username: "svc",
          password: "env:SECRET",
          allowPlainHttp: true,
        },
      },
      addressSpaces: [{ domain: "corp.example", backend: "exchange" }],
    }),
  );
  await start("src/main.js", ["--config", file], port, { HASH: hashSync("demo"), SECRET: "bench" });
  return `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
}

const agent = new Agent({ connections: 1 });
async function ask(url: string, authorization: string, body: string): Promise<{ ms: number; text: string }> {
  const started = performance.now();
  const answer = await request(url, {
    method: "POST",
    dispatcher: agent,
    headers: { authorization, "content-type": "text/xml; charset=utf-8" },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}: ${text.slice(0, 300)}`);
  return { ms: performance.now() - started, text };
}

const sorted = (list: number[]) => [...list].sort((a, b) => a - b);
const quantile = (list: number[], q: number) =>
  sorted(list)[Math.min(list.length - 1, Math.floor(list.length * q))] as number;
const median = (list: number[]) => quantile(list, 0.5);

/** One after the other, in turn, so that a machine that drifts drifts under both. */
async function paired(rounds: number, first: () => Promise<{ ms: number }>, second: () => Promise<{ ms: number }>) {
  const [a, b]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds + 20; i++) {
    const [one, two] = [(await first()).ms, (await second()).ms];
    if (i >= 20) {
      a.push(one);
      b.push(two);
    }
  }
  return [a, b] as const;
}

/** Requests a second, each connection sending the bodies in turn. */
async function throughput(url: string, ...bodies: string[]): Promise<number> {
  // The client is much faster with a single body, so it gets one where there is one.
  const [first] = bodies;
  const sent =
    bodies.length === 1 && first !== undefined
      ? { body: first }
      : { requests: bodies.map((body) => ({ method: "POST" as const, body })) };
  const result = await autocannon({
    url,
    method: "POST",
    connections: 16,
    duration: 4,
    headers: { authorization: AUTHORIZATION, "content-type": "text/xml; charset=utf-8" },
    ...sent,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} bad answers, ${result.errors} errors`);
  return result.requests.average;
}

const rows: [what: string, figure: string, ratio: string, wanted: string][] = [];
try {
  const simulator = await freePort();
  const calendar = join(folder, "calendar.yaml");
  const events = Array.from({ length: 20 }, (_, i) => ({
    start: `2026-07-${String(6 + Math.floor(i / 4)).padStart(2, "0")}T${String(8 + 2 * (i % 4)).padStart(2, "0")}:00:00`,
    end: `2026-07-${String(6 + Math.floor(i / 4)).padStart(2, "0")}T${String(9 + 2 * (i % 4)).padStart(2, "0")}:00:00`,
    busy: "Busy",
    subject: `Meeting ${i} about something`,
    location: "Room 1",
  }));
  writeFileSync(
    calendar,
    stringify(
      { exchange: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}@corp.example`, { events }])) },
      { aliasDuplicateObjects: false },
    ),
  );
  await start(
    "simulators/main.js",
    [
      "--style",
      "exchange",
      "--calendar",
      calendar,
      "--user",
      "svc",
      "--password-env",
      "SECRET",
      "--port",
      String(simulator),
    ],
    simulator,
    { SECRET: "bench" },
  );
  const direct = `http://127.0.0.1:${simulator}/EWS/Exchange.asmx`;
  const cached = await startGateway(simulator, 3600);
  const uncached = await startGateway(simulator, 0);

  const single = question(1, 1);
  const { text } = await ask(cached, AUTHORIZATION, single);
  writeFileSync(join(folder, "answer.xml"), text);
  const reference = await freePort();
  await start("bench/reference-server.js", [String(reference), join(folder, "answer.xml"), AUTHORIZATION], reference);
  const bare = `http://127.0.0.1:${reference}/EWS/Exchange.asmx`;
  await throughput(bare, single);
  await throughput(cached, single);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < 3; i++) {
    theirs.push(await throughput(bare, single));
    ours.push(await throughput(cached, single));
  }
  const rate = median(ours.map((one, i) => one / (theirs[i] as number)));
  rows.push([
    "cached, 1 mailbox, requests/s against a bare fastify route",
    `${Math.round(median(ours))} / ${Math.round(median(theirs))}`,
    `${rate.toFixed(2)}×`,
    "≥ 0.60×",
  ]);

  // A thousand questions in turn, more than are remembered in decoded form: what decoding costs.
  const many = Array.from({ length: 1000 }, (_, i) =>
    single.replace(
      "2026-07-06T00:00:00",
      `2026-07-06T00:${String(i % 60).padStart(2, "0")}:${String(Math.floor(i / 60)).padStart(2, "0")}`,
    ),
  );
  const [bareMany, oursMany] = [await throughput(bare, ...many), await throughput(cached, ...many)];
  rows.push([
    "  the same, a thousand different questions in turn",
    `${Math.round(oursMany)} / ${Math.round(bareMany)}`,
    `${(oursMany / bareMany).toFixed(2)}×`,
    "",
  ]);

  const [d1, g1] = await paired(
    400,
    () => ask(direct, BACKEND, single),
    () => ask(uncached, AUTHORIZATION, single),
  );
  rows.push([
    "uncached, 1 mailbox, median ms against asking directly",
    `${median(g1).toFixed(2)} / ${median(d1).toFixed(2)}`,
    `+${(median(g1) - median(d1)).toFixed(2)} ms`,
    "≤ +1.50 ms",
  ]);
  rows.push([
    "  the same, 99th percentile",
    `${quantile(g1, 0.99).toFixed(2)} / ${quantile(d1, 0.99).toFixed(2)}`,
    `+${(quantile(g1, 0.99) - quantile(d1, 0.99)).toFixed(2)} ms`,
    "",
  ]);

  const hundred = question(100, 5);
  const [d100, g100] = await paired(
    40,
    () => ask(direct, BACKEND, hundred),
    () => ask(uncached, AUTHORIZATION, hundred),
  );
  rows.push([
    "100 mailboxes × 20 events, median ms against asking directly",
    `${median(g100).toFixed(1)} / ${median(d100).toFixed(1)}`,
    `${(median(g100) / median(d100)).toFixed(2)}×`,
    "≤ 1.50×",
  ]);

  const [b100, c100] = await paired(
    40,
    () => ask(bare, AUTHORIZATION, hundred),
    () => ask(cached, AUTHORIZATION, hundred),
  );
  rows.push([
    "100 mailboxes × 20 events, from the cache, median ms (bare route: one small answer)",
    `${median(c100).toFixed(1)} / ${median(b100).toFixed(1)}`,
    "",
    "",
  ]);
} finally {
  await agent.close();
  for (const child of children) child.kill();
}

process.stdout.write(
  `\nNode ${process.version}\n\n| what | gateway / reference | ratio | wanted |\n| --- | --- | --- | --- |\n`,
);
for (const row of rows) process.stdout.write(`| ${row.join(" | ")} |\n`);
