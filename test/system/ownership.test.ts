/** Who owns a mailbox, as the real process decides it between real sockets, and how it says so. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import type { RouteExplanation } from "../../src/proxy/explain-route.js";
import { authorization, PROJECT, post, question, type Site, startSite, told } from "../support/gateway-process.js";
import { validate } from "../support/shared.js";

const ORGANIZATION = `m-${"0".repeat(32)}`;
const folder = () => mkdtempSync(join(tmpdir(), "ownership-"));
const user = (name: string, state: "ENABLED" | "DISABLED", role: "USER" | "RESOURCE" = "USER") => ({
  id: `id-${name}-000000`,
  name,
  email: `${name}@corp.example`,
  aliases: [`${name}@corp.awsapps.com`],
  state,
  role,
  enabledDate: 1_750_000_000,
});

let site: Site | undefined;
let api: WorkMailApiSimulator | undefined;
afterEach(async () => {
  await Promise.all([site?.close(), api?.close()]);
  site = undefined;
  api = undefined;
});

/** Without the configuration's own list of mailboxes: who is where is for the directories to say. */
const withDirectories =
  (directories: string, more = "") =>
  (text: string) =>
    `${text.slice(0, text.indexOf("mailboxes:"))}directories:\n${directories}\n${more}\n`;

const API_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret-canary",
  AWS_EC2_METADATA_DISABLED: "true",
};
async function startApi(): Promise<WorkMailApiSimulator> {
  api = await startWorkMailApi({
    id: ORGANIZATION,
    alias: "corp",
    state: "Active",
    interoperabilityEnabled: true,
    users: [
      user("alice", "DISABLED"),
      user("bob", "ENABLED"),
      user("carol", "DISABLED"),
      user("erin", "ENABLED"),
      user("room-einstein", "ENABLED", "RESOURCE"),
    ],
    groups: [
      {
        id: "id-team-0000000",
        name: "team",
        email: "team@corp.example",
        state: "ENABLED",
        members: ["id-bob-000000", "id-alice-000000", "id-inner-000000"],
      },
      {
        id: "id-inner-000000",
        name: "inner",
        email: "inner@corp.example",
        state: "ENABLED",
        members: ["id-erin-000000", "id-team-0000000"],
      },
    ],
    foundByAlias: true,
  });
  return api;
}
const workmailDirectory = (url: string, more = "") =>
  `  - { type: workmail, backend: workmail, resourcesBackend: exchange, region: eu-west-1, organizationId: ${ORGANIZATION}, endpoint: '${url}', refreshSeconds: 1${more} }`;

const routeOf = async (address: string, as = "none") =>
  (
    (await (
      await fetch(`${site?.gateway.management}/routes/${encodeURIComponent(address)}?as=${as}`)
    ).json()) as RouteExplanation
  ).decision;
const ready = async () => {
  const reply = await fetch(`${site?.gateway.management}/readyz`);
  const body = (await reply.json()) as {
    directories: Record<string, { problem: string | null; from: string } | undefined>;
  };
  return { status: reply.status, body };
};
const answers = async (mailboxes: readonly string[], options = {}) => {
  const { text } = await (site as Site).ask(mailboxes, options);
  validate(text);
  return told(text);
};

function freebusy(args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(PROJECT, "dist/src/main.js"), ...args], (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

describe("WorkMail's directory", () => {
  it("decides inside one domain, whatever address is used, and rooms stay in Exchange", async () => {
    const { url } = await startApi();
    site = await startSite(withDirectories(workmailDirectory(url)), API_ENVIRONMENT);
    expect(await routeOf("bob@corp.example")).toMatchObject({ backend: "workmail", address: "bob@corp.example" });
    expect(await routeOf("BOB@corp.awsapps.com")).toMatchObject({ backend: "workmail", address: "bob@corp.example" });
    expect(await routeOf("alice@corp.example")).toMatchObject({
      backend: "exchange",
      rule: "address space corp.example",
    });
    expect(await routeOf("room-einstein@corp.example")).toMatchObject({ backend: "exchange" });
    expect(await answers(["erin@corp.awsapps.com", "alice@corp.example", "room-einstein@corp.example"])).toEqual([
      expect.stringMatching(/^DetailedMerged/),
      "DetailedMerged Stand-up Summer review",
      expect.stringMatching(/^FreeBusyMerged/),
    ]);
  });

  it("is followed when somebody moves, and before that a fresh look finds what its copy does not know yet", async () => {
    const { url, organization } = await startApi();
    site = await startSite(
      withDirectories(workmailDirectory(url).replace("refreshSeconds: 1", "refreshSeconds: 600")),
      API_ENVIRONMENT,
    );
    expect(await answers(["carol@corp.example"])).toEqual([expect.stringMatching(/^DetailedMerged/)]);
    // Carol moves: enabled in WorkMail, gone from Exchange. The copy is ten minutes from knowing.
    const carol = organization.users.find(({ name }) => name === "carol");
    if (carol !== undefined) carol.state = "ENABLED";
    site.workmail.calendar.set("carol@corp.example", {
      events: [{ start: "2026-07-01T12:00:00Z", end: "2026-07-01T13:00:00Z", busy: "Busy", subject: "At WorkMail" }],
    });
    site.exchange.calendar.remove("carol@corp.example");
    const later = { start: "2026-07-01T00:00:00", end: "2026-07-03T00:00:00" };
    expect(await answers(["carol@corp.example", "alice@corp.example"], later)).toEqual([
      "DetailedMerged At WorkMail",
      expect.stringMatching(/^DetailedMerged/),
    ]);
    // Exchange itself asks about her, as it does once she is a mail user there.
    expect(await answers(["carol@corp.example"], { user: "CORP\\exchange", view: "FreeBusy" })).toEqual(["FreeBusy"]);
    expect(await routeOf("carol@corp.example")).toMatchObject({
      backend: "workmail",
      rule: expect.stringContaining("ENABLED"),
    });
  });

  it("expands groups across both systems into one view of slots, cycles and all", async () => {
    const { url } = await startApi();
    site = await startSite(withDirectories(workmailDirectory(url)), API_ENVIRONMENT);
    const { text } = await site.ask(["team@corp.example", "alice@corp.example"], { interval: 60 });
    validate(text);
    const [team, alice] = text.split("<m:FreeBusyResponse>").slice(1) as [string, string];
    expect(team).toContain("<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType>");
    const digits = (entry: string) => /<t:MergedFreeBusy>(\d+)</.exec(entry)?.[1] ?? "";
    expect(digits(team)).toHaveLength(24);
    // Whenever Alice is busy, so is the team.
    for (const [slot, digit] of [...digits(alice)].entries()) {
      expect(Number(digits(team)[slot])).toBeGreaterThanOrEqual(Number(digit));
    }
    expect(digits(team)).not.toBe(digits(alice));
    site.workmail.behaviour.mode = "hang";
    const { text: half } = await site.ask(["team@corp.example"], {
      interval: 60,
      start: "2026-08-05T00:00:00",
      end: "2026-08-06T00:00:00",
    });
    expect(digits(half)).toMatch(/^[1-4]+$/);
  });

  it("that cannot be reached at a start is replaced by the last snapshot, and readiness says so", async () => {
    const { url } = await startApi();
    const snapshotFile = join(folder(), "workmail.snapshot");
    const change = withDirectories(workmailDirectory(url, `, snapshotFile: '${snapshotFile}'`));
    site = await startSite(change, API_ENVIRONMENT);
    await expect.poll(() => existsSync(snapshotFile)).toBe(true);
    expect(statSync(snapshotFile).mode & 0o777).toBe(0o600);
    await site.close();
    (api as WorkMailApiSimulator).behaviour.mode = "down";
    site = await startSite(change, API_ENVIRONMENT);
    expect(await routeOf("bob@corp.example")).toMatchObject({ backend: "workmail" });
    await expect
      .poll(async () => (await ready()).body.directories["workmail-directory"], { timeout: 15_000 })
      .toMatchObject({ from: "snapshot", recipients: 5, problem: expect.stringMatching(/\w/) });
    expect((await ready()).status).toBe(200);
    (api as WorkMailApiSimulator).behaviour.mode = "normal";
    await expect
      .poll(async () => (await ready()).body.directories["workmail-directory"], { timeout: 30_000 })
      .toMatchObject({ from: "live", problem: null });
  }, 60_000);

  it("never shows its credentials: not in logs, not in readiness, not in metrics", async () => {
    const { url } = await startApi();
    (api as WorkMailApiSimulator).behaviour.mode = "deny";
    site = await startSite(withDirectories(workmailDirectory(url)), API_ENVIRONMENT);
    await expect.poll(async () => (await ready()).body.directories["workmail-directory"]?.problem).toMatch(/workmail:/);
    const seen = JSON.stringify((await ready()).body) + site.gateway.output();
    expect(seen).not.toContain("secret-canary");
  });
});

describe("an override file", () => {
  it("is taken up when it changes; a file with a bad row changes nothing and is named with its line", async () => {
    const file = join(folder(), "overrides.csv");
    const write = (text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    write("address,owner\nbob@corp.example,workmail\n");
    site = await startSite(withDirectories(`  - { type: overrides, file: '${file}', checkSeconds: 0.1 }`));
    expect(await routeOf("bob@corp.example")).toMatchObject({
      backend: "workmail",
      rule: expect.stringContaining("line 2"),
    });
    write("address,owner\nbob@corp.example,exchange\nerin@corp.example,workmail\n");
    await expect.poll(async () => (await routeOf("bob@corp.example")).backend, { timeout: 10_000 }).toBe("exchange");
    write("address,owner\nbob@corp.example,workmial\nnonsense,workmail\n");
    await expect
      .poll(async () => (await ready()).body.directories.overrides?.problem, { timeout: 10_000 })
      .toMatch(/line 2[\s\S]*workmial[\s\S]*line 3/);
    expect((await routeOf("bob@corp.example")).backend).toBe("exchange");
    expect((await routeOf("erin@corp.example")).backend).toBe("workmail");
  });

  it("moves somebody at the planned instant, and what was kept of them goes", async () => {
    const file = join(folder(), "moves.csv");
    const moveAt = (instant: number) => {
      const at = new Date(instant).toISOString();
      writeFileSync(
        `${file}.new`,
        `address,owner,from,until\nalice@corp.example,exchange,,${at}\nalice@corp.example,workmail,${at},\n`,
      );
      renameSync(`${file}.new`, file);
    };
    moveAt(Date.now() + 3_600_000);
    site = await startSite(withDirectories(`  - { type: overrides, file: '${file}', checkSeconds: 0.1 }`));
    site.workmail.calendar.set("alice@corp.example", {
      events: [{ start: "2026-07-01T12:00:00Z", end: "2026-07-01T13:00:00Z", busy: "Busy", subject: "At WorkMail" }],
    });
    expect(await answers(["alice@corp.example"])).toEqual(["DetailedMerged Stand-up Summer review"]);
    moveAt(Date.now() + 2_000);
    await expect.poll(async () => (await routeOf("alice@corp.example")).backend, { timeout: 15_000 }).toBe("workmail");
    site.exchange.asked.length = 0;
    expect(await answers(["alice@corp.example"])).toEqual(["DetailedMerged At WorkMail"]);
    expect(site.exchange.asked).toEqual([]);
  });
});

describe("probing", () => {
  it("finds who is not where they are presumed, remembers it, and forgets it when it stops being true", async () => {
    site = await startSite(withDirectories("  - { type: probe }"));
    expect(await answers(["erin@corp.example"])).toEqual([expect.stringMatching(/^DetailedMerged/)]);
    expect(await routeOf("erin@corp.example")).toMatchObject({
      backend: "workmail",
      rule: expect.stringContaining("probe"),
    });
    site.exchange.asked.length = 0;
    const august = { start: "2026-08-03T00:00:00", end: "2026-08-04T00:00:00" };
    await answers(["erin@corp.example"], august);
    expect(site.exchange.asked).toEqual([]);
    // She moves to Exchange: the remembered place does not know her any more.
    site.workmail.calendar.remove("erin@corp.example");
    site.exchange.calendar.set("erin@corp.example", {
      events: [{ start: "2026-09-01T08:00:00Z", end: "2026-09-01T09:00:00Z", busy: "Busy", subject: "At Exchange" }],
    });
    const september = { start: "2026-09-01T00:00:00", end: "2026-09-02T00:00:00" };
    expect(await answers(["erin@corp.example"], september)).toEqual(["DetailedMerged At Exchange"]);
    expect(await routeOf("erin@corp.example")).toMatchObject({ backend: "exchange" });
  });

  it("answers Exchange about people who have left it, without ever asking Exchange back", async () => {
    site = await startSite(withDirectories("  - { type: probe }"));
    expect(
      await answers(["bob@corp.example", "alice@corp.example"], { user: "CORP\\exchange", view: "FreeBusy" }),
    ).toEqual(["FreeBusy", "belongs-to-origin"]);
    expect(site.exchange.asked).toEqual([]);
  });
});

describe("two systems that forward to each other through the gateway", () => {
  const forwarding = (running: Site, user: string) => ({
    url: running.gateway.url,
    authorization: authorization(user),
  });

  it.each([
    ["with the gateway's marks dropped", "  - { type: probe }"],
    ["without probing", "  - { type: overrides, file: OVERRIDES }"],
  ])("end in one hop, with a reason, %s", async (_, directories) => {
    const overrides = join(folder(), "overrides.csv");
    writeFileSync(overrides, "address,owner\n");
    site = await startSite(withDirectories(directories.replace("OVERRIDES", `'${overrides}'`)));
    site.exchange.behaviour.forwardTo = forwarding(site, "CORP\\exchange");
    site.workmail.behaviour.forwardTo = forwarding(site, "workmail@corp.example");
    const result = await answers(["nobody@corp.example", "alice@corp.example"]);
    expect(result[1]).toBe("DetailedMerged Stand-up Summer review");
    expect(["loop-detected", "mailbox-not-found", "backend-error"]).toContain(result[0]);
    const count = (list: Site["exchange"]["asked"]) =>
      list.filter(({ mailboxes }) => mailboxes.includes("nobody@corp.example")).length;
    expect(count(site.exchange.asked)).toBeLessThanOrEqual(1);
    expect(count(site.workmail.asked)).toBeLessThanOrEqual(1);
    await expect.poll(() => site?.gateway.output()).toContain("loop-detected");
  });

  it("are recognised at once by the gateway's own marks, wherever one survives", async () => {
    site = await startSite();
    const marked = async (headers: Record<string, string>, body = question(["alice@corp.example"])) =>
      told((await post((site as Site).gateway.url, body, headers)).text);
    expect(await marked({ "x-freebusy-hop": "1" })).toEqual(["loop-detected"]);
    expect(await marked({ "user-agent": "freebusy-gateway" })).toEqual(["loop-detected"]);
    const onBehalf = question(["alice@corp.example"]).replace(
      "<s:Header>",
      "<s:Header><t:SerializedSecurityContext><t:UserSid>S-1-5-21</t:UserSid><t:PrimarySmtpAddress>SVC@corp.example</t:PrimarySmtpAddress></t:SerializedSecurityContext>",
    );
    expect(await marked({}, onBehalf)).toEqual(["loop-detected"]);
    expect(await marked({ "user-agent": "Outlook" })).toEqual(["DetailedMerged Stand-up Summer review"]);
    expect(site.exchange.asked).toHaveLength(1);
  });
});

describe("freebusy explain", () => {
  it("prints the decision step by step without asking anybody, and with --ask what the backend says", async () => {
    const { url } = await startApi();
    site = await startSite(withDirectories(workmailDirectory(url)), API_ENVIRONMENT);
    const { management } = site.gateway;
    const bob = await freebusy(["explain", "bob@corp.awsapps.com", "--management", management]);
    expect(bob.code).toBe(0);
    expect(bob.out).toMatch(/1\. directory configuration +does not know it/);
    expect(bob.out).toMatch(/workmail-directory +workmail, as bob@corp\.example; .*ENABLED.* old\)/);
    expect(bob.out).toContain("=> ask workmail about bob@corp.example");
    expect(site.workmail.asked).toEqual([]);

    const asWorkMail = await freebusy(["explain", "bob@corp.example", "--as", "workmail", "--management", management]);
    expect(asWorkMail).toMatchObject({ code: 3, out: expect.stringContaining("nobody is asked: belongs-to-origin") });

    const asked = await freebusy(["explain", "bob@corp.example", "--ask", "--json", "--management", management]);
    expect(asked.code).toBe(0);
    expect(JSON.parse(asked.out)).toMatchObject({
      decision: { kind: "backend", backend: "workmail" },
      asked: { result: "a view", durationMs: expect.any(Number) },
    });
    expect(site.workmail.asked).toHaveLength(1);
    expect(asked.out).not.toContain("Gemini");
  });

  it("says what is wrong with its command line, and when no gateway runs", async () => {
    site = await startSite();
    const { management } = site.gateway;
    expect(await freebusy(["explain", "--management", management])).toMatchObject({
      code: 2,
      err: expect.stringContaining("ADDRESS"),
    });
    expect(await freebusy(["explain", "a@b.example", "--as", "lotus", "--management", management])).toMatchObject({
      code: 2,
      err: expect.stringContaining("Known: exchange, workmail, none"),
    });
    expect(await freebusy(["explain", "a@b.example", "--management", "http://127.0.0.1:1"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no gateway answers"),
    });
    expect(await freebusy(["explain", "a@b.example"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--config"),
    });
  });
});
