/**
 * Decides what is wrong between settings that are each well formed: names that lead nowhere,
 * things given twice, files that cannot be read, secrets that would travel in clear.
 *
 * A secret's value is never part of a message.
 */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { parseDomain, parseMailboxAddress } from "../availability/mailbox-address.js";
import { autodiscoverProblems } from "./autodiscover-settings.js";
import { consoleProblems } from "./console-settings.js";
import { doctorProblems } from "./doctor-settings.js";
import { authorityProblems, listenerProblems, unreadable } from "./file-checks.js";
import { probeProblems } from "./probe-settings.js";
import { at, entries, list, lower, twice } from "./raw-values.js";
import { ownAccountProblems, signInProblems } from "./sign-in-checks.js";
import { traceProblems } from "./trace-settings.js";

/** What is wrong between settings that are each well formed. Looks at what was written, so that one mistake hides no other. */
export function crossChecks(raw: unknown): string[] {
  const problems: string[] = [];
  const backends = entries(at(raw, "backends"));
  const names = backends.map(([key]) => key);
  const known = names.length > 0 ? `Known: ${names.join(", ")}.` : "There are no backends.";
  const budget = at(raw, "timeBudgetSeconds") ?? 18;
  const idle = at(at(raw, "overload"), "idleSeconds") ?? 60;
  if (typeof idle === "number" && typeof budget === "number" && idle <= budget) {
    problems.push(
      `overload.idleSeconds: ${idle} is not longer than timeBudgetSeconds (${budget}): who waits for an answer would be cut off. Raise it.`,
    );
  }

  problems.push(...portProblems(raw));
  for (const [key, backend] of backends) {
    const path = `backends.${key}`;
    const timeout = at(backend, "timeoutSeconds") ?? 15;
    if (typeof timeout === "number" && typeof budget === "number" && timeout >= budget) {
      problems.push(
        `${path}.timeoutSeconds: ${timeout} is not shorter than timeBudgetSeconds (${budget}). Lower it, so that other backends' answers still reach the caller.`,
      );
    }
    const url = at(backend, "url");
    const urls = list(at(backend, "urls")).map((one, i) => [`urls.${i}`, one] as const);
    for (const [setting, one] of [["url", url] as const, ...urls]) {
      if (typeof one !== "string" || !one.startsWith("http:") || at(backend, "allowPlainHttp") === true) continue;
      problems.push(
        `${path}.${setting}: http:// would send the service account's password in clear. Use https://, or set allowPlainHttp for a test.`,
      );
    }
    problems.push(...accountProblems(path, backend));
    problems.push(...twice(`${path}.urls`, at(backend, "urls"), (one) => [hostOf(one)], "host"));
    const places = [url, at(backend, "urls"), at(backend, "type") === "workmail" ? at(backend, "region") : undefined];
    if (places.filter((place) => place !== undefined).length !== 1) {
      problems.push(
        at(backend, "type") === "workmail"
          ? `${path}: give either region or url.`
          : `${path}: give either url or urls.`,
      );
    }
    const caFile = at(backend, "caFile");
    if (typeof caFile === "string") problems.push(...authorityProblems(`${path}.caFile`, caFile));
  }
  const accounts = backends.flatMap(([, backend]) => list(at(backend, "accounts")));
  const keytabs = accounts.map((account) => at(account, "keytabFile")).filter((file) => file !== undefined);
  if (new Set(keytabs).size > 1) {
    problems.push("backends: accounts name different keytabFiles. Put their keys into one file (ktutil).");
  }
  problems.push(...listenerProblems(at(at(raw, "listen"), "tls")));
  const auditFile = at(at(at(raw, "audit"), "to"), "file");
  if (typeof auditFile === "string" && !existsSync(dirname(auditFile))) {
    problems.push(
      `audit.to.file: the folder ${dirname(auditFile)} does not exist. Create it, writable for the gateway.`,
    );
  }
  const tracesCa = at(at(raw, "traces"), "caFile");
  if (typeof tracesCa === "string") problems.push(...authorityProblems("traces.caFile", tracesCa));
  for (const section of ["addressSpaces", "mailboxes", "directories"]) {
    for (const [key, rule] of entries(at(raw, section))) {
      for (const setting of ["backend", "resourcesBackend"]) {
        const backend = at(rule, setting);
        if (typeof backend === "string" && !names.includes(backend)) {
          problems.push(`${section}.${key}.${setting}: there is no backend '${backend}'. ${known}`);
        }
      }
    }
  }
  problems.push(...directoryProblems(raw, names, known), ...ownAccountProblems(raw, backends));
  for (const [key, caller] of entries(at(raw, "callers"))) {
    const origin = at(caller, "origin");
    if (typeof origin === "string" && origin !== "none" && !names.includes(origin)) {
      problems.push(
        `callers.${key}.origin: there is no backend '${origin}'. ${known} Use none for an ordinary client.`,
      );
    }
  }
  problems.push(...autodiscoverProblems(raw, names, known), ...doctorProblems(raw, names, known));
  problems.push(...consoleProblems(raw), ...probeProblems(raw, names, known));
  problems.push(...signInProblems(raw), ...lambdaProblems(raw, backends));
  problems.push(...traceProblems(raw));
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

/** Two listeners of one process on one port: the second could only say that it is in use. */
function portProblems(raw: unknown): string[] {
  const [listen, management] = [at(raw, "listen"), at(raw, "management")];
  const port = at(listen, "port") ?? 8080;
  const hosts = [at(listen, "host"), at(management, "host")].map((host) => host ?? "127.0.0.1");
  const meet = hosts[0] === hosts[1] || hosts.some((host) => host === "0.0.0.0" || host === "::");
  if (port === 0 || port !== (at(management, "port") ?? 9090) || !meet) return [];
  return [`management.port: ${port} is the port of listen, too. Choose another one.`];
}

function accountProblems(path: string, backend: unknown): string[] {
  const problems: string[] = [];
  const accounts = entries(at(backend, "accounts"));
  const given = ["username", "password", "nextPassword", "scheme"].filter(
    (setting) => at(backend, setting) !== undefined,
  );
  if (accounts.length === 0 && !(given.includes("username") && given.includes("password"))) {
    problems.push(`${path}: give username and password, or a list of accounts.`);
  }
  if (at(backend, "accounts") !== undefined && given.length > 0) {
    problems.push(`${path}: ${given.join(" and ")} beside accounts. Put what belongs to an account into the list.`);
  }
  for (const [i, account] of accounts) {
    const own = `${path}.accounts.${i}`;
    if (at(account, "scheme") === "oauth") {
      const certificate = [at(account, "privateKey"), at(account, "certificateFile")].map((one) => one !== undefined);
      if (
        (at(account, "clientSecret") !== undefined) === certificate.includes(true) ||
        certificate[0] !== certificate[1]
      ) {
        problems.push(`${own}: give either clientSecret, or privateKey and certificateFile.`);
      }
      if (certificate.includes(true) && at(account, "nextClientSecret") !== undefined) {
        problems.push(
          `${own}.nextClientSecret: there is no next one for a certificate. Remove it, and replace the files.`,
        );
      }
      const url = at(account, "tokenUrl");
      if (typeof url === "string" && url.startsWith("http:") && at(backend, "allowPlainHttp") !== true) {
        problems.push(`${own}.tokenUrl: http:// would send the client's secret in clear. Use https://.`);
      }
    }
    for (const setting of ["certificateFile", "keytabFile"]) {
      const file = at(account, setting);
      if (typeof file === "string") problems.push(...unreadable(`${own}.${setting}`, file));
    }
  }
  problems.push(
    ...twice(`${path}.accounts`, at(backend, "accounts"), (account) => [lower(at(account, "username"))], "username"),
    ...twice(`${path}.accounts`, at(backend, "accounts"), (account) => [lower(at(account, "principal"))], "principal"),
  );
  return problems;
}

function directoryProblems(raw: unknown, backends: readonly string[], known: string): string[] {
  const problems: string[] = [];
  const directories = entries(at(raw, "directories"));
  for (const [key, directory] of directories) {
    const path = `directories.${key}`;
    const type = at(directory, "type");
    const plain = String(at(directory, "url")).startsWith("ldap:") && at(directory, "startTls") !== true;
    if (type === "ldap" && plain && at(directory, "allowPlainLdap") !== true) {
      problems.push(
        `${path}.url: ldap:// would send the bind password in clear. Use ldaps://, set startTls, or allowPlainLdap for a test.`,
      );
    }
    const ca = at(directory, "caFile");
    if (typeof ca === "string") problems.push(...authorityProblems(`${path}.caFile`, ca));
    const snapshot = at(directory, "snapshotFile");
    if (typeof snapshot === "string" && !existsSync(dirname(snapshot))) {
      problems.push(
        `${path}.snapshotFile: the folder ${dirname(snapshot)} does not exist. Create it, writable for the gateway.`,
      );
    }
    if (type === "probe" && backends.length < 2) {
      problems.push(`${path}: probing asks the other system, and there is only one backend. Remove it.`);
    }
  }
  const fallback: Record<string, string> = {
    overrides: "overrides",
    probe: "probe",
    workmail: "workmail-directory",
    ldap: "active-directory",
  };
  problems.push(
    ...twice(
      "directories",
      at(raw, "directories"),
      (directory) => [lower(at(directory, "name") ?? fallback[String(at(directory, "type"))])],
      "name",
    ),
  );
  const rule = at(raw, "whenOnBothSides");
  if (typeof rule === "string" && rule !== "first" && !backends.includes(rule)) {
    problems.push(`whenOnBothSides: there is no backend '${rule}'. ${known} Or use first.`);
  }
  return problems;
}

/** WorkMail calls the function: it has to be somebody here, and must not be asked back. */
function lambdaProblems(raw: unknown, backends: readonly [string, unknown][]): string[] {
  const name = at(at(raw, "lambda"), "caller");
  if (typeof name !== "string") return [];
  const callers = list(at(raw, "callers"));
  const caller = callers.find((one) => at(one, "name") === name);
  if (caller === undefined) {
    const known = callers.map((one) => at(one, "name")).join(", ");
    return [`lambda.caller: there is no caller '${name}'. Known: ${known}.`];
  }
  const workMail = backends.filter(([, backend]) => at(backend, "type") === "workmail").map(([key]) => key);
  if (workMail.length === 0 || workMail.includes(String(at(caller, "origin")))) return [];
  return [
    `lambda.caller: '${name}' has not the origin ${workMail.join(" or ")}, so WorkMail would be asked what it asks. Set the caller's origin.`,
  ];
}

const hostOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).host : undefined;
const parsed = (text: unknown, parse: (text: string) => string | undefined): string | undefined =>
  typeof text === "string" ? parse(text) : undefined;
