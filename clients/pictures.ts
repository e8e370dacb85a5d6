/**
 * `npm run pictures`: starts the demonstration, looks at its console with a real browser, and
 * puts what it sees into docs/pictures: on a desk, on a phone, and in the dark.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startBrowser } from "./console-browser.js";

// Compiled to dist/clients; the pictures belong to the source.
const FOLDER = process.argv[2] ?? fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const EVERYBODY = ["alice", "bob", "carol", "dave", "erin", "room-einstein", "nobody"];
const MAILBOXES = EVERYBODY.map((name) => `${name}@corp.example`).join("\n");

const demo = spawn(process.execPath, [fileURLToPath(new URL("../simulators/demo.js", import.meta.url))], {
  env: { ...process.env, DEMO_PORT: "0", DEMO_MANAGEMENT_PORT: "0", DEMO_LOG: "silent" },
  stdio: ["ignore", "pipe", "inherit"],
});

async function consoleOfDemo(): Promise<string> {
  for await (const line of createInterface(demo.stdout)) {
    const url = /^\s*Console\s+(http\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("the demonstration ended before it listened");
}

async function picture(
  browser: Browser,
  url: string,
  name: string,
  look: BrowserContextOptions,
  clip: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  show: (page: Page) => Promise<void>,
) {
  const context = await browser.newContext({ ...look, httpCredentials: { username: "admin", password: "demo" } });
  const page = await context.newPage();
  await page.goto(url);
  await show(page);
  await page.screenshot({ path: `${FOLDER}/${name}.png`, clip });
  await context.close();
}

async function lookUp(page: Page, date: string, days: string): Promise<void> {
  await page.getByRole("link", { name: "Look up" }).click();
  await page.getByLabel("Mailboxes").fill(MAILBOXES);
  await page.getByLabel("From").fill(date);
  await page.getByLabel("Days").selectOption(days);
  await page.getByRole("button", { name: "Look up" }).click();
  await page.getByRole("heading", { name: "Who is free when" }).waitFor();
}

mkdirSync(FOLDER, { recursive: true });
try {
  const url = await consoleOfDemo();
  demo.stdout.resume();
  const browser = await startBrowser();
  try {
    const desk = { viewport: { width: 1180, height: 1300 } };
    const cut = (width: number, height: number) => ({ x: 0, y: 0, width, height });
    await picture(browser, url, "console", desk, cut(1180, 1270), (page) => lookUp(page, "2026-06-30", "2"));
    // The second probe is asked a second after the start.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await picture(browser, url, "console-dark", { ...desk, colorScheme: "dark" }, cut(1180, 900), async () => {});
    const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
    await picture(browser, url, "console-phone", phone, cut(390, 844), (page) => lookUp(page, "2026-06-30", "1"));
  } finally {
    await browser.close();
  }
} finally {
  demo.kill("SIGTERM");
  if (demo.exitCode === null) await once(demo, "exit");
}
