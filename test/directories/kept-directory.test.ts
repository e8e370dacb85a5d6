import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY_MS } from "../../src/availability/time-window.js";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { FakeDirectorySource } from "../support/fake-directory-source.js";
import {
  ann,
  bob,
  clock,
  make,
  moveTimeByHand,
  numbered,
  pass,
  people,
  REFRESH_MS,
  refresh,
  start,
  until,
} from "../support/kept-directory.js";
import { mailbox } from "../support/recipient-records.js";

const folder = mkdtempSync(join(tmpdir(), "kept-directory-"));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true }));
moveTimeByHand();

describe("reading the whole directory", () => {
  it("claims what was read, from the time when the reading began", async () => {
    const source = new FakeDirectorySource([bob(), ann()]);
    source.before = (what) => {
      if (what.startsWith("page")) clock.now += 1_000;
    };
    const { directory, readings, find } = make(source);
    await directory.start();
    expect(find("robert")).toEqual({
      kind: "mailbox",
      backend: "workmail",
      address: "bob@corp.example",
      rule: "ad: type of workmail",
      learntAt: 1_000_000,
    });
    expect(directory.state()).toEqual({ from: "live", recipients: 2, readAt: 1_003_000, problem: undefined });
    expect(readings).toEqual([{ directory: "ad", recipients: 2, changed: 2, durationMs: 3_000, problem: undefined }]);
  });

  it("starts without the directory, says why and what follows, and tries again", async () => {
    const source = new FakeDirectorySource([bob()]);
    source.failingPage = 1;
    const made = make(source);
    await made.directory.start();
    expect(made.directory.state()).toEqual({
      from: "none",
      recipients: 0,
      readAt: undefined,
      problem: "page 1 was refused (ECONNREFUSED); nothing is known of this directory until it can be read",
    });
    expect(made.find("bob")).toBeUndefined();
    source.failingPage = undefined;
    expect(await refresh(made, 5_000)).toMatchObject({ recipients: 1, problem: undefined });
    expect(made.directory.state()).toMatchObject({ from: "live", problem: undefined });
  });

  it.each([0, 1, 2, 3])("keeps all of what it had when page %i of the next reading fails", async (page) => {
    const made = await start([bob(), ann()]);
    made.source.records = [mailbox("exchange", "bob"), mailbox("workmail", "ann"), mailbox("workmail", "new")];
    made.source.failingPage = page;
    const before = ["bob", "robert", "ann", "new"].map(made.find);
    const reading = await refresh(made);
    expect(reading).toMatchObject({ recipients: 2, changed: 0 });
    expect(reading.problem).toContain("1970-01-01T00:16:40.000Z stays in use");
    expect(["bob", "robert", "ann", "new"].map(made.find)).toEqual(before);
    expect(made.directory.state()).toMatchObject({ from: "live", recipients: 2, problem: reading.problem });
    expect(made.changes).toEqual([]);
  });

  it("shows nobody half of a reading", async () => {
    const made = await start([bob(), ann()]);
    made.source.records = [mailbox("exchange", "bob"), mailbox("workmail", "ann")];
    const seen = new Set<string>();
    made.source.before = async () => {
      await turn();
      seen.add([made.find("bob")?.backend, made.find("ann")?.backend, made.find("robert")?.backend].join());
    };
    await refresh(made);
    expect([...seen]).toEqual(["workmail,exchange,workmail"]);
    expect([made.find("bob")?.backend, made.find("ann")?.backend, made.find("robert")]).toEqual([
      "exchange",
      "workmail",
      undefined,
    ]);
  });

  it("reads again when the time has passed since the end of the last reading, not sooner", async () => {
    const made = await start([bob()]);
    await until(() => vi.getTimerCount() === 1);
    pass(REFRESH_MS - 1);
    await turn();
    expect(made.source.count("all")).toBe(1);
    pass(1);
    await until(() => made.readings.length === 2);
    expect(made.source.count("all")).toBe(2);
  });

  it("tries again after 5 seconds, 10, 20, and never waits longer than between readings", async () => {
    const made = await start([bob()]);
    made.source.failingPage = 0;
    await refresh(made);
    for (const ms of [5_000, 10_000, 20_000, 40_000, REFRESH_MS, REFRESH_MS]) {
      await until(() => vi.getTimerCount() === 1);
      const before = made.readings.length;
      pass(ms - 1);
      await turn();
      expect(made.readings.length).toBe(before);
      pass(1);
      await until(() => made.readings.length > before);
    }
    made.source.failingPage = undefined;
    await refresh(made);
    made.source.failingPage = 0;
    await refresh(made);
    expect(await refresh(made, 5_000)).toMatchObject({ changed: 0 });
  });

  it.each([
    [0, 4_000],
    [0.999, 5_999],
  ])("spreads the tries of many gateways: %f", async (random, ms) => {
    const source = new FakeDirectorySource([bob()]);
    source.failingPage = 0;
    const made = make(source, { random: () => random });
    await made.directory.start();
    await until(() => vi.getTimerCount() === 1);
    pass(ms - 10);
    await turn();
    expect(made.readings).toHaveLength(1);
    await refresh(made, 20);
  });

  it("does not believe that a directory of eleven is empty all at once", async () => {
    const made = await start(numbered(11));
    made.source.records = [];
    const { problem } = await refresh(made);
    expect(problem).toContain("came back empty, where it had 11 recipients");
    expect(problem).toContain("(Empty)");
    expect(made.find("u7")).toBeDefined();
    made.source.records = numbered(1);
    expect(await refresh(made, 5_000)).toMatchObject({ recipients: 1, problem: undefined });
  });

  it("believes that a directory of ten is empty", async () => {
    const made = await start(numbered(10));
    made.source.records = [];
    expect(await refresh(made)).toMatchObject({ recipients: 0, changed: 10, problem: undefined });
  });

  it("believes that more than half of a hundred are gone when two readings in a row say so", async () => {
    const made = await start(numbered(100));
    made.source.records = numbered(49);
    const { problem, changed } = await refresh(made);
    expect(problem).toContain("came back with 49 recipients, where it had 100");
    expect(problem).toContain("(GreatLoss); what was read at 1970-01-01T00:16:40.000Z stays in use");
    expect(changed).toBe(0);
    expect(made.find("u99")).toBeDefined();
    // Not sooner than in its turn: whatever cuts a directory short may last a while.
    await until(() => vi.getTimerCount() === 1);
    pass(REFRESH_MS - 1);
    await turn();
    expect(made.source.count("all")).toBe(2);
    made.source.records = numbered(48);
    expect(await refresh(made, 1)).toMatchObject({ recipients: 48, changed: 52, problem: undefined });
    expect(made.find("u99")).toBeUndefined();
  });

  it.each(["a good reading", "a failure", "an empty reading"])(
    "doubts a great loss again after %s",
    async (between) => {
      const made = await start(numbered(100));
      made.source.records = numbered(3);
      await refresh(made);
      if (between === "a failure") made.source.failingPage = 0;
      else made.source.records = between === "a good reading" ? numbered(101) : [];
      await refresh(made);
      made.source.failingPage = undefined;
      made.source.records = numbered(3);
      expect((await refresh(made)).problem).toContain("(GreatLoss)");
      expect(made.find("u98")).toBeDefined();
      expect(await refresh(made)).toMatchObject({ recipients: 3, problem: undefined });
    },
  );

  it.each([
    [100, 50],
    [99, 1],
  ])("believes at once that of %i recipients %i are left", async (before, left) => {
    const made = await start(numbered(before));
    made.source.records = numbered(left);
    expect(await refresh(made)).toMatchObject({ recipients: left, problem: undefined });
  });

  it("gives up on a page that does not come within a quarter of an hour, and on its reading", async () => {
    const made = await start([bob()]);
    let aborted = false;
    made.source.before = (_, signal) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    };
    await until(() => vi.getTimerCount() === 1);
    pass(REFRESH_MS);
    await until(() => vi.getTimerCount() === 1);
    pass(15 * 60_000);
    await until(() => made.readings.length === 2);
    expect(made.readings[1]?.problem).toContain("did not answer within 900000 ms (ETIMEDOUT)");
    expect(aborted).toBe(true);
    made.source.before = () => undefined;
    expect(await refresh(made, 5_000)).toMatchObject({ problem: undefined });
  });

  it("counts the addresses that two recipients have", async () => {
    const { directory } = await start([bob(), mailbox("exchange", "ann", "robert")]);
    expect(directory.conflicts).toBe(1);
  });
});

describe("telling of changes", () => {
  it("names all old and new addresses of whoever has changed, and nobody else's", async () => {
    const made = await start([bob(), ann(), mailbox("exchange", "carol"), mailbox("exchange", "dave")]);
    made.source.records = [
      mailbox("exchange", "bob", "bobby"),
      ann(),
      mailbox("exchange", "dave"),
      mailbox("w", "new"),
    ];
    expect(await refresh(made)).toMatchObject({ changed: 3 });
    const changed = people("bob", "bob@corp.awsapps.com", "robert", "bobby", "carol", "new");
    expect(made.changes.map((one) => [...one].sort())).toEqual([changed.sort()]);
  });

  it("says nothing when nothing has changed", async () => {
    const made = await start([bob(), ann()]);
    made.source.records = [ann(), { ...bob(), evidence: "otherwise known" }];
    expect(await refresh(made)).toMatchObject({ changed: 0, recipients: 2 });
    expect(made.changes).toEqual([]);
    expect(made.find("bob")?.rule).toBe("ad: otherwise known");
  });

  it("says all when more than 10,000 addresses are concerned", async () => {
    const made = await start([bob()]);
    made.source.pageSize = 1000;
    made.source.records = numbered(10_001);
    expect(await refresh(made)).toMatchObject({ changed: 10_002 });
    expect(made.changes).toEqual(["all"]);
  });

  it("goes on when a listener throws, and says so", async () => {
    const made = await start([bob()]);
    let faulty = true;
    made.directory.onChange(() => {
      if (faulty) throw new TypeError("no such thing");
    });
    made.source.records = [ann()];
    expect((await refresh(made)).problem).toContain("TypeError: no such thing");
    expect(made.find("ann")).toBeDefined();
    made.source.records = [bob()];
    clock.now += 60_000;
    expect(await made.look("bob")).toBe(false);
    faulty = false;
    expect(await refresh(made, 5_000)).toMatchObject({ problem: undefined });
  });
});

describe("a snapshot", () => {
  let snapshotFile = "";
  beforeEach(() => {
    snapshotFile = join(folder, `snapshot${files++}`);
  });
  const written = () => until(() => existsSync(snapshotFile));
  async function leave(records: DirectoryRecord[]) {
    const made = await start(records, { snapshotFile });
    await written();
    await made.directory.stop();
  }

  it("serves a start while the directory cannot be asked, until it can", async () => {
    await leave([bob(), ann()]);
    clock.now += 5_000;
    const source = new FakeDirectorySource([mailbox("exchange", "bob")]);
    source.failingPage = 0;
    const made = make(source, { snapshotFile });
    await made.directory.start();
    expect(made.directory.state()).toMatchObject({ from: "snapshot", recipients: 2, readAt: 1_000_000 });
    expect(made.find("robert")).toMatchObject({ backend: "workmail", learntAt: 1_000_000 });
    expect(made.changes).toEqual(["all"]);
    await until(() => made.readings.length === 1);
    expect(made.directory.state()).toMatchObject({
      from: "snapshot",
      problem: expect.stringContaining("ECONNREFUSED"),
    });
    source.failingPage = undefined;
    expect(await refresh(made, 5_000)).toMatchObject({ recipients: 1, changed: 2 });
    expect(made.directory.state()).toMatchObject({ from: "live", problem: undefined });
    expect(made.find("bob")).toMatchObject({ backend: "exchange" });
  });

  it("lets a start end before the directory has answered", async () => {
    await leave([bob()]);
    const source = new FakeDirectorySource([bob()]);
    source.before = () => new Promise(() => undefined);
    const made = make(source, { snapshotFile });
    await made.directory.start();
    expect(made.find("bob")).toBeDefined();
    await made.directory.stop();
  });

  it("that cannot be used is told, and replaced after the next reading", async () => {
    await leave([bob()]);
    writeFileSync(snapshotFile, readFileSync(snapshotFile).subarray(0, -3));
    const source = new FakeDirectorySource([ann()]);
    source.failingPage = 0;
    const made = make(source, { snapshotFile });
    await made.directory.start();
    expect(made.directory.state()).toMatchObject({ from: "none", recipients: 0 });
    expect(made.directory.state().problem).toContain(`the snapshot ${snapshotFile} is cut short; it is written anew`);
    source.failingPage = undefined;
    await refresh(made, 5_000);
    await until(() => made.directory.state().problem === undefined);
    expect(readFileSync(snapshotFile, "utf8")).toContain("ann@corp.example");
  });

  it("is written again when something has changed or it is a day old, and not otherwise", async () => {
    const made = await start([bob()], { snapshotFile });
    await written();
    const isNew = async () => {
      await refresh(made);
      await until(() => vi.getTimerCount() === 1);
      return readFileSync(snapshotFile, "utf8").includes(`"readAt":${clock.now}`);
    };
    expect(await isNew()).toBe(false);
    made.source.records = [bob(), ann()];
    expect(await isNew()).toBe(true);
    expect(await isNew()).toBe(false);
    clock.now += DAY_MS;
    expect(await isNew()).toBe(true);
  });

  it("that cannot be written is told and tried again, and what was read counts all the same", async () => {
    const nowhere = join(folder, `nowhere${files++}`, "file");
    const made = await start([bob()], { snapshotFile: nowhere });
    await until(() => made.directory.state().problem !== undefined);
    expect(made.directory.state().problem).toBe(
      `the snapshot ${nowhere} cannot be written (ENOENT): check its folder, the rights and the space`,
    );
    expect(made.find("bob")).toBeDefined();
    expect(made.readings[0]?.problem).toBeUndefined();
  });

  it("that could not be written is written when it can be, though nothing has changed since", async () => {
    const inside = join(folder, `inside${files++}`);
    mkdirSync(inside);
    const made = await start([bob()], { snapshotFile: join(inside, "file") });
    await until(() => existsSync(join(inside, "file")));
    await until(() => vi.getTimerCount() === 1);
    rmSync(inside, { recursive: true });
    made.source.records = [ann()];
    await refresh(made);
    await until(() => made.directory.state().problem !== undefined);
    mkdirSync(inside);
    expect(await refresh(made)).toMatchObject({ changed: 0 });
    await until(() => made.directory.state().problem === undefined);
    expect(readFileSync(join(inside, "file"), "utf8")).toContain("ann@corp.example");
  });

  it("is left whole by a stop in the middle of writing", async () => {
    await leave([bob()]);
    const made = make(new FakeDirectorySource(numbered(5_000)), { snapshotFile });
    made.source.pageSize = 1000;
    await made.directory.start();
    await until(() => made.readings.length > 0);
    await made.directory.stop();
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
    const again = make(new FakeDirectorySource(), { snapshotFile });
    await again.directory.start();
    expect(again.directory.state().from).toBe("snapshot");
  });

  it("keeps its recipients when the directory then comes back empty", async () => {
    await leave(numbered(11));
    const made = make(new FakeDirectorySource([]), { snapshotFile });
    await made.directory.start();
    await until(() => made.readings.length === 1);
    expect(made.readings[0]?.problem).toContain(`remove ${snapshotFile} and restart`);
    expect(made.find("u1")).toBeDefined();
  });
});

describe("stopping a kept directory", () => {
  it("gives up a reading, also of a source that does not listen, and closes the source once", async () => {
    const made = await start([bob()]);
    let signal: AbortSignal | undefined;
    made.source.before = (_, given) => {
      signal = given;
      return new Promise(() => undefined);
    };
    await until(() => vi.getTimerCount() === 1);
    pass(REFRESH_MS);
    await until(() => signal !== undefined);
    await made.directory.stop();
    await made.directory.stop();
    expect(signal?.aborted).toBe(true);
    expect(made.source.closed).toBe(1);
    expect(made.readings).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends the waiting for the next reading", async () => {
    const made = await start([bob()]);
    await until(() => vi.getTimerCount() === 1);
    await made.directory.stop();
    pass(10 * REFRESH_MS);
    await turn();
    expect(made.source.count("all")).toBe(1);
    expect(made.find("bob")).toBeDefined();
  });

  it("ends looks under way, and asks nothing any more", async () => {
    const made = await start([bob()]);
    made.source.before = (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    const look = made.look("bob");
    await made.directory.stop();
    expect(await look).toBe(false);
    expect(await made.look("bob")).toBe(false);
    expect(made.source.count("one")).toBe(1);
  });

  it("ends a start that waits for the first reading", async () => {
    const source = new FakeDirectorySource([bob()]);
    source.before = () => new Promise(() => undefined);
    const made = make(source);
    const starting = made.directory.start();
    await until(() => source.count("all") === 1);
    await made.directory.stop();
    await starting;
    expect(made.directory.state().from).toBe("none");
  });

  it("closes the source of a directory that was never started", async () => {
    const made = make(new FakeDirectorySource());
    await made.directory.stop();
    expect(made.source.closed).toBe(1);
  });
});
