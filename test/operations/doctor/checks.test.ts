/** What checks make of people and dates, seen through ports that tell what the test wants; and how reports read. */

import { describe, expect, it } from "vitest";
import { exitCodeOf, type Finding, Impossible, type Verdict } from "../../../src/operations/doctor/finding.js";
import { peopleChecks } from "../../../src/operations/doctor/people-checks.js";
import type { Person, Probes, WorkMail } from "../../../src/operations/doctor/probes.js";
import { reportText, withoutSecrets } from "../../../src/operations/doctor/report.js";
import { retirementChecks } from "../../../src/operations/doctor/retirement-checks.js";
import { examine } from "../../../src/operations/doctor/runner.js";
import type { SiteFacts } from "../../../src/operations/doctor/site-facts.js";

const NOW = Date.UTC(2026, 10, 24, 12);
const HOUR = 3_600_000;
const site = {
  ...{ domains: ["corp.example"], forestDomains: ["corp.awsapps.com"], published: [], callers: [], lambda: false },
  backends: [
    { name: "exchange", type: "ews", urls: [new URL("https://mail.corp.example/")], accounts: [] },
    { name: "workmail", type: "workmail", urls: [], accounts: [] },
  ],
  workmailEndsAt: Date.UTC(2027, 2, 31),
} as unknown as SiteFacts;

const person = (name: string, change: Partial<Person> = {}): Person => ({
  ...{ primary: `${name}@corp.example`, addresses: [`${name}@corp.example`], principal: `${name}@corp.example` },
  ...{ target: undefined, lives: "here", changedAt: NOW - 48 * HOUR, ...change },
});
const moved = (name: string, change: Partial<Person> = {}) =>
  person(name, { lives: "elsewhere", target: `${name}@corp.awsapps.com`, ...change });

function examined(people: readonly Person[], enabled: readonly string[]) {
  const users = enabled.map((name) => ({
    ...{
      id: name,
      email: `${name}@corp.example`,
      state: "ENABLED",
      role: "USER",
      provisioned: true,
      deprovisioned: false,
    },
  }));
  const workmail = {
    enabledUsers: async () => users,
    ownResources: async () => [],
    aliases: async (id: string) => [`${id}@corp.awsapps.com`],
  } as unknown as WorkMail;
  const probes = { workmail, people: { all: async () => people }, now: () => NOW } as unknown as Probes;
  return examine(peopleChecks(site, probes), 5_000, () => NOW);
}
const saying = async (check: string, people: readonly Person[], enabled: readonly string[]) =>
  (await examined(people, enabled)).findings
    .filter((one) => one.check === check)
    .map(({ verdict, found }) => [verdict, found]);

describe("people on both sides", () => {
  it("in order are fine, every one of the checks", async () => {
    const { findings } = await examined([person("alice"), moved("bob")], ["bob"]);
    expect(findings.map(({ verdict }) => verdict)).toEqual(["fine", "fine", "fine", "fine", "fine"]);
  });

  it("whose principal name is not the primary address are named, with the command", async () => {
    const { findings } = await examined([person("alice", { principal: "alice@corp.local" })], []);
    const [finding] = findings;
    expect(finding?.found).toBe("alice@corp.example has alice@corp.local");
    expect(finding?.todo).toEqual(["Get-User 'alice@corp.local' | Set-User -UserPrincipalName alice@corp.example"]);
  });

  it("moved within four hours are waited for, and after that they are missing", async () => {
    const [young] = await saying("directory-sync", [moved("bob", { changedAt: NOW - HOUR })], []);
    expect(young).toEqual(["note", "not yet; the sync is due until 15:00 UTC"]);
    const [old] = await saying("directory-sync", [moved("bob", { changedAt: NOW - 5 * HOUR })], []);
    expect(old?.[0]).toBe("failure");
  });

  it("with a mailbox in both are told, and so is a forwarding address that WorkMail does not have", async () => {
    expect(await saying("both-sides", [person("bob")], ["bob"])).toEqual([
      ["warning", "bob@corp.example has a mailbox in both"],
    ]);
    const lost = [moved("bob", { target: "robert@corp.awsapps.com" })];
    expect(await saying("forwarding", lost, ["bob"])).toEqual([
      ["failure", "Exchange forwards bob@corp.example to robert@corp.awsapps.com"],
    ]);
  });
});

describe("dates", () => {
  const at = async (now: number) => {
    const { findings } = await examine(
      retirementChecks(site, () => now),
      1_000,
      () => now,
    );
    return findings.map(({ verdict }) => verdict);
  };

  it("of WorkMail's end are a note, then a warning, then a failure", async () => {
    expect(await at(Date.UTC(2026, 10, 24))).toEqual(["note"]);
    expect(await at(Date.UTC(2027, 1, 1))).toEqual(["warning"]);
    expect(await at(Date.UTC(2027, 3, 1))).toEqual(["failure"]);
  });
});

describe("a check", () => {
  const check = (run: () => Promise<never>) => ({ id: "one", title: "One", why: "because", run });

  it("that never ends is ended, and one that breaks tells its error's name only", async () => {
    const { findings } = await examine(
      [
        check(() => new Promise(() => {})),
        check(async () => {
          throw new TypeError("secret-in-message");
        }),
      ],
      20,
      () => NOW,
    );
    expect(findings.map(({ found }) => found)).toEqual([
      "no result within 0 seconds",
      "could not be looked at (TypeError)",
    ]);
    expect(reportText({ findings, tookMs: 20 })).not.toContain("secret-in-message");
  });

  it("is read with the others: the worst first, what is fine in a line each, and counts last", () => {
    const of = (check: string, verdict: Verdict): Finding => ({
      ...{ check, verdict, about: check, expected: "this", found: "that", why: "because" },
      todo: verdict === "fine" ? [] : ["type this", "then that"],
    });
    const findings = [of("a", "fine"), of("b", "note"), of("c", "failure"), of("d", "warning")];
    expect(reportText({ findings, tookMs: 1_500 })).toBe(`FAILURE  c  [c]
  expected: this
  found:    that
  why:      because
  do:       type this
            then that

WARNING  d  [d]
  expected: this
  found:    that
  why:      because
  do:       type this
            then that

NOTE  b  [b]
  expected: this
  found:    that
  why:      because
  do:       type this
            then that

Fine:
  a: a: that

1 failures, 1 warnings, 0 not checked, 1 fine, in 1.5 s.
`);
  });

  it("that could not be made does not count, a warning does, and a failure wins", async () => {
    const outcome = async (...verdicts: Impossible["verdict"][]) =>
      exitCodeOf(
        (
          await examine(
            verdicts.map((verdict, i) => check(async () => Promise.reject(new Impossible(`no ${i}`, [], verdict)))),
            1_000,
            () => NOW,
          )
        ).findings,
      );
    expect([
      await outcome("not-checked"),
      await outcome("not-checked", "warning"),
      await outcome("warning", "failure"),
    ]).toEqual([0, 3, 4]);
  });
});

it("secrets are taken out however they are written, the longer one first", () => {
  const text = `a pass"word, "pass\\"word", pass%22word, and pass"word-longer`;
  expect(withoutSecrets(text, ['pass"word', 'pass"word-longer', "a"])).toBe(
    'a (removed), "(removed)", (removed), and (removed)',
  );
});
