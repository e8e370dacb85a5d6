/** `freebusy setup` as it is typed: the guide for a sample site, its undo, and the wizard with piped answers. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { freebusy } from "../support/doctor-site.js";

const folder = mkdtempSync(join(tmpdir(), "setup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENT = {
  ...{
    EXCHANGE_PASSWORD: "exchange-canary",
    WORKMAIL_PASSWORD: "workmail-canary",
    EXCHANGE_CALLER_PASSWORD: "caller-canary",
  },
  ...{
    EXCHANGE_CALLER_HASH: "$argon2id$v=19$m=1024,t=1,p=1$AAAA$AAAA",
    WORKMAIL_CALLER_HASH: "$argon2id$v=19$m=1024,t=1,p=1$AAAA$AAAA",
  },
};
/** Every answer as it stands in brackets, but the domain. */
const USUAL = `corp.example${"\n".repeat(10)}`;

describe("the wizard", () => {
  it("writes a configuration that is right, and says which secrets it needs", async () => {
    const file = join(folder, "first.yaml");
    const { code, stdout, stderr } = await freebusy(["setup", "--new", file], {}, USUAL);
    expect([code, stderr]).toEqual([0, ""]);
    for (const name of Object.keys(ENVIRONMENT)) expect(stdout).toContain(name);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const checked = await freebusy(["check", "--config", file], ENVIRONMENT);
    expect([checked.code, checked.stdout]).toEqual([0, `${file}: no problems\n`]);
  });

  it("asks again for an answer that cannot be right", async () => {
    const file = join(folder, "again.yaml");
    const { code, stdout } = await freebusy(["setup", "--new", file], {}, `not a domain\n${USUAL}`);
    expect(code).toBe(0);
    expect(stdout).toContain("Expected a domain such as corp.example.");
    expect(readFileSync(file, "utf8")).not.toContain("not a domain");
  });

  it("overwrites nothing unless told to, and writes nothing when the answers end", async () => {
    const file = join(folder, "mine.yaml");
    writeFileSync(file, "mine");
    const refused = await freebusy(["setup", "--new", file], {}, USUAL);
    expect([refused.code, readFileSync(file, "utf8")]).toEqual([2, "mine"]);
    const short = await freebusy(["setup", "--new", file, "--overwrite"], {}, "corp.example\n");
    expect([short.code, readFileSync(file, "utf8")]).toEqual([2, "mine"]);
    const overwritten = await freebusy(["setup", "--new", file, "--overwrite"], {}, USUAL);
    expect(overwritten.code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain("corp.awsapps.com");
  });
});

describe("the guide", () => {
  const file = join(folder, "site.yaml");
  const guide = async (change: (text: string) => string, ...args: string[]) => {
    await freebusy(["setup", "--new", file, "--overwrite"], {}, USUAL);
    const organization =
      "doctor: { organization: { organizationId: m-0123456789abcdef0123456789abcdef, region: eu-west-1 } }\n";
    writeFileSync(file, change(`${readFileSync(file, "utf8")}${organization}`));
    return freebusy(["setup", "--config", file, ...args], ENVIRONMENT);
  };

  it("for both sides is this, to the letter", async () => {
    const { code, stdout } = await guide((same) => same);
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
    expect(stdout).not.toContain("canary");
  });

  it("takes back what it sets up, the other way round", async () => {
    const { code, stdout } = await guide((same) => same, "--undo");
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it("gives a function the permission that WorkMail's test insists on", async () => {
    const { stdout } = await guide((text) => `${text}lambda: { caller: workmail }\n`);
    expect(stdout).toContain(
      '--principal "availability.workmail.$REGION.amazonaws.com" --source-account "$ACCOUNT" --source-arn',
    );
    expect(stdout).not.toContain("--ews-provider");
  });

  it("says what is not configured in place of making it up", async () => {
    const { stdout } = await guide((text) => text.replace(/^autodiscover.*$/m, "").replace(/^doctor.*$/m, ""));
    expect(stdout).toContain("<autodiscover.url is not configured>");
    expect(stdout).toContain("<doctor.organization is not configured>");
  });

  it("needs a configuration or a new file, not both and not neither", async () => {
    for (const args of [["setup"], ["setup", "--new", "x", "--config", "y"]])
      expect((await freebusy(args)).code).toBe(2);
  });
});
