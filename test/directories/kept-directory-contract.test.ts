import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import type { DirectoryState } from "../../src/proxy/mailbox-directory.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { type MadeMailboxDirectory, mailboxDirectoryContract } from "../contracts/mailbox-directory-contract.js";
import { FakeDirectorySource } from "../support/fake-directory-source.js";
import { ann, bob, clock, make, never, people, until } from "../support/kept-directory.js";
import { address, group } from "../support/recipient-records.js";

const folder = mkdtempSync(join(tmpdir(), "kept-directory-contract-"));
afterAll(() => rmSync(folder, { recursive: true }));

const named = () => ({ ...bob(), legacyDns: ["/o=Corp/cn=Bob"] });
const known: MadeMailboxDirectory["known"] = [[...bob().addresses, legacyKey("/o=corp/cn=bob")], ann().addresses];
const now = () => instant(clock.now);

mailboxDirectoryContract("a kept directory that has been read", async () => {
  const { directory, source } = make(new FakeDirectorySource([named(), ann(), group("team")]));
  await directory.start();
  const change = async () => {
    source.records = [{ ...named(), backend: "exchange" }, ann()];
    clock.now += 40_000;
    await directory.lookAgain(address("robert@corp.example"), never);
  };
  return {
    directory,
    known: [...known, [address("team@corp.example")]],
    now,
    change,
    close: () => directory.stop(),
  };
});

mailboxDirectoryContract("a kept directory that knows everybody from looking", async () => {
  const { directory, source } = make(new FakeDirectorySource([]));
  await directory.start();
  source.records = [named(), ann()];
  for (const one of people("robert", "ann")) await directory.lookAgain(one, never);
  // What has been looked at is not counted: it is not a reading.
  const state = (): DirectoryState => ({ ...directory.state(), recipients: known.length });
  const counting = new Proxy(directory, {
    get: (_, property) => {
      const value: unknown = property === "state" ? state : Reflect.get(directory, property, directory);
      return typeof value === "function" ? value.bind(directory) : value;
    },
  });
  return { directory: counting, known, now, close: () => directory.stop() };
});

mailboxDirectoryContract("a kept directory that has its snapshot only", async () => {
  const snapshotFile = join(folder, "snapshot");
  const first = make(new FakeDirectorySource([named(), ann()]), { snapshotFile });
  await first.directory.start();
  await until(() => existsSync(snapshotFile));
  await first.directory.stop();
  const source = new FakeDirectorySource([named(), ann()]);
  source.failingPage = 0;
  const { directory } = make(source, { snapshotFile });
  await directory.start();
  return { directory, known, now, close: () => directory.stop() };
});
