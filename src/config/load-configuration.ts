/**
 * Decides whether a configuration can be run, and if not, says everything that is wrong
 * with it at once: where, what, and what to do. The only reader of files and environment.
 *
 * A secret's value is never part of a message.
 */

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { cacheProblems, weakKeyProblems } from "./cache-checks.js";
import { type Configuration, configurationSchema } from "./configuration.js";
import { crossChecks } from "./cross-checks.js";
import { hashProblems } from "./hash-checks.js";
import { at, entries } from "./raw-values.js";
import { Secrets } from "./secret-references.js";

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
  readonly secrets: Secrets;
}

export function loadConfiguration(file: string, environment: NodeJS.ProcessEnv): LoadedConfiguration {
  return parseConfiguration(file, textOf(file), environment);
}

/** Where the gateway of this configuration can be asked how it is. Needs none of its secrets. */
export function managementUrl(file: string): string {
  const written = configurationSchema.shape.management.safeParse(at(yamlOf(file, textOf(file)), "management"), TELLING);
  if (!written.success) throw new ConfigurationError(file, written.error.issues.flatMap(describe));
  return `http://${reachedAt(written.data)}`;
}

/** Where callers of this configuration's gateway ask, from the same machine. Needs none of its secrets. */
export function listenerUrl(file: string): string {
  const written = configurationSchema.shape.listen.safeParse(at(yamlOf(file, textOf(file)), "listen"), TELLING);
  if (!written.success) throw new ConfigurationError(file, written.error.issues.flatMap(describe));
  return `${written.data.tls === undefined ? "http" : "https"}://${reachedAt(written.data)}`;
}

function reachedAt({ host, port }: { readonly host: string; readonly port: number }): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `${reached}:${port}`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(file, [
      `cannot be read (${(error as NodeJS.ErrnoException).code}). Name an existing file with --config.`,
    ]);
  }
}

function yamlOf(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigurationError(file, [`not YAML: ${(error as Error).message.split("\n")[0]}`]);
  }
}

export function parseConfiguration(file: string, text: string, environment: NodeJS.ProcessEnv): LoadedConfiguration {
  const raw = yamlOf(file, text);
  const result = configurationSchema.safeParse(raw, TELLING);
  const problems = result.success ? [] : result.error.issues.flatMap(describe);
  const secrets = new Secrets(environment);
  // These look at what was written, so that a mistake elsewhere does not hide theirs.
  problems.push(...resolveSecrets(raw, secrets), ...crossChecks(raw));
  problems.push(...cacheProblems(raw), ...weakKeyProblems((path) => secrets.get(path)));
  problems.push(...hashProblems(raw, (path) => secrets.get(path)));
  if (!result.success || problems.length > 0) throw new ConfigurationError(file, [...new Set(problems)]);
  return { configuration: result.data, secrets };
}

/** Only then what is missing can be told from what is wrong. No message quotes it. */
const TELLING = { reportInput: true };

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
    case "invalid_key":
      return [`${path}: its name: ${issue.issues[0]?.message ?? issue.message}.`];
    case "invalid_union":
      return [`${path}: expected ${unionChoices(path)}.`];
    default:
      return [`${path}: ${issue.message}.`];
  }
}

function unionChoices(path: string): string {
  if (path.startsWith("directories")) return "type: overrides, probe, workmail or ldap";
  if (path.includes(".accounts.")) return "scheme: basic, ntlm, negotiate, oauth or impersonation";
  if (path === "audit.to") return "stdout, or { file: PATH }";
  if (path.includes(".certificates.")) return "one of fingerprint, commonName and alternativeName";
  return "type: ews or type: workmail";
}

/** Wherever a reference may stand: in backends, their accounts, directories, callers and headers of traces. */
function resolveSecrets(raw: unknown, secrets: Secrets): string[] {
  const holders: [path: string, holder: unknown][] = [
    ...entries(at(raw, "backends")).flatMap(([key, backend]): [string, unknown][] => [
      [`backends.${key}`, backend],
      ...entries(at(backend, "accounts")).map(([i, account]): [string, unknown] => [
        `backends.${key}.accounts.${i}`,
        account,
      ]),
    ]),
    ...entries(at(raw, "directories")).map(([i, directory]): [string, unknown] => [`directories.${i}`, directory]),
    ...entries(at(raw, "callers")).map(([i, caller]): [string, unknown] => [`callers.${i}`, caller]),
    ["audit", at(raw, "audit")],
    ["cache.shared", at(at(raw, "cache"), "shared")],
    ["management.console", at(at(raw, "management"), "console")],
    ...entries(at(at(raw, "doctor"), "signIns")).map(([origin, one]): [string, unknown] => [
      `doctor.signIns.${origin}`,
      one,
    ]),
  ];
  const named = entries(at(at(raw, "traces"), "headers")).flatMap(([name, reference]) => {
    const path = `traces.headers.${name}`;
    const problem = typeof reference === "string" ? secrets.add(path, reference, false) : undefined;
    return problem === undefined ? [] : [`${path}: ${problem}`];
  });
  const settings = holders.flatMap(([path, holder]) =>
    SECRET_SETTINGS.flatMap((setting) => {
      const reference = at(holder, setting);
      const problem =
        typeof reference === "string"
          ? secrets.add(`${path}.${setting}`, reference, setting.startsWith("next") || path.startsWith("doctor."))
          : undefined;
      return problem === undefined ? [] : [`${path}.${setting}: ${problem}`];
    }),
  );
  return [...settings, ...named];
}

const SECRET_SETTINGS = [
  "password",
  "nextPassword",
  "passwordHash",
  "ntHash",
  "hashKey",
  "encryptionKey",
  "previousEncryptionKey",
  "sentinelPassword",
  "clientSecret",
  "nextClientSecret",
  "privateKey",
];

function pathOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "the file" : path.map(String).join(".");
}
