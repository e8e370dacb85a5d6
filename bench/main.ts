/**
 * Measures the gateway as a process between processes, against named references in the
 * same run, and prints ratios. `npm run bench`. See bench/README.md for what each row means.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { hashSync } from "@node-rs/argon2";
import autocannon from "autocannon";
import { Agent, request } from "undici";
import { stringify } from "yaml";

const DIST = fileURLToPath(new URL("../", import.meta.url));
/** What is measured has the first core to itself, everything else the others, where the machine lets us say so. */
const pins = existsSync("/usr/bin/taskset") && availableParallelism() > 1;
const hasWrk = existsSync("/usr/bin/wrk");
if (pins)
  execFileSync("taskset", ["-a", "-p", "-c", `1-${availableParallelism() - 1}`, String(process.pid)], {
    stdio: "ignore",
  });
const folder = mkdtempSync(join(tmpdir(), "bench-"));
const children: ChildProcess[] = [];
const AUTHORIZATION = `Basic ${Buffer.from("client@corp.example:demo").toString("base64")}`;
const BACKEND = `Basic ${Buffer.from("svc:bench").toString("base64")}`;
const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const RULE =
  "<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>1</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>";

function question(count: number, days: number, view = "Detailed"): string {
  const data = Array.from(
    { length: count },
    (_, i) =>
      `<t:MailboxData><t:Email><t:Address>p${i}@corp.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`,
  ).join("");
  return `<s:Envelope ${NAMESPACES}><s:Header><t:RequestServerVersion Version="Exchange2013"/></s:Header><s:Body><m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>${RULE}</t:StandardTime><t:DaylightTime>${RULE}</t:DaylightTime></t:TimeZone><m:MailboxDataArray>${data}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>2026-07-06T00:00:00</t:StartTime><t:EndTime>2026-07-${String(6 + days).padStart(2, "0")}T00:00:00</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>${view}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
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
  measured = false,
): Promise<ChildProcess> {
  const log = openSync(join(folder, `${port}.log`), "a");
  const command = [process.execPath, join(DIST, script), ...args];
  const [program, ...rest] = (pins && measured ? ["taskset", "-c", "0", ...command] : command) as [string, ...string[]];
  const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ["ignore", log, log] });
  children.push(child);
  for (let i = 0; i < 100; i++) {
    try {
      await request(`http://127.0.0.1:${port}/`).then(({ body }) => body.dump());
      return child;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`${script} did not start; see ${folder}`);
}

async function startGateway(simulator: number, viewSeconds: number): Promise<{ url: string; child: ChildProcess }> {
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
  const secrets = { HASH: hashSync("demo"), SECRET: "bench" };
  const child = await start("src/main.js", ["--config", file], port, secrets, true);
  return { url: `http://127.0.0.1:${port}/EWS/Exchange.asmx`, child };
}

/** A proxy of the gateway's own libraries that looks at nothing, on the core of what is measured. */
async function startPassing(upstream: string): Promise<string> {
  const port = await freePort();
  await start("bench/passing-server.js", [String(port), upstream, BACKEND], port, {}, true);
  return `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
}

/** nginx as a plain proxy to the simulator, on the core of what is measured. Undefined where it is not installed. */
async function startNginx(simulator: number): Promise<string | undefined> {
  if (!existsSync("/usr/sbin/nginx")) return undefined;
  const port = await freePort();
  const prefix = join(folder, "nginx");
  mkdirSync(prefix);
  const file = join(prefix, "nginx.conf");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${prefix}/${name};`)
    .join(" ");
  writeFileSync(
    file,
    `daemon off; pid ${prefix}/pid; error_log ${prefix}/error.log; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; ${paths}
  upstream simulator { server 127.0.0.1:${simulator}; keepalive 32; }
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000;
    location / { proxy_pass http://simulator; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
`,
  );
  const command = ["/usr/sbin/nginx", "-p", prefix, "-c", file];
  const [program, ...rest] = (pins ? ["taskset", "-c", "0", ...command] : command) as [string, ...string[]];
  children.push(spawn(program, rest, { stdio: "ignore" }));
  const url = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
  for (let i = 0; i < 50; i++) {
    try {
      await request(url).then(({ body }) => body.dump());
      return url;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`nginx did not start; see ${prefix}`);
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

/** Rounds that do not count: everybody's code is compiled while it runs. */
const WARM_UP = 100;

type Ask = () => Promise<{ ms: number }>;

/** One after the other, in turn, so that a machine that drifts drifts under all of them. */
async function paired<Asks extends readonly Ask[]>(rounds: number, ...asks: Asks) {
  const taken = asks.map((): number[] => []);
  for (let i = 0; i < rounds + WARM_UP; i++) {
    for (const [j, ask] of asks.entries()) {
      const { ms } = await ask();
      if (i >= WARM_UP) taken[j]?.push(ms);
    }
  }
  return taken as { [Each in keyof Asks]: number[] };
}

/** Requests a second, each connection sending the bodies in turn; with wrk where it is installed, because it costs least. */
async function throughput(url: string, authorization: string, ...bodies: string[]): Promise<number> {
  return hasWrk ? withWrk(url, authorization, bodies, 0) : withAutocannon(url, authorization, bodies);
}

const run = promisify(execFile);

/** `pauseMs`: so long each connection rests after an answer. */
async function withWrk(
  url: string,
  authorization: string,
  bodies: readonly string[],
  pauseMs: number,
): Promise<number> {
  const script = join(folder, "wrk.lua");
  const quoted = bodies.map((body) => `[==[${body}]==]`).join(",\n");
  const next = `local n = 0\nrequest = function() n = n % #bodies + 1; return wrk.format("POST", nil, nil, bodies[n]) end`;
  writeFileSync(
    script,
    `wrk.headers["Content-Type"] = "text/xml; charset=utf-8"\nwrk.headers["Authorization"] = "${authorization}"\nlocal bodies = {${quoted}}\n` +
      (pauseMs === 0 ? "" : `delay = function() return ${pauseMs} end\n`) +
      (bodies.length === 1 ? `wrk.method = "POST"\nwrk.body = bodies[1]\n` : next),
  );
  const { stdout } = await run("wrk", ["-t1", "-c32", "-d4s", "--timeout", "10s", "-s", script, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

async function withAutocannon(url: string, authorization: string, bodies: readonly string[]): Promise<number> {
  // The client is much faster with a single body, so it gets one where there is one.
  const [first] = bodies;
  const sent =
    bodies.length === 1 && first !== undefined
      ? { body: first }
      : { requests: bodies.map((body) => ({ method: "POST" as const, body })) };
  const result = await autocannon({
    url,
    method: "POST",
    connections: 32,
    duration: 4,
    headers: { authorization, "content-type": "text/xml; charset=utf-8" },
    ...sent,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} bad answers, ${result.errors} errors`);
  return result.requests.average;
}

/** Processor time of a process's main thread so far, in microseconds; undefined where the system does not tell. */
function processorTime({ pid }: ChildProcess): number | undefined {
  const file = `/proc/${pid}/task/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const [user, system] = (readFileSync(file, "utf8").split(") ")[1] as string).split(" ").slice(11, 13).map(Number);
  return ((user as number) + (system as number)) * 10_000;
}

interface Server {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Requests a second, and what one takes of the server's core in microseconds. */
async function costing(server: Server, measured: () => Promise<number>) {
  const before = processorTime(server.child);
  const rate = await measured();
  const after = processorTime(server.child);
  const cost = before === undefined || after === undefined ? undefined : (after - before) / (rate * 4);
  return { rate, cost };
}

type Measured = Awaited<ReturnType<typeof costing>>;
type Pair = { readonly ours: Measured; readonly theirs: Measured };

const PAIRS = 5;

async function inTurn(
  measured: (server: Server) => Promise<Measured>,
  { bare, cached }: { readonly bare: Server; readonly cached: Server },
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < PAIRS; i++) pairs.push({ theirs: await measured(bare), ours: await measured(cached) });
  return pairs;
}

/** With 32 connections more than ten thousand requests a second, which either server bears with ease. */
const RESTS_MS = 2;

const rows: [what: string, figure: string, ratio: string, wanted: string][] = [];

function addDifference(what: string, ours: number, theirs: number, wanted = ""): void {
  rows.push([what, `${ours.toFixed(2)} / ${theirs.toFixed(2)}`, `+${(ours - theirs).toFixed(2)} ms`, wanted]);
}

function addTimes(what: string, ours: number, theirs: number, wanted = ""): void {
  rows.push([what, `${ours.toFixed(1)} / ${theirs.toFixed(1)}`, `${(ours / theirs).toFixed(2)}×`, wanted]);
}

function addCosts(what: string, pairs: readonly Pair[]): void {
  const [ours, theirs] = [
    pairs.flatMap((pair) => pair.ours.cost ?? []),
    pairs.flatMap((pair) => pair.theirs.cost ?? []),
  ];
  if (ours.length === 0) return;
  const [mine, bare] = [median(ours), median(theirs)];
  rows.push([what, `${mine.toFixed(1)} / ${bare.toFixed(1)}`, `${(bare / mine).toFixed(2)}×`, ""]);
}
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
  const { text } = await ask(cached.url, AUTHORIZATION, single);
  writeFileSync(join(folder, "answer.xml"), text);
  const port = await freePort();
  const answerFile = join(folder, "answer.xml");
  const reference = await start("bench/reference-server.js", [String(port), answerFile, AUTHORIZATION], port, {}, true);
  const bare = { url: `http://127.0.0.1:${port}/EWS/Exchange.asmx`, child: reference };
  const asFastAsTheyCan = (server: Server) => costing(server, () => throughput(server.url, AUTHORIZATION, single));
  await asFastAsTheyCan(bare);
  await asFastAsTheyCan(cached);
  const pairs = await inTurn(asFastAsTheyCan, { bare, cached });
  const rate = median(pairs.map(({ ours, theirs }) => ours.rate / theirs.rate));
  rows.push([
    "cached, 1 mailbox, requests/s against a bare fastify route",
    `${Math.round(median(pairs.map(({ ours }) => ours.rate)))} / ${Math.round(median(pairs.map(({ theirs }) => theirs.rate)))}`,
    `${rate.toFixed(2)}×`,
    "≥ 0.60×",
  ]);
  addCosts("  the same, µs of the main thread's processor time a request", pairs);
  if (hasWrk) {
    const atOneRate = (server: Server) => costing(server, () => withWrk(server.url, AUTHORIZATION, [single], RESTS_MS));
    const rested = await inTurn(atOneRate, { bare, cached });
    const perSecond = Math.round(median(rested.map(({ ours }) => ours.rate)) / 1_000);
    addCosts(`  the same, both at ${perSecond},000 requests a second`, rested);
  }

  // A thousand questions in turn, more than are remembered in decoded form: what decoding costs.
  const many = Array.from({ length: 1000 }, (_, i) =>
    single.replace(
      "2026-07-06T00:00:00",
      `2026-07-06T00:${String(i % 60).padStart(2, "0")}:${String(Math.floor(i / 60)).padStart(2, "0")}`,
    ),
  );
  const [bareMany, oursMany] = [
    await throughput(bare.url, AUTHORIZATION, ...many),
    await throughput(cached.url, AUTHORIZATION, ...many),
  ];
  rows.push([
    "  the same, a thousand different questions in turn",
    `${Math.round(oursMany)} / ${Math.round(bareMany)}`,
    `${(oursMany / bareMany).toFixed(2)}×`,
    "",
  ]);

  const passing = await startPassing(direct);
  const [d1, g1, p1] = await paired(
    400,
    () => ask(direct, BACKEND, single),
    () => ask(uncached.url, AUTHORIZATION, single),
    () => ask(passing, BACKEND, single),
  );
  addDifference("uncached, 1 mailbox, median ms against asking directly", median(g1), median(d1), "≤ +1.50 ms");
  addDifference("  the same, 99th percentile", quantile(g1, 0.99), quantile(d1, 0.99));
  addDifference("  what a proxy adds that only passes the bytes on", median(p1), median(d1));

  const hundred = question(100, 5);
  const [d100, g100, p100] = await paired(
    100,
    () => ask(direct, BACKEND, hundred),
    () => ask(uncached.url, AUTHORIZATION, hundred),
    () => ask(passing, BACKEND, hundred),
  );
  addTimes("100 mailboxes × 20 events, median ms against asking directly", median(g100), median(d100), "≤ 1.50×");
  addTimes("  through a proxy that only passes the bytes on", median(p100), median(d100));

  // Twenty people's week as Exchange asks it, from the cache, against a proxy that only passes the question on.
  const week = question(20, 7, "FreeBusyMerged");
  const proxied = await startNginx(simulator);
  if (proxied === undefined) rows.push(["cached, 20 mailboxes, a week: nginx is not installed", "", "", "≥ 3×"]);
  else {
    await ask(cached.url, AUTHORIZATION, week);
    const theirs = await throughput(proxied, BACKEND, week);
    const ours = await throughput(cached.url, AUTHORIZATION, week);
    rows.push([
      "cached, 20 mailboxes, FreeBusyMerged, a week, requests/s against nginx before the simulator",
      `${Math.round(ours)} / ${Math.round(theirs)}`,
      `${(ours / theirs).toFixed(1)}×`,
      "≥ 3×",
    ]);
  }

  const large = await ask(direct, BACKEND, hundred);
  const [answerOf100, questionOf100] = [join(folder, "hundred.xml"), join(folder, "hundred-question.xml")];
  writeFileSync(answerOf100, large.text);
  writeFileSync(questionOf100, hundred);
  const codec = await run(process.execPath, [join(DIST, "bench/codec.js"), answerOf100, questionOf100]);
  const { ours: codecMs, theirs: parserMs } = JSON.parse(codec.stdout) as { ours: number; theirs: number };
  addTimes(
    "100 mailboxes × 20 events, decode + encode, ms against txml merely parsing the same bytes",
    codecMs,
    parserMs,
    "≤ 2×",
  );

  const [b100, c100] = await paired(
    40,
    () => ask(bare.url, AUTHORIZATION, hundred),
    () => ask(cached.url, AUTHORIZATION, hundred),
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
