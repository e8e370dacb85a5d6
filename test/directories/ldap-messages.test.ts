import type { Socket } from "node:net";
import fc from "fast-check";
import { PresenceFilter } from "ldapts";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DirectoryError } from "../../src/directories/directory-source.js";
import { LdapConnection } from "../../src/directories/ldap-connection.js";
import { LdapMessages, NotLdap } from "../../src/directories/ldap-messages.js";
import * as ber from "../support/ber.js";
import { startImpostor } from "../support/impostor.js";

const ANN = ber.entry("CN=Ann", ber.attribute("mail", "ann@corp.example", "a@corp.example"), ber.attribute("empty"));

describe("LDAP messages", () => {
  const parts = fc.constantFrom(
    [ANN],
    [ber.entry("CN=Nobody")],
    [ber.reference("ldap://other.example")],
    [ber.done(), ber.paged("next")],
    [ber.bound()],
    [ber.disconnecting()],
    [ber.entry("CN=Group", ber.attribute("member", ...Array.from({ length: 300 }, (_, i) => `CN=Member ${i}`)))],
  );

  it("are the same in whatever pieces they come", () => {
    const messages = fc.array(fc.tuple(fc.integer({ min: 0, max: 127 }), parts), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(9_000), { maxLength: 40 }), (made, cuts) => {
        const sent = made.map(([id, of]) => ber.message(id, ...of));
        const all = Buffer.concat(sent);
        const reader = new LdapMessages();
        const ends = [...new Set([...cuts.map((cut) => cut % all.length), all.length])].sort((a, b) => a - b);
        const read = ends.flatMap((end, i) => [...reader.whole(all.subarray(ends[i - 1] ?? 0, end))]);
        expect(read.map((bytes) => bytes.toString("hex"))).toEqual(sent.map((bytes) => bytes.toString("hex")));
      }),
    );
  });

  it.each([
    ["a page of HTML", Buffer.from("<html>")],
    ["a length nobody has given", Buffer.from([0x30, 0x80])],
    ["a length of five bytes", Buffer.from([0x30, 0x85, 0, 0, 0, 0, 1])],
    ["a length below nothing", Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff])],
    ["more than any message has", Buffer.from([0x30, 0x84, 0x02, 0, 0, 0x01])],
  ])("are refused at their first bytes: %s", (_, bytes) => {
    expect(() => [...new LdapMessages().whole(bytes)]).toThrow(NotLdap);
  });
});

/** What a reader that trusts lengths reads for ever, or reads beyond the end of. */
const WRONG: Readonly<Record<string, Buffer>> = {
  "a value longer than its attribute": ber.ENDLESS_ENTRY,
  "an attribute that is a text": ber.element(0x64, ber.text("CN=Ann"), ber.element(0x30, ber.text("\x04\x7f"))),
  "an attribute without values": ber.element(
    0x64,
    ber.text("CN=Ann"),
    ber.element(0x30, ber.element(0x30, ber.text("mail"))),
  ),
  "a list longer than its message": Buffer.concat([
    ber.element(0x64, ber.text("CN=Ann")).fill(0x0d, 1, 2),
    Buffer.from([0x30, 0x7f, 0x30]),
  ]),
  "a reference longer than its message": ber.element(0x73, Buffer.from([0x04, 0x7f, 0x61])),
  "a control that is a text": Buffer.concat([ber.done(), ber.element(0xa0, ber.text("\x30"))]),
  "controls where they do not belong": ber.element(
    0x65,
    ber.number(0, 0x0a),
    ber.text(""),
    ber.text(""),
    ber.element(0xa0, ber.text("\x30")),
  ),
  "nothing but the number of a message": Buffer.alloc(0),
  "an operation longer than its message": Buffer.from([0x64, 0x7f]),
};

async function open(connected: (socket: Socket) => void): Promise<LdapConnection> {
  const { host, port, close } = await startImpostor(connected);
  onTestFinished(close);
  const url = `ldap://${host}:${port}`;
  const connection = await LdapConnection.open({ url, bindDn: "CN=gateway", password: "secret", timeoutMs: 5_000 });
  onTestFinished(() => connection.close());
  return connection;
}

/** A server that takes every name, and answers every search with these bytes. */
const answering = (says: (id: number) => Buffer) =>
  open((socket) => {
    let bind = true;
    socket.on("data", (asked) => {
      const id = ber.idOf(asked);
      socket.write(bind ? ber.message(id, ber.bound()) : says(id));
      bind = false;
    });
  });

const EVERYBODY = { baseDn: "DC=corp", scope: "sub", attributes: ["mail"] } as const;
const search = (connection: LdapConnection) =>
  connection.search({ ...EVERYBODY, filter: new PresenceFilter({ attribute: "mail" }) }, new AbortController().signal);

describe("a directory that answers", () => {
  it("with what is right is read", async () => {
    const connection = await answering((id) => Buffer.concat([ber.message(id, ANN), ber.message(id, ber.done())]));
    expect(await search(connection)).toMatchObject([{ dn: "CN=Ann" }]);
    expect(connection.usable).toBe(true);
  });

  it.each(Object.entries(WRONG))("with %s is not believed, and costs its connection", async (_, wrong) => {
    const connection = await answering((id) =>
      Buffer.concat([ber.message(id, wrong), ber.message(id, ANN), ber.message(id, ber.done())]),
    );
    await expect(search(connection)).rejects.toMatchObject({ code: "UnreadableAnswer" });
    expect(connection.usable).toBe(false);
  });

  it("with what is no LDAP at all is not believed, before its password is known to be wrong", async () => {
    const opened = open((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(opened).rejects.toMatchObject({ code: "UnreadableAnswer" });
  });
});

describe("a directory that answers page by page", () => {
  const page = (found: readonly Buffer[], ...controls: readonly Buffer[]) => {
    const parts = [...found.map((one) => [one]), [ber.done(), ...controls]];
    return (id: number) => Buffer.concat(parts.map((part) => ber.message(id, ...part)));
  };
  const more = ber.paged("more");
  const bob = ber.entry("CN=Bob", ber.attribute("mail", "bob@corp.example"));
  const other = ber.reference("ldap://other.example");

  async function readPages(...pages: readonly ((id: number) => Buffer)[]) {
    let asked = 0;
    const read: string[][] = [];
    const connection = await answering((id) => (pages[asked++ % pages.length] as (id: number) => Buffer)(id));
    const filter = new PresenceFilter({ attribute: "mail" });
    try {
      for await (const one of connection.pages({ ...EVERYBODY, filter }, 2, new AbortController().signal)) {
        read.push(one.map(({ dn }) => dn));
      }
      return { read, code: undefined };
    } catch (error) {
      return { read, code: (error as DirectoryError).code };
    }
  }

  it("is read to its end, though cookies look the same", async () => {
    expect(await readPages(page([ANN], more), page([bob, other], more), page([other]))).toEqual({
      read: [["CN=Ann"], ["CN=Bob"], []],
      code: undefined,
    });
  });

  it.each([
    ["the same page for ever", [page([ANN], more)], [["CN=Ann"]]],
    ["two pages by turns for ever", [page([ANN], more), page([bob], more)], [["CN=Ann"], ["CN=Bob"]]],
    ["the same reference for ever", [page([other], more)], [[]]],
  ])("with %s is not read for ever", async (_, pages, read) => {
    expect(await readPages(...pages)).toEqual({ read, code: "RepeatedPage" });
  });
});
