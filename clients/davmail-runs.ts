/**
 * DavMail, twice: its own free/busy question alone, which is answered; and DavMail as people
 * run it, which opens a mailbox before it asks anything. The gateway has none and pretends
 * none, so that ends there, with the gateway's own sentence in front of the user.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { BOB, type ClientRun, DAYS, type Endpoint, nextDay, scriptPath } from "./client-run.js";

const JAR = "/usr/share/davmail/davmail.jar";
const JAVA = "/usr/bin/java";
const hasDavMail = existsSync(JAR) && existsSync(JAVA);
/** A JRE has no compiler, and Java's answer to that is to be asked what it has. */
const hasCompiler =
  hasDavMail &&
  (await promisify(execFile)(JAVA, ["--list-modules"]).then(
    ({ stdout }) => stdout.includes("jdk.compiler"),
    () => false,
  ));

async function askAlone({ url, username, password }: Endpoint): Promise<unknown> {
  const [day] = DAYS;
  const window = [`${day}T00:00:00Z`, `${nextDay(day)}T00:00:00Z`];
  const args = ["-cp", JAR, scriptPath("DavMailFreeBusy.java"), url, username, password, "60", ...window, BOB];
  const { stdout } = await promisify(execFile)(JAVA, args, { timeout: 60_000 });
  // It logs to standard output, too; the last line is the answer.
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** What a CalDAV client sees that signs in to DavMail in front of the gateway: the status, and the gateway's part of the text. */
async function openSession({ url, username, password }: Endpoint): Promise<unknown> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "davmail-"));
  const properties = { server: "true", mode: "EWS", url, caldavPort: port, bindAddress: "127.0.0.1" };
  const silent = { imapPort: "", popPort: "", smtpPort: "", ldapPort: "", disableUpdateCheck: "true" };
  const lines = Object.entries({ ...properties, ...silent, logFilePath: join(folder, "davmail.log") });
  writeFileSync(join(folder, "properties"), lines.map(([name, value]) => `davmail.${name}=${value}\n`).join(""));
  const davmail = spawn(JAVA, ["-jar", JAR, "-server", join(folder, "properties")], { stdio: "ignore" });
  try {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const reply = await answeredBy(davmail, `http://127.0.0.1:${port}/principals/users/${username}/`, {
      method: "PROPFIND",
      headers: { authorization, depth: "0" },
    });
    const text = await reply.text();
    return { status: reply.status, told: /Error\w+ This gateway [^.]*\./.exec(text)?.[0] ?? text };
  } finally {
    davmail.kill("SIGTERM");
    if (davmail.exitCode === null) await once(davmail, "exit");
  }
}

/** The first answer of a server that is starting. */
async function answeredBy(server: ChildProcess, url: string, init: RequestInit): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (server.exitCode !== null || tries > 200) throw error;
      await setTimeout(200);
    }
  }
}

/** DavMail cannot choose one itself and say which. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

export const DAVMAIL_RUNS: readonly ClientRun[] = [
  {
    client: "DavMail (its question alone)",
    operation: "GetUserAvailability",
    outcome: "every slot right",
    missing: hasCompiler ? undefined : "davmail-server and default-jdk-headless",
    run: askAlone,
    expected: `${"0".repeat(7)}202${"0".repeat(14)}`,
  },
  {
    client: "DavMail (a CalDAV session)",
    operation: "GetFolder (root)",
    outcome: "stops here: opens a mailbox before it asks; tells its user why in the gateway's words",
    missing: hasDavMail ? undefined : "davmail-server",
    run: openSession,
    expected: { status: 503, told: "ErrorNonExistentMailbox This gateway answers questions about free/busy time." },
  },
];
