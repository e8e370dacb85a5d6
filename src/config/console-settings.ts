/** Decides what can be configured about the console on the management listener: who gets in, and what is shown there. */

import { z } from "zod";
import { disclosure, passwordHash } from "./caller-settings.js";
import { at } from "./raw-values.js";

export const consoleSettings = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^:\p{Cc}]{1,64}$/u, "is empty, too long, or has a colon in it")
      .describe("Who signs in; look-ups from the console stand in the log as console:USERNAME."),
    passwordHash: passwordHash.describe("$argon2id$… or $scrypt$…, itself or by reference."),
    timeZone: z
      .string()
      .refine(isTimeZone, "is no time zone such as Europe/Berlin")
      .default("UTC")
      .describe("In which times are shown, and look-ups are asked unless another is named."),
    recentLookups: z.int().min(50).max(5_000).default(200).describe("How many look-ups are remembered, in memory."),
    allowPlainHttp: z
      .boolean()
      .default(false)
      .describe("The listener is reached from elsewhere: something before it encrypts, or passwords may be seen."),
    ...disclosure,
  })
  .optional()
  .describe("GET /console: pages for people, behind a password. Absent: there are none.");

export function consoleProblems(raw: unknown): string[] {
  const management = at(raw, "management");
  const settings = at(management, "console");
  const host = at(management, "host") ?? "127.0.0.1";
  if (settings === undefined || at(settings, "allowPlainHttp") === true || typeof host !== "string") return [];
  if (/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)) return [];
  return [
    `management.console: ${host} is reached from other machines, and the console's password would travel in clear. Listen on 127.0.0.1, or let something encrypt before it and set allowPlainHttp.`,
  ];
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return name === "UTC" || name.includes("/");
  } catch {
    return false;
  }
}
