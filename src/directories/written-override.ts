/**
 * Decides whether one override, as somebody wrote it, can be meant: two addresses that are
 * ones, a backend that exists, instants that mean the same everywhere. If not, everything that
 * is wrong with it: what was found and what was expected.
 *
 * Knows neither CSV nor YAML, and no other override.
 */

import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant, MINUTE_MS } from "../availability/time-window.js";
import type { PinnedMailbox } from "./pinned-index.js";

/** What stands in a file, from this line on. Text where it is right; empty text or undefined where there is none. */
export interface WrittenOverride {
  readonly line: number;
  readonly address: unknown;
  readonly owner: unknown;
  readonly from?: unknown;
  readonly until?: unknown;
  readonly backendAddress?: unknown;
  readonly aliases?: unknown;
}

/** Something in a file that cannot be used. */
export interface BadLine {
  readonly line: number;
  readonly problem: string;
}

/** The override, or what is wrong with it. `rule` is what logs will show of it. */
export function checkOverride(
  written: WrittenOverride,
  backends: readonly string[],
  rule: string,
): { readonly pinned: PinnedMailbox } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const backend = backends.find((name) => name === trimmed(written.owner));
  if (backend === undefined) {
    const found = isAbsent(written.owner) ? "owner is missing" : `owner ${shown(written.owner)} is no backend`;
    problems.push(`${found}. Known: ${backends.join(", ")}.`);
  }
  const address = (what: string, text: unknown): MailboxAddress | undefined => {
    const parsed = typeof text === "string" ? parseMailboxAddress(text) : undefined;
    if (parsed === undefined) {
      const found = isAbsent(text) ? `${what} is missing` : `${what} ${shown(text)} is no SMTP address`;
      problems.push(`${found}. Expected one like bob@corp.example.`);
    }
    return parsed;
  };
  const time = (what: string, text: unknown): InstantMs | undefined => {
    if (isAbsent(text)) return undefined;
    const parsed = parseInstant(trimmed(text) ?? "");
    if (typeof parsed === "number") return parsed;
    problems.push(`${what} ${shown(text)} is ${parsed}. Expected ISO 8601 with Z or an offset: ${EXAMPLE}.`);
    return undefined;
  };

  const asked = address("address", written.address);
  const known = isAbsent(written.backendAddress) ? asked : address("backendAddress", written.backendAddress);
  const others = listed(written.aliases, problems).map((alias) => address("alias", alias));
  const from = time("from", written.from);
  const until = time("until", written.until);
  if (from !== undefined && until !== undefined && until <= from) {
    problems.push(`until ${shown(written.until)} is not after from ${shown(written.from)}. Expected a later instant.`);
  }
  if (problems.length > 0 || backend === undefined || known === undefined) return { problems };
  const rest = [asked, ...others].filter((one) => one !== undefined && one !== known) as MailboxAddress[];
  return { pinned: { addresses: [known, ...new Set(rest)], backend, from, until, rule } };
}

/** What was found, fit for a line of a log: short, and without anything that could end the line. */
export function shown(found: unknown): string {
  if (typeof found === "object") return Array.isArray(found) ? "(a list)" : "(a mapping)";
  const text = String(found);
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const safe = short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
  return typeof found === "string" ? `'${safe}'` : safe;
}

export function isAbsent(found: unknown): found is undefined | null | string {
  return found === undefined || found === null || trimmed(found) === "";
}

function trimmed(found: unknown): string | undefined {
  return typeof found === "string" ? found.trim() : undefined;
}

function listed(aliases: unknown, problems: string[]): readonly unknown[] {
  if (aliases === undefined || aliases === null) return [];
  if (Array.isArray(aliases)) return aliases;
  problems.push(`aliases ${shown(aliases)} is no list. Expected one like [bob@corp.example, b.smith@corp.example].`);
  return [];
}

const EXAMPLE = "2026-09-01T00:00:00+02:00";
const DATE_TIME =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?)(?:Z|([+-])((?:0\d|1[0-4])):([0-5]\d))$/i;
const LOCAL = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/i;

/** The instant, or why the text names none. */
function parseInstant(text: string): InstantMs | string {
  const [, clock, day, sign, hours, minutes] = DATE_TIME.exec(text) ?? [];
  if (clock === undefined) return LOCAL.test(text) ? "a local time, and does not say of which place" : "no instant";
  const shownMs = Date.parse(`${clock.toUpperCase()}Z`);
  if (new Date(shownMs).getUTCDate() !== Number(day)) return "a day that no calendar has";
  const offsetMs = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return instant(shownMs - (sign === "-" ? -offsetMs : offsetMs));
}
