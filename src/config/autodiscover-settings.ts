/**
 * Decides what can be configured about Autodiscover: the EWS address that callers are given.
 * It is never taken from a request: whoever asks chooses the Host header.
 */

import { z } from "zod";
import { at, entries } from "./raw-values.js";

const publishedUrl = z
  .url({ protocol: /^https?$/ })
  .describe("As callers reach this gateway: https://freebusy.corp.example/EWS/Exchange.asmx");

export const autodiscover = z
  .strictObject({
    url: publishedUrl,
    urls: z
      .record(z.string(), publishedUrl)
      .default({})
      .describe("In place of url, for callers of that origin (a backend's name)."),
    allowPlainHttp: z.boolean().default(false).describe("An address with http://. For tests."),
  })
  .optional()
  .describe("Serves /autodiscover/autodiscover.xml and .svc, by which Exchange finds the EWS address.");

/** What is wrong between these settings and the backends named. */
export function autodiscoverProblems(raw: unknown, backends: readonly string[], known: string): string[] {
  const settings = at(raw, "autodiscover");
  const urls = entries(at(settings, "urls"));
  const problems = urls
    .filter(([origin]) => !backends.includes(origin))
    .map(([origin]) => `autodiscover.urls.${origin}: there is no backend '${origin}'. ${known}`);
  for (const [path, url] of [["url", at(settings, "url")], ...urls.map(([key, url]) => [`urls.${key}`, url])]) {
    if (typeof url !== "string" || !URL.canParse(url)) continue;
    const { protocol, pathname, username, password, search, hash } = new URL(url);
    if (protocol === "http:" && at(settings, "allowPlainHttp") !== true) {
      problems.push(
        `autodiscover.${path}: callers would send their passwords to http:// in clear. Use https://, or set allowPlainHttp for a test.`,
      );
    }
    if (!/\/exchange\.asmx$/i.test(pathname) || `${username}${password}${search}${hash}` !== "") {
      problems.push(
        `autodiscover.${path}: is not an EWS address. Give the one callers post to, such as https://freebusy.corp.example/EWS/Exchange.asmx, without user, query or fragment.`,
      );
    }
  }
  return problems;
}
