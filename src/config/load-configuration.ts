/**
 * Decides whether a configuration can be run, and if not, says everything that is wrong
 * with it at once: where, what, and what to do. The only reader of files and environment.
 *
 * A secret's value is never part of a message.
 */

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { parseDomain, parseMailboxAddress } from "../availability/mailbox-address.js";
import { type Configuration, configurationSchema } from "./configuration.js";

export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`${file}: ${count}\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

/** A configuration with its secrets beside it, by the path of the setting that names them. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  readonly secrets: ReadonlyMap<string, string>;
}

export function loadConfiguration(file: string, environment: NodeJS.ProcessEnv): LoadedConfiguration {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(file, [
      `cannot be read (${(error as NodeJS.ErrnoException).code}). Name an existing file with --config.`,
    ]);
  }
  return parseConfiguration(file, text, environment);
}

export function parseConfiguration(file: string, text: string, environment: NodeJS.ProcessEnv): LoadedConfiguration {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    throw new ConfigurationError(file, [`not YAML: ${(error as Error).message.split("\n")[0]}`]);
  }
  const result = configurationSchema.safeParse(raw);
  const problems = result.success ? [] : result.error.issues.flatMap(describe);
  const secrets = new Map<string, string>();
  // These look at what was written, so that a mistake elsewhere does not hide theirs.
  problems.push(...resolveSecrets(raw, environment, secrets), ...crossChecks(raw));
  if (!result.success || problems.length > 0) throw new ConfigurationError(file, [...new Set(problems)]);
  return { configuration: result.data, secrets };
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = pathOf(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map(
        (key) => `${pathOf([...issue.path, key])}: no such setting. Remove it, or check its spelling.`,
      );
    case "invalid_type":
      return [
        `${path}: ${issue.input === undefined ? "is missing" : "has the wrong type"}. Expected: ${issue.expected}.`,
      ];
    case "invalid_value":
      return [`${path}: expected one of ${issue.values.join(", ")}.`];
    case "invalid_union":
      return [`${path}: expected type: ews or type: workmail.`];
    default:
      return [`${path}: ${issue.message}.`];
  }
}

function resolveSecrets(raw: unknown, environment: NodeJS.ProcessEnv, secrets: Map<string, string>): string[] {
  const references: [path: string, reference: unknown][] = [
    ...entries(at(raw, "backends")).map(([key, backend]): [string, unknown] => [
      `backends.${key}.password`,
      at(backend, "password"),
    ]),
    ...entries(at(raw, "callers")).map(([key, caller]): [string, unknown] => [
      `callers.${key}.passwordHash`,
      at(caller, "passwordHash"),
    ]),
  ];
  return references.flatMap(([path, reference]) => {
    if (typeof reference !== "string") return [];
    const found = resolveReference(reference, environment);
    if (found === undefined) return [];
    if ("problem" in found) return [`${path}: ${found.problem}`];
    secrets.set(path, found.value);
    return [];
  });
}

function resolveReference(
  reference: string,
  environment: NodeJS.ProcessEnv,
): { value: string } | { problem: string } | undefined {
  if (reference.startsWith("env:")) {
    const variable = reference.slice(4);
    const value = environment[variable];
    if (value) return { value };
    return { problem: `the environment variable ${variable} is not set. Set it, or use file:.` };
  }
  if (reference.startsWith("file:")) {
    const path = reference.slice(5);
    try {
      const value = readFileSync(path, "utf8").replace(/\r?\n$/, "");
      return value === "" ? { problem: `the file ${path} is empty.` } : { value };
    } catch (error) {
      return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
    }
  }
  return undefined;
}

function crossChecks(raw: unknown): string[] {
  const problems: string[] = [];
  const backends = entries(at(raw, "backends"));
  const names = backends.map(([key]) => key);
  const known = names.length > 0 ? `Known: ${names.join(", ")}.` : "There are no backends.";
  const budget = at(raw, "timeBudgetSeconds") ?? 18;

  for (const [key, backend] of backends) {
    const path = `backends.${key}`;
    const timeout = at(backend, "timeoutSeconds") ?? 15;
    if (typeof timeout === "number" && typeof budget === "number" && timeout >= budget) {
      problems.push(
        `${path}.timeoutSeconds: ${timeout} is not shorter than timeBudgetSeconds (${budget}). Lower it, so that other backends' answers still reach the caller.`,
      );
    }
    const url = at(backend, "url");
    if (typeof url === "string" && url.startsWith("http:") && at(backend, "allowPlainHttp") !== true) {
      problems.push(
        `${path}.url: http:// would send the service account's password in clear. Use https://, or set allowPlainHttp for a test.`,
      );
    }
    if (at(backend, "type") === "workmail" && (url === undefined) === (at(backend, "region") === undefined)) {
      problems.push(`${path}: give either region or url.`);
    }
    for (const setting of ["caFile"]) {
      const file = at(backend, setting);
      if (typeof file === "string") problems.push(...unreadable(`${path}.${setting}`, file));
    }
  }
  for (const setting of ["certFile", "keyFile"]) {
    const file = at(at(at(raw, "listen"), "tls"), setting);
    if (typeof file === "string") problems.push(...unreadable(`listen.tls.${setting}`, file));
  }
  for (const list of ["addressSpaces", "mailboxes"]) {
    for (const [key, rule] of entries(at(raw, list))) {
      const backend = at(rule, "backend");
      if (typeof backend === "string" && !names.includes(backend)) {
        problems.push(`${list}.${key}.backend: there is no backend '${backend}'. ${known}`);
      }
    }
  }
  for (const [key, caller] of entries(at(raw, "callers"))) {
    const origin = at(caller, "origin");
    if (typeof origin === "string" && origin !== "none" && !names.includes(origin)) {
      problems.push(
        `callers.${key}.origin: there is no backend '${origin}'. ${known} Use none for an ordinary client.`,
      );
    }
  }
  problems.push(...twice("callers", at(raw, "callers"), (caller) => list(at(caller, "usernames")).map(lower)));
  problems.push(...twice("callers", at(raw, "callers"), (caller) => [at(caller, "name")].map(lower), "name"));
  problems.push(
    ...twice("addressSpaces", at(raw, "addressSpaces"), (space) => [parsed(at(space, "domain"), parseDomain)]),
  );
  problems.push(
    ...twice("mailboxes", at(raw, "mailboxes"), (mailbox) =>
      [at(mailbox, "address"), ...list(at(mailbox, "aliases"))].map((text) => parsed(text, parseMailboxAddress)),
    ),
  );
  return problems;
}

function twice(
  path: string,
  rows: unknown,
  keysOf: (row: unknown) => (string | undefined)[],
  what = "entry",
): string[] {
  const seen = new Map<string, string>();
  return entries(rows).flatMap(([index, row]) =>
    [...new Set(keysOf(row))].flatMap((key) => {
      if (key === undefined) return [];
      const before = seen.get(key);
      seen.set(key, index);
      return before === undefined
        ? []
        : [`${path}.${index}: ${what} '${key}' is already in ${path}.${before}. Keep one.`];
    }),
  );
}

const lower = (text: unknown): string | undefined => (typeof text === "string" ? text.toLowerCase() : undefined);
const parsed = (text: unknown, parse: (text: string) => string | undefined): string | undefined =>
  typeof text === "string" ? parse(text) : undefined;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function unreadable(path: string, file: string): string[] {
  try {
    readFileSync(file);
    return [];
  } catch (error) {
    return [`${path}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`];
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "the file" : path.map(String).join(".");
}
