import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LdapDirectory } from "../../src/directories/ldap-directory.js";
import { readEverything } from "../contracts/directory-source-contract.js";
import * as ber from "../support/ber.js";
import { startImpostor } from "../support/impostor.js";
import { codeOf, never } from "../support/ldap-recipients.js";
import { address } from "../support/recipient-records.js";

const MINUTE_MS = 60_000;

/** A directory of nobody, which takes one password, or is silent about all. */
async function start() {
  const tried: string[] = [];
  const server = { accepts: "right", silent: false, asked: 0 };
  const clock = { now: 0 };
  const account = { password: "wrong" };
  const { host, port, close } = await startImpostor((socket) => {
    let bound = false;
    socket.on("data", (asked) => {
      server.asked++;
      if (server.silent) return;
      const id = ber.idOf(asked);
      const password = ["wrong", "right", "worse"].find((one) => asked.includes(one));
      if (password === undefined) {
        // A search; or a farewell.
        if (bound) socket.write(ber.message(id, ber.done()));
        return;
      }
      tried.push(password);
      bound = password === server.accepts;
      socket.write(ber.message(id, bound ? ber.bound() : ber.refused()));
    });
  });
  const directory = new LdapDirectory({
    url: `ldap://${host}:${port}`,
    bindDn: "CN=gateway",
    get password() {
      return account.password;
    },
    baseDn: "DC=corp",
    timeoutMs: 5_000,
    mailboxBackend: "exchange",
    backendOfDomain: () => undefined,
    now: () => clock.now,
  });
  onTestFinished(async () => {
    await directory.close();
    await close();
  });
  const look = (name = "bob") => directory.readOne(address(`${name}@corp.example`), never());
  return { tried, server, clock, account, directory, look };
}

describe("a password that the directory refused", () => {
  it("is tried once, by whoever asks and however many, and all are told that it was refused", async () => {
    const { tried, directory, look } = await start();
    const together = [readEverything(directory), ...["ann", "bob", "eve"].map(look)];
    expect(await Promise.all(together.map(codeOf))).toEqual(Array(4).fill("InvalidCredentials"));
    const later = [readEverything(directory), look(), directory.readMembers(address("t@corp.example"), 5, never())];
    expect(await Promise.all(later.map(codeOf))).toEqual(Array(3).fill("InvalidCredentials"));
    expect(tried).toEqual(["wrong"]);
  });

  it("is tried again after 5, 15, 35 and 65 minutes, then every half hour", async () => {
    const { tried, clock, directory, look } = await start();
    const minutes: number[] = [];
    for (let minute = 0; minute <= 130; minute++) {
      clock.now = minute * MINUTE_MS;
      const before = tried.length;
      await codeOf(look());
      await codeOf(readEverything(directory));
      if (tried.length > before) minutes.push(minute);
    }
    expect(minutes).toEqual([0, 5, 15, 35, 65, 95, 125]);
    expect(tried).toHaveLength(7);
  });

  it("gives way to another one at once, which has its own times", async () => {
    const { tried, clock, account, directory, look } = await start();
    await codeOf(look());
    clock.now += 5 * MINUTE_MS;
    await codeOf(look());
    account.password = "worse";
    await codeOf(look());
    clock.now += 5 * MINUTE_MS;
    await codeOf(look());
    account.password = "right";
    expect(await look()).toBeUndefined();
    expect(await readEverything(directory)).toEqual([]);
    expect(tried).toEqual(["wrong", "wrong", "worse", "worse", "right", "right"]);
  });

  it("begins anew with five minutes once it was accepted", async () => {
    const { tried, server, clock, directory } = await start();
    const read = async () => codeOf(readEverything(directory)).catch(() => "read");
    await read();
    clock.now += 5 * MINUTE_MS;
    server.accepts = "wrong";
    await read();
    server.accepts = "right";
    for (const minutes of [0, 4, 1]) {
      clock.now += minutes * MINUTE_MS;
      await read();
    }
    expect(tried).toEqual(["wrong", "wrong", "wrong", "wrong"]);
  });
});

describe("a bind that nobody answered", () => {
  it("is no refusal: the next question tries again", async () => {
    const { tried, server, account, directory, look } = await start();
    account.password = "right";
    server.silent = true;
    const abort = new AbortController();
    const reading = codeOf(readEverything(directory, abort.signal));
    const waiting = look();
    await vi.waitUntil(() => server.asked === 1, 10_000);
    abort.abort();
    server.silent = false;
    expect(await reading).toBe("Aborted");
    expect(await waiting).toBeUndefined();
    expect(tried).toEqual(["right"]);
  });
});
