import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LookupOutcome } from "../../src/proxy/lookup-observer.js";
import { openAuditFile } from "../../src/telemetry/audit-file.js";
import { AuditLog } from "../../src/telemetry/audit-log.js";

const folder = mkdtempSync(join(tmpdir(), "audit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OUTCOME: LookupOutcome = {
  id: "lookup-1",
  caller: "exchange",
  origin: "exchange",
  source: "192.0.2.1",
  windowMs: 86_400_000,
  durationMs: 12,
  mailboxes: [
    {
      mailbox: "bob@corp.example",
      rule: "canary-rule",
      backend: "workmail",
      cache: "hit",
      delivered: "times",
      failure: undefined,
    },
    {
      mailbox: "boss@corp.example",
      rule: "canary-rule",
      backend: undefined,
      cache: "none",
      delivered: undefined,
      failure: { reason: "no-access", detail: "canary-detail", code: "canary-code" },
    },
  ],
};

function lines(outcome: LookupOutcome, hmacKey?: string): Record<string, unknown>[] {
  const written: string[] = [];
  new AuditLog({ stream: { write: (line) => written.push(line) }, hmacKey }).lookupAnswered(outcome);
  return written.map((line) => JSON.parse(line));
}

describe("a line of the audit log", () => {
  it("says when, who, for which system, from where, about whom, at what detail, with which outcome, and no more", () => {
    const [line, ...more] = lines(OUTCOME);
    expect(more).toEqual([]);
    const { time, ...rest } = line as { time: string };
    expect(new Date(time).toISOString()).toBe(time);
    expect(rest).toEqual({
      kind: "audit",
      id: "lookup-1",
      caller: "exchange",
      origin: "exchange",
      source: "192.0.2.1",
      mailboxes: [
        { mailbox: "bob@corp.example", detail: "times", outcome: "answered" },
        { mailbox: "boss@corp.example", detail: "none", outcome: "no-access" },
      ],
    });
  });

  it("names a mailbox by an HMAC under the configured secret, which whoever has it can find", () => {
    const [line] = lines(OUTCOME, "audit-secret-canary");
    const text = JSON.stringify(line);
    const hash = createHmac("sha256", "audit-secret-canary").update("bob@corp.example").digest("hex").slice(0, 32);
    expect(text).toContain(hash);
    for (const secret of ["bob", "boss", "corp.example", "canary"]) expect(text).not.toContain(secret);
    expect(JSON.stringify(lines(OUTCOME, "another")[0])).not.toContain(hash);
  });

  it("is bounded when a caller asks about a text of a megabyte, and one line when it holds line ends", () => {
    const mailbox = {
      ...(OUTCOME.mailboxes[0] as LookupOutcome["mailboxes"][number]),
      mailbox: `a\n"${"x".repeat(1 << 20)}`,
    };
    const written: string[] = [];
    new AuditLog({ stream: { write: (line) => written.push(line) }, hmacKey: undefined }).lookupAnswered({
      ...OUTCOME,
      mailboxes: [mailbox],
    });
    expect(written.length).toBe(1);
    expect(written[0]?.trimEnd().includes("\n")).toBe(false);
    expect(written[0]?.length).toBeLessThan(1_000);
  });
});

describe("the audit file", () => {
  it("is only its owner's, holds every line at once, is appended to, and is begun anew after it was moved away", () => {
    const file = join(folder, "audit.log");
    const never = (error: Error) => {
      throw error;
    };
    const write = (id: string, destination: ReturnType<typeof openAuditFile>) =>
      new AuditLog({ stream: destination.stream, hmacKey: undefined }).lookupAnswered({ ...OUTCOME, id });
    const ids = (name: string) =>
      readFileSync(name, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id);

    const first = openAuditFile(file, never);
    write("1", first);
    expect(ids(file)).toEqual(["1"]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    first.flush();
    const second = openAuditFile(file, never);
    write("2", second);
    expect(ids(file)).toEqual(["1", "2"]);
    renameSync(file, `${file}.1`);
    second.reopen();
    write("3", second);
    expect([ids(`${file}.1`), ids(file)]).toEqual([["1", "2"], ["3"]]);
  });

  it("in a folder that is not there cannot be opened", () => {
    expect(() => openAuditFile(join(folder, "gone", "audit.log"), () => {})).toThrow("ENOENT");
  });
});
