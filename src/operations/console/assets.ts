/**
 * Decides under which names the console's style sheet and icon are served: with a hash of
 * their content, so that browsers may keep them for good and never use an old one.
 */

import { createHash } from "node:crypto";
import { STYLE } from "./style.js";

export interface ConsoleAsset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 22"><rect width="22" height="22" rx="5" fill="#2a5c9c"/><rect x="4" y="5" width="9" height="3.4" rx="1" fill="#fff"/><rect x="8" y="9.6" width="10" height="3.4" rx="1" fill="#a9c8ee"/><rect x="4" y="14.2" width="6" height="3.4" rx="1" fill="#fff"/></svg>`;

export const CONSOLE_STYLE = asset("style", "css", "text/css; charset=utf-8", STYLE);
export const CONSOLE_ICON = asset("icon", "svg", "image/svg+xml", ICON);

function asset(name: string, ending: string, type: string, text: string): ConsoleAsset {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { path: `/console/assets/${name}-${hash}.${ending}`, type, text };
}
