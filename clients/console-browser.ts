/** A real browser in front of the console: Debian's Chromium, without a screen. */

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
export const hasChromium = PROGRAM !== undefined;
export const CHROMIUM_MISSING = "SKIPPED: no Chromium to look at the console with (Debian: chromium)\n";

export function startBrowser(): Promise<Browser> {
  if (PROGRAM === undefined) throw new Error(CHROMIUM_MISSING);
  // As root, in a container, there is no sandbox to be had; it is shown nothing but our own pages.
  return chromium.launch({
    executablePath: PROGRAM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
}
