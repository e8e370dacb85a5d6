import { execFile, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { calendarFromFile } from "../../simulators/calendar.js";
import { startSimulator } from "../../simulators/ews-simulator.js";
import {
  ask,
  authorization,
  BACKEND_PASSWORD,
  CALLER_HASH,
  PROJECT,
  question,
  type Site,
  siteConfiguration,
  startSite,
  told,
} from "../support/gateway-process.js";
import { startImpostor } from "../support/impostor.js";
import { freePort } from "../support/redis-server.js";

const MAIN = join(PROJECT, "dist/src/main.js");
let site: Site | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

function freebusy(args: string[], input = "", environment = {}): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
    child.stdin?.end(input);
  });
}

function certificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      key,
      "-out",
      cert,
    ],
    { stdio: "ignore" },
  );
  return { cert, key };
}

const shownName = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });

describe("the command line", () => {
  it("explains itself", async () => {
    expect(await freebusy(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("Usage: freebusy") });
    expect(await freebusy(["--version"])).toMatchObject({ code: 0, out: "0.1.0\n" });
  });

  it.each([[[]], [["--nonsense"]], [["dance"]], [["run"]], [["run", "now", "--config", "x"]]])(
    "ends with 2 and the usage for %j",
    async (args) => {
      expect(await freebusy(args)).toMatchObject({ code: 2, err: expect.stringContaining("Usage: freebusy") });
    },
  );

  it("ends with 2 and every problem of a wrong configuration", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "x.yaml");
    writeFileSync(file, "callers: []\nbackends: {}\n");
    const { code, err } = await freebusy(["check", "--config", file]);
    expect([code, err]).toEqual([2, expect.stringMatching(/callers[\s\S]*backends|backends[\s\S]*callers/)]);
    expect(await freebusy(["--config", "/nonexistent.yaml"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("cannot be read (ENOENT)"),
    });
  });

  it.each([
    [
      "callers",
      `signIn: { kerberos: { keytabFile: KEYTAB, host: freebusy.corp.example } }
callers: [{ name: a, principals: [a@CORP.EXAMPLE] }]
backends: { exchange: { type: ews, url: 'https://mail.corp.example/', username: svc, password: 'file:KEYTAB' } }`,
    ],
    [
      "an account",
      `callers: [{ name: a, usernames: [a], passwordHash: $argon2id$x }]
backends: { exchange: { type: ews, url: 'https://mail.corp.example/', accounts: [{ scheme: negotiate, principal: svc@CORP.EXAMPLE, keytabFile: KEYTAB }] } }`,
    ],
  ])(
    "ends with 2 and what to install when %s would need the package for Kerberos and it is not there",
    async (_, text) => {
      const folder = mkdtempSync(join(tmpdir(), "config-"));
      const [file, keytab, without] = [join(folder, "x.yaml"), join(folder, "x.keytab"), join(folder, "without.cjs")];
      writeFileSync(keytab, "key");
      writeFileSync(file, text.replaceAll("KEYTAB", keytab));
      // As if it had not been installed, wherever the tests run.
      writeFileSync(
        without,
        `const Module = require("node:module");
const found = Module._resolveFilename;
Module._resolveFilename = (name, ...more) => {
  if (name === "kerberos") throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
  return found(name, ...more);
};`,
      );
      const { code, err } = await freebusy(["check", "--config", file], "", { NODE_OPTIONS: `--require=${without}` });
      expect([code, err]).toEqual([2, expect.stringContaining("npm install kerberos")]);
    },
  );

  it("hashes a password so that it can sign in", async () => {
    const { out } = await freebusy(["hash-password"], "demo\n");
    expect(out).toMatch(/^\$argon2id\$/);
    site = await startSite((text) =>
      text.replace(
        "passwordHash: 'env:CALLER_HASH', maximumView: Detailed",
        `passwordHash: '${out.trim()}', maximumView: Detailed`,
      ),
    );
    expect((await site.ask(["alice@corp.example"])).status).toBe(200);
  });
});

describe("the process", () => {
  it("on SIGTERM finishes what is under way, then ends with 0", async () => {
    // With time to spare for a busy machine: what is tested is that nobody is dropped.
    site = await startSite((text) =>
      text
        .replace("timeBudgetSeconds: 3", "timeBudgetSeconds: 18")
        .replaceAll("timeoutSeconds: 1.5", "timeoutSeconds: 15"),
    );
    site.exchange.behaviour.latencyMs = 700;
    // Ten days, as many as there are connections, so that no question is served by another's answer; WorkMail answers at once, Exchange is waited for.
    const days = Array.from({ length: 10 }, (_, i) => `2026-08-${String(i + 1).padStart(2, "0")}`);
    const under = days.map((day) =>
      site?.ask(["alice@corp.example", "bob@corp.example"], { start: `${day}T08:00:00`, end: `${day}T18:00:00` }),
    );
    await vi.waitFor(() => expect(site?.workmail.asked.length).toBe(10), 5000);
    const code = site.gateway.stop();
    // Some who stop a process tell it and its group.
    site.gateway.process.kill("SIGTERM");
    for (const answer of await Promise.all(under))
      expect(told(answer?.text ?? "")).toEqual([
        expect.stringMatching(/^Detailed/),
        expect.stringMatching(/^Detailed/),
      ]);
    expect(await code).toBe(0);
  });

  it("on SIGTERM while it is still getting ready ends with 0, also as the first process of a container", async () => {
    // Takes connections, and says nothing: its directory is waited for.
    let tell = () => {};
    const connected = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const silent = await startImpostor(tell);
    onTestFinished(() => silent.close());
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "x.yaml");
    writeFileSync(
      file,
      `${siteConfiguration("http://127.0.0.1:1/", "http://127.0.0.1:1/").replaceAll(/LISTEN_PORT|MANAGEMENT_PORT/g, "0")}
directories:
  - { type: ldap, backend: exchange, url: 'ldap://${silent.host}:${silent.port}', bindDn: 'cn=x', password: 'env:BACKEND_PASSWORD', baseDn: 'dc=corp', allowPlainLdap: true }
`,
    );
    const child = spawn(process.execPath, [MAIN, "--config", file], {
      env: { ...process.env, CALLER_HASH, BACKEND_PASSWORD },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
    await connected;
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(output).toContain('"why":"SIGTERM","msg":"ended before it was ready"');
  });

  it("on SIGHUP begins an audit file anew that was moved away", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "audit-")), "audit.log");
    site = await startSite((configuration) => `${configuration}\naudit: { to: { file: '${file}' } }\n`);
    const people = (name: string) =>
      existsSync(name)
        ? [...readFileSync(name, "utf8").matchAll(/"(\w+)@corp\.example","detail"/g)].map(([, who]) => who)
        : [];
    await site.ask(["alice@corp.example"]);
    await vi.waitFor(() => expect(people(file)).toEqual(["alice"]));
    renameSync(file, `${file}.1`);
    site.gateway.process.kill("SIGHUP");
    await vi.waitFor(() => expect(existsSync(file)).toBe(true), 10_000);
    await site.ask(["bob@corp.example"]);
    await vi.waitFor(() => expect(people(file)).toEqual(["bob"]));
    expect(people(`${file}.1`)).toEqual(["alice"]);
  });

  it("after an exception that nobody caught answers what is under way, says where it was thrown, and ends with 1", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "mistake-")), "mistake.mjs");
    writeFileSync(file, "process.once('SIGUSR2', () => JSON.parse('Board meeting'));");
    site = await startSite((same) => same, { NODE_OPTIONS: `--import=${file}` });
    site.exchange.behaviour.latencyMs = 700;
    const under = site.ask(["alice@corp.example", "bob@corp.example"]);
    await vi.waitFor(() => expect(site?.workmail.asked.length).toBe(1), 5000);
    const ended = new Promise((resolve) => site?.gateway.process.once("exit", resolve));
    site.gateway.process.kill("SIGUSR2");
    expect(told((await under).text)).toEqual([expect.stringMatching(/^Detailed/), expect.stringMatching(/^Detailed/)]);
    expect(await ended).toBe(1);
    const line = site.gateway
      .output()
      .split("\n")
      .find((words) => words.includes("nobody caught"));
    expect(JSON.parse(line ?? "")).toMatchObject({
      level: 60,
      error: "SyntaxError",
      at: expect.arrayContaining([expect.stringContaining("JSON.parse")]),
    });
    expect(site.gateway.output()).not.toContain("Board");
  });

  it.runIf(existsSync("/dev/full"))(
    "answers, and ends when it is told to, while its log cannot be written",
    async () => {
      site = await startSite();
      const [port, management] = [await freePort("127.0.0.1"), await freePort("127.0.0.1")];
      const file = join(mkdtempSync(join(tmpdir(), "config-")), "x.yaml");
      const text = siteConfiguration(site.exchange.url, site.workmail.url);
      writeFileSync(file, text.replace("LISTEN_PORT", String(port)).replace("MANAGEMENT_PORT", String(management)));
      const full = openSync("/dev/full", "w");
      const child = spawn(process.execPath, [MAIN, "--config", file], {
        env: { ...process.env, CALLER_HASH, BACKEND_PASSWORD },
        stdio: ["ignore", full, "inherit"],
      });
      closeSync(full);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      onTestFinished(() => void child.kill("SIGKILL"));
      const url = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
      const asked = async () => (await ask(url, ["alice@corp.example"])).text;
      await vi.waitFor(async () => expect(told(await asked())).toEqual([expect.stringMatching(/^Detailed/)]), 10_000);
      // Longer than a line waits for others.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(told(await asked())).toEqual([expect.stringMatching(/^Detailed/)]);
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
    },
  );

  it("answers while nobody reads its standard output, where its audit log goes, whose lines are all whole when somebody does", async () => {
    const [port, management] = [await freePort("127.0.0.1"), await freePort("127.0.0.1")];
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "x.yaml");
    const text = siteConfiguration("http://127.0.0.1:1/", "http://127.0.0.1:1/");
    writeFileSync(
      file,
      `${text.replace("LISTEN_PORT", String(port)).replace("MANAGEMENT_PORT", String(management))}audit: { to: stdout }\n`,
    );
    const child = spawn(process.execPath, [MAIN, "--config", file], {
      env: { ...process.env, CALLER_HASH, BACKEND_PASSWORD },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const url = `http://127.0.0.1:${port}/EWS/Exchange.asmx`;
    await vi.waitFor(() => fetch(url), 10_000);
    // A megabyte of lines: several times what a pipe holds.
    const many = Array.from({ length: 100 }, (_, i) => `${"x".repeat(300)}${i}@nowhere.example`);
    for (let i = 0; i < 12; i++) expect((await ask(url, many)).status).toBe(200);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const audited = () => output.split("\n").filter((line) => line.includes('"kind":"audit"'));
    await vi.waitFor(() => expect(audited().length).toBe(12), 10_000);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    for (const line of output.trimEnd().split("\n")) JSON.parse(line);
    expect(new Set(audited().map((line) => JSON.parse(line).id)).size).toBe(12);
  });

  it("goes on answering for one system while the other is killed, and again for both when it is back", async () => {
    site = await startSite((text) => `${text}cache: { viewSeconds: 0 }\n`);
    const both = ["alice@corp.example", "bob@corp.example"];
    expect(told((await site.ask(both)).text)).toEqual([
      expect.stringMatching(/^Detailed/),
      expect.stringMatching(/^Detailed/),
    ]);
    const { port } = site.exchange;
    await site.exchange.close();
    for (let i = 0; i < 20; i++)
      expect(told((await site.ask(both)).text)).toEqual([
        // After five failures in a row it is only tried now and then.
        i < 5 ? "backend-unreachable" : expect.stringMatching(/^backend-(circuit-open|unreachable)$/),
        expect.stringMatching(/^Detailed/),
      ]);
    const revived = await startSimulator({
      style: "exchange",
      port,
      calendar: calendarFromFile(join(PROJECT, "simulators/demo-calendar.yaml"), "exchange"),
      accounts: [{ username: "CORP\\svc", password: BACKEND_PASSWORD }],
    });
    const { ask } = site;
    await expect
      .poll(async () => told((await ask(both)).text), { timeout: 10_000 })
      .toEqual([expect.stringMatching(/^Detailed/), expect.stringMatching(/^Detailed/)]);
    await revived.close();
  });

  it("asks a backend that knows only Exchange 2007 once more in its language, and remembers it", async () => {
    site = await startSite();
    const old = await startSimulator({
      style: "workmail",
      acceptedVersions: ["Exchange2007_SP1"],
      calendar: calendarFromFile(join(PROJECT, "simulators/demo-calendar.yaml"), "workmail"),
      accounts: [{ username: "svc@corp.example", password: BACKEND_PASSWORD }],
    });
    const before = site.workmail.url;
    await site.close();
    site = await startSite((text) => text.replace(/(workmail: \{ type: workmail, url: ')[^']+/, `$1${old.url}`));
    expect(before).not.toBe(old.url);
    const { ask: asked } = site;
    const about = async (day: string) =>
      told((await asked(["bob@corp.example"], { start: `2026-07-${day}T00:00:00`, end: "2026-07-20T00:00:00" })).text);
    // Two at once: one of them learns it while the other one's first question is still under way.
    for (const answer of [...(await Promise.all([about("13"), about("10")])), await about("06")]) {
      expect(answer).toEqual([expect.stringMatching(/^Detailed/)]);
    }
    expect(old.asked.map(({ version }) => version).sort()).toEqual([
      ...["Exchange2007_SP1", "Exchange2007_SP1", "Exchange2007_SP1"],
      ...["Exchange2010_SP2", "Exchange2010_SP2"],
    ]);
    await old.close();
  });

  it("says on a port in use what to do, and ends with 1", async () => {
    site = await startSite();
    const text = siteText(site.gateway.port);
    const file = join(mkdtempSync(join(tmpdir(), "config-")), "x.yaml");
    writeFileSync(file, text);
    expect(await freebusy(["--config", file])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is in use\. Stop what listens there/),
    });
  });

  it("serves TLS, and shows a renewed certificate without a restart; a pair that does not fit changes nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tls-"));
    const first = certificate(folder, "first");
    site = await startSite((text) =>
      text.replace(
        "listen: { port: LISTEN_PORT",
        `listen: { port: LISTEN_PORT, tls: { certFile: '${first.cert}', keyFile: '${first.key}', checkSeconds: 0.2 }`,
      ),
    );
    const { port } = site.gateway;
    expect(await shownName(port)).toBe("first");
    const metrics = await (await fetch(`${site.gateway.management}/metrics`)).text();
    const [, left] = /^freebusy_certificate_expires_seconds\{listener="ews"\} (\S+)$/m.exec(metrics) ?? [];
    expect(Number(left) / 86_400).toBeGreaterThan(1.9);
    expect(Number(left) / 86_400).toBeLessThanOrEqual(2);
    const status = await new Promise((resolve, reject) => {
      const call = request(
        {
          port,
          host: "127.0.0.1",
          path: "/EWS/Exchange.asmx",
          method: "POST",
          rejectUnauthorized: false,
          headers: { "content-type": "text/xml", authorization: authorization() },
        },
        (reply) => resolve(reply.resume().statusCode),
      );
      call.on("error", reject).end(question(["alice@corp.example"]));
    });
    expect(status).toBe(200);
    const second = certificate(folder, "second");
    writeFileSync(first.key, "not a key");
    await vi.waitFor(() => expect(site?.gateway.output()).toContain("do not fit"), 5000);
    expect(await shownName(port)).toBe("first");
    renameSync(second.cert, first.cert);
    renameSync(second.key, first.key);
    await vi.waitFor(async () => expect(await shownName(port)).toBe("second"), 5000);
  });
});

describe("openapi.yaml", () => {
  const discovery = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsRequestMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"/></s:Body></s:Envelope>`;
  type Operation = { responses: Record<string, { content?: Record<string, unknown> }> };
  const document = parse(readFileSync(join(PROJECT, "openapi.yaml"), "utf8")) as {
    paths: Record<string, Record<string, Operation>>;
  };

  it("is valid OpenAPI", async () => {
    expect((await new Validator().validate(document)).errors ?? []).toEqual([]);
  });

  it("describes what the running gateway serves: every documented answer is given, with its content type", async () => {
    const published = "autodiscover: { url: 'https://freebusy.corp.example/EWS/Exchange.asmx' }\n";
    site = await startSite(
      (text) =>
        text
          .replace("maximumView: MergedOnly", "maximumView: MergedOnly, freeBusyUrls: true")
          .replace(
            "management: { port: MANAGEMENT_PORT }",
            "management: { port: MANAGEMENT_PORT, console: { username: admin, passwordHash: 'env:CALLER_HASH' } }",
          ) + published,
    );
    const { gateway } = site;
    const seen: [string, string, number, string][] = [];
    const call = async (path: string, method: string, base: string, init: RequestInit = {}) => {
      const reply = await fetch(`${base}${path}`, { method, ...init });
      seen.push([
        path
          .replace(/\?.*/, "")
          .replace(/^\/routes\/.+/, "/routes/{address}")
          .replace(/^\/v1\/freebusy\/.+\.ifb$/, "/v1/freebusy/{address}.ifb")
          .replace(/^\/reasons\/.+/, "/reasons/{id}"),
        method.toLowerCase(),
        reply.status,
        (reply.headers.get("content-type") ?? "").split(";")[0] as string,
      ]);
      await reply.arrayBuffer();
    };
    const ews = gateway.url.replace("/EWS/Exchange.asmx", "");
    const xml = { "content-type": "text/xml", authorization: authorization() };
    await call("/EWS/Exchange.asmx", "POST", ews, { headers: xml, body: question(["alice@corp.example"]) });
    await call("/EWS/Exchange.asmx", "POST", ews, { headers: xml, body: "<x/>" });
    await call("/EWS/Exchange.asmx", "POST", ews, { headers: { "content-type": "text/xml" }, body: "x" });
    await call("/EWS/Exchange.asmx", "POST", ews, { headers: { ...xml, "content-type": "text/plain" }, body: "x" });
    await call("/EWS/Exchange.asmx", "POST", ews, { headers: xml, body: "x".repeat(600_000) });
    await call("/EWS/Exchange.asmx", "GET", ews, { headers: { authorization: authorization() } });
    await call("/EWS/Exchange.asmx", "GET", ews);
    await lookUps((path, method, init) => call(path, method, ews, init));
    for (const path of ["/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"]) {
      await call(path, "GET", ews, { headers: { authorization: authorization() } });
      await call(path, "GET", ews);
      await call(path, "POST", ews, { headers: xml, body: path.endsWith("svc") ? discovery : "<x/>" });
      if (path.endsWith("svc")) await call(path, "POST", ews, { headers: xml, body: "<x/>" });
      await call(path, "POST", ews, { headers: { "content-type": "text/xml" }, body: "x" });
      await call(path, "POST", ews, { headers: { ...xml, "content-type": "text/plain" }, body: "x" });
      await call(path, "POST", ews, { headers: xml, body: "x".repeat(70_000) });
    }
    for (const file of ["services.wsdl", "messages.xsd", "types.xsd"]) {
      await call(`/EWS/${file}`, "GET", ews, { headers: { authorization: authorization() } });
      await call(`/EWS/${file}`, "GET", ews);
    }
    const json = { ...xml, "content-type": "application/json" };
    await call("/cap", "POST", ews, { headers: json, body: '{"mailboxes":[]}' });
    await call("/cap", "POST", ews, { headers: json, body: "{" });
    await call("/cap", "POST", ews, { headers: { "content-type": "application/json" }, body: "{}" });
    await call("/cap", "POST", ews, { headers: json, body: `"${"x".repeat(600_000)}"` });
    await call("/cap", "POST", ews, { headers: xml, body: "<x/>" });
    await call("/cap", "GET", ews, { headers: { authorization: authorization() } });
    await call("/cap", "GET", ews);
    for (const path of [
      "/healthz",
      "/readyz",
      "/readyz?backend=nobody",
      "/metrics",
      "/routes/alice@corp.example?as=workmail",
      "/routes/alice@corp.example?as=lotus",
      "/reasons/backend-timeout",
      "/reasons/no-such-reason",
    ])
      await call(path, "GET", gateway.management);
    await call("/purge?mailbox=alice@corp.example", "POST", gateway.management);
    await call("/purge", "POST", gateway.management);
    await call("/purge?all", "POST", gateway.management, { headers: { origin: "https://evil.example" } });
    const admin = { authorization: authorization("admin") };
    for (const path of ["/console", "/console/recent", "/console/reasons", "/console/lookup"]) {
      await call(path, "GET", gateway.management, { headers: admin });
      await call(path, "GET", gateway.management);
    }
    const form = (headers: Record<string, string>, mailboxes = "alice@corp.example") =>
      call("/console/lookup", "POST", gateway.management, {
        headers,
        body: new URLSearchParams({ mailboxes, from: "2026-07-01", days: "1", as: "none", zone: "UTC" }),
      });
    const own = { ...admin, origin: gateway.management };
    await form(own);
    await form(own, "");
    await form({});
    await form({ ...admin, origin: "https://evil.example" });
    await form(own, "x".repeat(20_000));
    for (const [path, method, status, type] of seen) {
      const response = document.paths[path]?.[method]?.responses[String(status)];
      const types = type === "" ? [] : [type];
      expect([path, method, status, Object.keys(response?.content ?? {})]).toEqual([path, method, status, types]);
      expect(response).toBeDefined();
    }
    const driven = new Set(seen.map(([path, method, status]) => `${method} ${path} ${status}`));
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method} ${path} ${status}`),
      ),
    );
    expect(described.filter((answer) => !driven.has(answer)).sort()).toEqual(notDriven().sort());
  });
});

/** Answers that are described and not driven here: for each something has to be broken, too much, or not configured. */
function notDriven(): string[] {
  const all = (methods: string, paths: readonly string[]) =>
    methods.split(" ").flatMap((method) => paths.map((path) => `${method} ${path}`));
  const autodiscover = all("get post", ["/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"]);
  const ifb = "get /v1/freebusy/{address}.ifb";
  const console = [
    ...all("get", ["/console", "/console/recent", "/console/reasons"]),
    ...all("get post", ["/console/lookup"]),
  ];
  const cap = all("get post", ["/cap"]);
  const lookUp = [...all("get post", ["/v1/availability"]), ifb];
  const ews = [
    ...all("get post", ["/EWS/Exchange.asmx"]),
    ...all("get", ["/EWS/services.wsdl", "/EWS/messages.xsd", "/EWS/types.xsd"]),
  ];
  const mistakes = ["post /autodiscover/autodiscover.xml", "post /cap", ...lookUp, ...console];
  return [
    ...[...ews, ...autodiscover, ...cap, ...lookUp, ...console].flatMap((one) => [`${one} 429`, `${one} 503`]),
    ...mistakes.map((one) => `${one} 500`),
    ...autodiscover.map((one) => `${one} 404`),
    ...[`${ifb} 502`, `${ifb} 504`, "get /readyz 503"],
  ];
}

/** Every documented answer of the routes for look-ups. */
async function lookUps(call: (path: string, method: string, init?: RequestInit) => Promise<void>) {
  const headers = { authorization: authorization() };
  const json = { ...headers, "content-type": "application/json" };
  const good = "/v1/availability?mailbox=alice@corp.example&from=2026-07-01&to=2026-07-02";
  await call(good, "GET", { headers });
  await call(good, "GET", { headers: { ...headers, "if-none-match": "*" } });
  await call("/v1/availability", "GET", { headers });
  await call(good, "GET");
  const body = JSON.stringify({ mailboxes: ["alice@corp.example"], from: "2026-07-01", to: "2026-07-02" });
  await call("/v1/availability", "POST", { headers: json, body });
  await call("/v1/availability", "POST", { headers: json, body: "{}" });
  await call("/v1/availability", "POST", { body });
  await call("/v1/availability", "POST", { headers: json, body: "x".repeat(600_000) });
  await call("/v1/availability", "POST", { headers: { ...headers, "content-type": "text/plain" }, body });
  const slots = { authorization: authorization("slots@corp.example") };
  await call("/v1/freebusy/alice@corp.example.ifb", "GET", { headers });
  await call("/v1/freebusy/alice@corp.example.ifb", "GET", { headers: slots });
  await call("/v1/freebusy/alice@corp.example.ifb", "GET", { headers: { ...slots, "if-none-match": "*" } });
  await call("/v1/freebusy/alice@corp.example.ifb?from=x", "GET", { headers: slots });
  await call("/v1/freebusy/nobody@corp.example.ifb", "GET", { headers: slots });
  await call("/v1/freebusy/alice@corp.example.ifb", "GET");
}

function siteText(port: number): string {
  return `listen: { port: ${port} }
management: { port: 0 }
callers: [{ name: a, usernames: [a], passwordHash: $argon2id$x }]
backends: { exchange: { type: ews, url: 'https://127.0.0.1:1/', username: svc, password: 'file:${MAIN}' } }
`;
}
