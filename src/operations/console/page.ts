/** Decides what every page of the console has around it: title, skip link, where else to go, when it was written. */

import type { InstantMs } from "../../availability/time-window.js";
import { CONSOLE_ICON, CONSOLE_STYLE } from "./assets.js";
import { type Html, html } from "./html.js";
import { clockText, dateText, type NamedZone } from "./moments.js";

export interface PageFrame {
  readonly version: string;
  readonly zone: NamedZone;
  readonly now: InstantMs;
}

const PLACES = [
  { path: "/console", name: "Overview" },
  { path: "/console/lookup", name: "Look up" },
  { path: "/console/recent", name: "Recent" },
  { path: "/console/reasons", name: "Reasons" },
] as const;

export type Place = (typeof PLACES)[number]["path"];

/** `title` is the page's heading, too. */
export function page(frame: PageFrame, place: Place, title: string, content: Html): string {
  const { version, zone, now } = frame;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} – free/busy gateway</title>
<link rel="stylesheet" href="${CONSOLE_STYLE.path}">
<link rel="icon" type="image/svg+xml" href="${CONSOLE_ICON.path}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="brand"><img src="${CONSOLE_ICON.path}" alt="" width="22" height="22"> Free/busy gateway</p>
<nav aria-label="Console"><ul>${PLACES.map(
    ({ path, name }) => html`<li><a href="${path}"${path === place && html` aria-current="page"`}>${name}</a></li>`,
  )}</ul></nav>
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
<footer><p>As of ${dateText(now, zone.zone)} ${clockText(now, zone)}, ${zone.name}. Version ${version}.</p></footer>
</body>
</html>
`.text;
}
