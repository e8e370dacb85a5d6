import { afterEach, describe, expect, it } from "vitest";
import type { SimulatedOrganization, SimulatedUser } from "../../simulators/workmail-organization.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import type { WorkMailDirectoryOptions } from "../../src/directories/workmail-directory.js";
import { directorySourceContract, readEverything } from "../contracts/directory-source-contract.js";
import {
  address,
  failure,
  group,
  type MadeDirectory,
  never,
  ORGANIZATION_ID,
  primaries,
  setCredentials,
  startDirectory,
  user,
} from "../support/workmail-organization.js";

setCredentials();

const made: MadeDirectory[] = [];
async function start(over: Partial<SimulatedOrganization> = {}, options: Partial<WorkMailDirectoryOptions> = {}) {
  const one = await startDirectory(over, options);
  made.push(one);
  return one;
}
afterEach(async () => {
  for (const { directory, api } of made.splice(0)) {
    await directory.close();
    await api.close();
  }
});

const many = (count: number) => Array.from({ length: count }, (_, i) => user(`user${i}`));

directorySourceContract("WorkMail's directory", async () => {
  const { directory, api } = await startDirectory();
  return { source: directory, close: () => api.close() };
});

describe("reading WorkMail's whole directory", () => {
  it("reads 250 users over three pages, each with its aliases", async () => {
    const { directory, api } = await start({ users: many(250) });
    const pages: number[] = [];
    const records: DirectoryRecord[] = [];
    for await (const page of directory.readAll(never())) {
      pages.push(page.length);
      records.push(...page);
    }
    expect(pages).toEqual([100, 100, 50, 1]);
    expect(records[249]).toEqual({
      kind: "mailbox",
      backend: "workmail",
      addresses: ["user249@corp.example", "user249@corp.awsapps.com"],
      legacyDns: [],
      evidence: "ENABLED, role USER",
    });
    expect(api.calls()).toEqual({ DescribeOrganization: 1, ListUsers: 3, ListGroups: 1, ListAliases: 251 });
    const lists = api.asked.filter(({ operation }) => operation === "ListUsers");
    for (const { input } of lists) expect(input).toMatchObject({ MaxResults: 100, Filters: { State: "ENABLED" } });
  });

  it.each([1, 4, 7])("lists the aliases of %i users at once, when told so", async (callsAtOnce) => {
    const { directory, api } = await start({ users: many(10), groups: [] }, { callsAtOnce });
    Object.assign(api.behaviour, { mode: "slow", latencyMs: 30 });
    await readEverything(directory);
    expect(api.mostAtOnce).toBe(callsAtOnce);
  });

  it("asks again only for the aliases of users that are new, enabled anew or renamed", async () => {
    const { directory, api } = await start({ users: many(5), groups: [] });
    await readEverything(directory);
    api.asked.length = 0;
    await readEverything(directory);
    expect(api.calls()).toEqual({ DescribeOrganization: 1, ListUsers: 1, ListGroups: 1 });

    const { users } = api.organization;
    Object.assign(users[0] as object, { enabledDate: 1_800_000_000 });
    Object.assign(users[1] as object, { email: "renamed@corp.example" });
    users.push(user("newcomer"));
    api.asked.length = 0;
    const records = await readEverything(directory);
    const asked = api.asked.filter(({ operation }) => operation === "ListAliases").map(({ input }) => input.EntityId);
    expect(asked.sort()).toEqual(["S-1-1-12-user-newcomer", "S-1-1-12-user-user0", "S-1-1-12-user-user1"]);
    expect(primaries(records)).toContain("renamed@corp.example");
  });

  it("believes the former owner of an address that has moved for one reading at most", async () => {
    const { directory, api } = await start({ users: [user("early"), user("middle"), user("late")], groups: [] });
    await readEverything(directory);
    const [early, middle, late] = api.organization.users as [SimulatedUser, SimulatedUser, SimulatedUser];
    middle.aliases = [...(early.aliases ?? []), ...(late.aliases ?? [])];
    middle.enabledDate = 1_800_000_000;
    early.aliases = [];
    late.aliases = [];
    await readEverything(directory);
    expect((await readEverything(directory)).map((record) => record.addresses)).toEqual([
      ["early@corp.example"],
      ["middle@corp.example", "early@corp.awsapps.com", "late@corp.awsapps.com"],
      ["late@corp.example"],
    ]);
  });

  it("lists a share of the aliases again each time, those listed longest ago first, so that all are within an hour", async () => {
    let now = 0;
    const { directory, api } = await start({ users: many(8), groups: [] }, { now: () => now, callsAtOnce: 1 });
    await readEverything(directory);
    const turns: unknown[][] = [];
    for (let reading = 0; reading < 8; reading++) {
      now += 15 * 60_000;
      api.asked.length = 0;
      await readEverything(directory);
      const lists = api.asked.filter(({ operation }) => operation === "ListAliases");
      turns.push(lists.map(({ input }) => input.EntityId).sort());
    }
    const ids = many(8).map(({ id }) => id);
    const hour = [0, 2, 4, 6].map((at) => ids.slice(at, at + 2));
    expect(turns).toEqual([...hour, ...hour]);
  });

  it.each([
    ["before", 0, 1],
    ["after", 1, 0],
  ])("sees within an hour that an alias has moved from a user listed %s the new one", async (_, from, to) => {
    let now = 0;
    const { directory, api } = await start({ users: many(2), groups: [] }, { now: () => now });
    const users = api.organization.users as SimulatedUser[];
    for (const [i, one] of users.entries()) one.aliases = i === from ? ["support@corp.example"] : [];
    await readEverything(directory);
    for (const [i, one] of users.entries()) one.aliases = i === to ? ["support@corp.example"] : [];
    for (let reading = 0; reading < 4; reading++) {
      now += 15 * 60_000;
      await readEverything(directory);
    }
    const records = await readEverything(directory);
    expect(records.map(({ addresses }) => addresses.includes(address("support@corp.example")))).toEqual(
      [0, 1].map((i) => i === to),
    );
  });

  it("lists aliases over several pages, drops what is no address, and names each once", async () => {
    const aliases = Array.from({ length: 130 }, (_, i) => `bob${i}@corp.example`);
    const { directory } = await start({
      users: [user("bob", { email: "Bob@Corp.example", aliases: ["BOB@corp.example", "no address", ...aliases] })],
      groups: [],
    });
    const [record] = await readEverything(directory);
    expect(record?.addresses).toEqual(["bob@corp.example", ...aliases]);
  });

  it("leaves out everybody who has no mailbox in WorkMail", async () => {
    const { directory, api } = await start({
      users: [
        user("here"),
        user("at-exchange", { state: "DISABLED" }),
        user("deleted", { state: "DELETED" }),
        user("system", { role: "SYSTEM_USER" }),
        user("remote", { role: "REMOTE_USER" }),
        { id: "S-1-1-12-user-nomail", name: "nomail", state: "ENABLED", role: "USER" },
      ],
      groups: [group("team", []), group("old", [], { state: "DISABLED" })],
    });
    expect(primaries(await readEverything(directory))).toEqual(["here@corp.example", "team@corp.example"]);
    expect(api.calls().ListAliases).toBe(2);
  });

  it("leaves resources to Exchange until interoperability ends, and says when it did", async () => {
    let now = 1_000;
    const { directory, api } = await start(
      { users: [user("room", { role: "RESOURCE" })], groups: [] },
      { now: () => now },
    );
    expect(directory.organization()).toBeUndefined();
    expect(await readEverything(directory)).toMatchObject([
      { kind: "mailbox", backend: "exchange", evidence: "ENABLED, role RESOURCE, interoperability on" },
    ]);
    expect(directory.organization()).toEqual({
      alias: "corp",
      expectedDomain: "corp.awsapps.com",
      state: "Active",
      directoryId: "d-926726012c",
      interoperabilityEnabled: true,
      interoperabilityEndedAt: undefined,
    });

    api.organization.interoperabilityEnabled = false;
    now = 2_000;
    const room = await directory.readOne(address("room@corp.example"), never());
    expect(room).toMatchObject({ backend: "workmail", evidence: "ENABLED, role RESOURCE, interoperability off" });
    now = 3_000;
    expect(await readEverything(directory)).toEqual([room]);
    expect(directory.organization()).toMatchObject({ interoperabilityEnabled: false, interoperabilityEndedAt: 2_000 });
  });

  it("forgets the aliases of a user who was gone for one reading", async () => {
    const { directory, api } = await start({ users: [user("bob")], groups: [] });
    await readEverything(directory);
    api.organization.users = [];
    expect(await readEverything(directory)).toEqual([]);
    api.organization.users = [user("bob", { aliases: [] })];
    expect((await readEverything(directory))[0]?.addresses).toEqual(["bob@corp.example"]);
  });

  it("passes over a user who is gone before the aliases were listed", async () => {
    const { directory, api } = await start({ users: many(3), groups: [] });
    api.behaviour.failing[user("user1").id] = "EntityNotFoundException";
    expect(primaries(await readEverything(directory))).toEqual(["user0@corp.example", "user2@corp.example"]);
  });

  it("fails as a whole when one user's aliases cannot be listed", async () => {
    const { directory, api } = await start({ users: many(3), groups: [] });
    api.behaviour.failing[user("user1").id] = "OrganizationStateException";
    const error = await failure(readEverything(directory));
    expect(error.code).toBe("OrganizationStateException");
    expect(error.message).toContain(ORGANIZATION_ID);
  });

  it("fails when the second page fails, and takes nobody for gone because of it", async () => {
    const { directory, api } = await start({ users: many(120), groups: [] });
    await readEverything(directory);
    api.behaviour.mode = "half";
    let pages = 0;
    const error = await failure(
      (async () => {
        for await (const _ of directory.readAll(never())) pages++;
      })(),
    );
    expect(error).toMatchObject({ code: "InternalServerException", message: expect.stringContaining("HTTP 500") });
    expect(pages).toBe(1);

    api.behaviour.mode = "normal";
    api.asked.length = 0;
    expect(await readEverything(directory)).toHaveLength(120);
    expect(api.calls().ListAliases).toBeUndefined();
  });

  it("asks again when it is throttled, and reads all in the end", async () => {
    const { directory, api } = await start({ users: many(6), groups: [] });
    Object.assign(api.behaviour, { mode: "throttle", every: 6 });
    expect(primaries(await readEverything(directory))).toEqual(many(6).map(({ email }) => email));
    expect(api.asked.length).toBeGreaterThan(9);
  });

  it("keeps nobody waiting who asks about one address while a reading is throttled", async () => {
    const { directory, api } = await start({ users: many(2), groups: [] });
    api.behaviour.failing[user("user0").id] = "ThrottlingException";
    const abort = new AbortController();
    let ended = false;
    const reading = failure(readEverything(directory, abort.signal)).finally(() => {
      ended = true;
    });
    while (api.calls().ListAliases === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await directory.readOne(address("user1@corp.example"), never())).toBeDefined();
    expect(ended).toBe(false);
    abort.abort();
    await reading;
  });
});

describe("asking WorkMail about one address", () => {
  it("finds a user under the primary address and an alias, and tells the same as a whole reading", async () => {
    const { directory } = await start();
    const one = await directory.readOne(address("bob@corp.example"), never());
    expect(await directory.readOne(address("bob@corp.awsapps.com"), never())).toEqual(one);
    expect(await readEverything(directory)).toContainEqual(one);
  });

  it("finds a user by an alias it has read before, also where the API does not know aliases", async () => {
    const { directory, api } = await start({ foundByAlias: false });
    const alias = address("bob@corp.awsapps.com");
    expect(await directory.readOne(alias, never())).toBeUndefined();
    await readEverything(directory);
    expect(primaries([(await directory.readOne(alias, never())) as DirectoryRecord])).toEqual(["bob@corp.example"]);
    (api.organization.users[0] as { aliases: string[] }).aliases = [];
    expect(await directory.readOne(alias, never())).toBeUndefined();
  });

  it.each([
    ["lives in the other system", { state: "DISABLED" }],
    ["has lost the mailbox", { mailboxDeprovisionedDate: 1_709_287_200 }],
    ["is a system's user", { role: "SYSTEM_USER" }],
  ] as const)("has no record of a user who %s", async (_, change) => {
    const { directory, api } = await start({ users: [user("bob", change)] });
    expect(await directory.readOne(address("bob@corp.example"), never())).toBeUndefined();
    expect(api.calls()).toEqual({ DescribeUser: 1 });
  });

  it("sees at once that a user has moved, with the aliases of that moment", async () => {
    const { directory, api } = await start();
    const carol = address("carol@corp.example");
    await readEverything(directory);
    expect(await directory.readOne(carol, never())).toBeUndefined();
    const moved = { state: "ENABLED", aliases: ["carol@corp.awsapps.com"], enabledDate: 1_800_000_000 };
    Object.assign(api.organization.users[1] as object, moved);
    expect(await directory.readOne(carol, never())).toMatchObject({
      backend: "workmail",
      addresses: ["carol@corp.example", "carol@corp.awsapps.com"],
    });
  });

  it.each(["o'brien@corp.example", "a&b@corp.example", "x=y#z@corp.example", "müller@corp.example", "a@пример.рф"])(
    "asks nothing about %s, which WorkMail's own rules reject",
    async (text) => {
      const { directory, api } = await start();
      expect(await directory.readOne(address(text), never())).toBeUndefined();
      expect(await directory.readMembers(address(text), 10, never())).toBeUndefined();
      expect(api.asked).toEqual([]);
    },
  );

  it("takes an address that the API rejects for one that is not there", async () => {
    const { directory, api } = await start();
    api.behaviour.failing["bob@corp.example"] = "InvalidParameterException";
    expect(await directory.readOne(address("bob@corp.example"), never())).toBeUndefined();
  });
});

describe("reading the members of a group in WorkMail", () => {
  const nested = () => ({
    users: [
      user("bob"),
      user("carol", { state: "DISABLED", aliases: [] }),
      { id: "S-1-1-12-user-nomail", name: "nomail", state: "DISABLED", role: "USER" } as const,
      { id: "S-1-1-12-user-deleted", name: "deleted", state: "DELETED", role: "USER" } as const,
    ],
    groups: [
      group("team", [
        user("bob").id,
        user("carol").id,
        "S-1-1-12-group-inner",
        "S-1-1-12-user-nomail",
        "S-1-1-12-user-deleted",
      ]),
      group("inner", [user("bob").id]),
    ],
  });
  const members = {
    addresses: ["bob@corp.example", "carol@corp.example", "inner@corp.example"],
    without: 1,
    unknown: 1,
  };

  it("names members of the other system and nested groups, and counts who is there without an address, and who is gone", async () => {
    const { directory } = await start(nested());
    expect(await directory.readMembers(address("team@corp.example"), 100, never())).toEqual(members);
  });

  it("asks only about members it has not read before", async () => {
    const { directory, api } = await start(nested());
    await readEverything(directory);
    api.asked.length = 0;
    expect(await directory.readMembers(address("team@corp.example"), 100, never())).toEqual(members);
    expect(api.calls()).toEqual({ ListGroupMembers: 1, DescribeUser: 2 });
    await directory.readMembers(address("team@corp.example"), 100, never());
    expect(api.calls()).toEqual({ ListGroupMembers: 2, DescribeUser: 2 });
  });

  it("stops reading once it knows more members than wanted", async () => {
    const users = many(250);
    const { directory, api } = await start({
      users,
      groups: [
        group(
          "all",
          users.map(({ id }) => id),
        ),
      ],
    });
    const some = await directory.readMembers(address("all@corp.example"), 120, never());
    expect(some?.addresses).toHaveLength(121);
    expect(api.calls()).toEqual({ DescribeGroup: 1, ListGroupMembers: 2, DescribeUser: 121 });
    expect((await directory.readMembers(address("all@corp.example"), 250, never()))?.addresses).toHaveLength(250);
  });

  it("knows no group that is disabled, or gone since it was read", async () => {
    const { directory, api } = await start({ groups: [group("team", []), group("old", [], { state: "DISABLED" })] });
    await readEverything(directory);
    expect(await directory.readMembers(address("old@corp.example"), 10, never())).toBeUndefined();
    expect(await directory.readMembers(address("team@corp.example"), 10, never())).toEqual({
      addresses: [],
      without: 0,
      unknown: 0,
    });
    api.organization.groups = [];
    expect(await directory.readMembers(address("team@corp.example"), 10, never())).toBeUndefined();
    expect(await directory.readOne(address("team@corp.example"), never())).toBeUndefined();
  });
});

describe("WorkMail's API out of order", () => {
  it.each(["DescribeOrganization", "ListUsers", "ListAliases", "ListGroups"])(
    "says which IAM action is missing when %s is denied",
    async (operation) => {
      const { directory, api } = await start();
      Object.assign(api.behaviour, { mode: "deny", denied: [operation] });
      const error = await failure(readEverything(directory));
      expect(error).toMatchObject({ code: "AccessDeniedException" });
      expect(error.message).toContain(`workmail:${operation}`);
      expect(error.message).toContain(ORGANIZATION_ID);
    },
  );

  it("names the network's code when connections break, and when nobody listens", async () => {
    const { directory, api } = await start();
    api.behaviour.mode = "down";
    expect((await failure(readEverything(directory))).code).toBe("ECONNRESET");
    expect((await failure(directory.readOne(address("bob@corp.example"), never()))).code).toBe("ECONNRESET");
    await api.close();
    const error = await failure(directory.readOne(address("bob@corp.example"), never()));
    expect(error.code).toBe("ECONNREFUSED");
    expect(error.message).toContain("eu-west-1");
  });

  it("does not wait longer than told for an answer", async () => {
    const { directory, api } = await start({}, { timeoutMs: 60 });
    Object.assign(api.behaviour, { mode: "slow", latencyMs: 60_000 });
    const error = await failure(directory.readOne(address("bob@corp.example"), never()));
    expect(error).toMatchObject({ code: "TimeoutError", message: expect.stringContaining("60 ms") });
  });

  it("ends at once when the caller gives up, in all three questions", async () => {
    const { directory, api } = await start({}, { timeoutMs: 120_000 });
    Object.assign(api.behaviour, { mode: "slow", latencyMs: 120_000 });
    for (const ask of [
      (signal: AbortSignal) => readEverything(directory, signal),
      (signal: AbortSignal) => directory.readOne(address("bob@corp.example"), signal),
      (signal: AbortSignal) => directory.readMembers(address("team@corp.example"), 10, signal),
    ]) {
      expect((await failure(ask(AbortSignal.timeout(100)))).code).toBe("TimeoutError");
      const before = api.asked.length;
      const abort = new AbortController();
      const asked = failure(ask(abort.signal));
      while (api.asked.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
      const { abandoned } = api;
      abort.abort();
      expect((await asked).code).toBe("AbortError");
      while (api.abandoned === abandoned) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it("ends at once also while it waits before asking again", async () => {
    const { directory, api } = await start();
    Object.assign(api.behaviour, { mode: "throttle", every: 1 });
    const abort = new AbortController();
    const asked = failure(directory.readOne(address("bob@corp.example"), abort.signal));
    while (api.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect((await asked).code).toBe("AbortError");
  });

  it("refuses questions once it is closed", async () => {
    const { directory } = await start();
    await directory.close();
    expect((await failure(directory.readOne(address("bob@corp.example"), never()))).code).toBe("CLOSED");
  });
});
