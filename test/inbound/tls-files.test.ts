/** A listener's certificate files, looked at while somebody replaces them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { TlsFiles, type TlsPair } from "../../src/inbound/tls-files.js";
import { issueCertificate, type ServerCertificate } from "../support/certificates.js";
import { until } from "../support/until.js";

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const one of cleanUp.splice(0).reverse()) one();
});

let issued: ServerCertificate[];
beforeAll(() => {
  issued = ["one", "two"].map((name) => issueCertificate(mkdtempSync(join(tmpdir(), `tls-${name}-`)), "127.0.0.1"));
});
const content = (i: number, what: "certFile" | "keyFile" | "caFile") =>
  readFileSync((issued[i] as ServerCertificate)[what], "utf8");

/** The files as a listener knows them, what it was told to show, and what the log says. */
function watched() {
  const folder = mkdtempSync(join(tmpdir(), "tls-files-"));
  const [certFile, keyFile, clientCaFile] = ["crt", "key", "ca"].map((end) => join(folder, end)) as [
    string,
    string,
    string,
  ];
  writeFileSync(certFile, content(0, "certFile"));
  writeFileSync(keyFile, content(0, "keyFile"));
  writeFileSync(clientCaFile, content(0, "caFile"));
  const shown: TlsPair[] = [];
  const said: string[] = [];
  const log = {
    info: (_: object, message: string) => void said.push(message),
    error: ({ err }: { err?: Error }) => void said.push(String(err?.message)),
  };
  const tls = new TlsFiles({ certFile, keyFile, clientCaFile, checkSeconds: 0.01 }, log);
  tls.read();
  tls.watch({ setSecureContext: (pair: TlsPair) => void shown.push(pair) } as unknown as Server);
  cleanUp.push(() => tls.unwatch());
  return { files: { certFile, keyFile, clientCaFile }, shown, said };
}

/** As many looks as it takes to be sure. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 100));

describe("certificate files", () => {
  it("are shown anew when the authority of clients alone is another one", async () => {
    const { files, shown, said } = watched();
    await aWhile();
    expect(said).toEqual([]);
    writeFileSync(files.clientCaFile, content(1, "caFile"));
    await until(() => shown.length > 0);
    expect(shown.at(-1)).toMatchObject({ cert: content(0, "certFile"), ca: content(1, "caFile"), requestCert: true });
  });

  it.each([
    ["is missing", (file: string) => rmSync(file)],
    ["is empty", (file: string) => writeFileSync(file, "")],
    ["is half written", (file: string) => writeFileSync(file, content(1, "caFile").slice(0, 200))],
  ])("are renewed when the authority's file, which %s at first, is whole again; said once", async (_, spoil) => {
    const { files, shown, said } = watched();
    spoil(files.clientCaFile);
    writeFileSync(files.certFile, content(1, "certFile"));
    writeFileSync(files.keyFile, content(1, "keyFile"));
    await until(() => said.length > 0);
    await aWhile();
    expect([shown, said]).toMatchObject([[], { length: 1 }]);
    writeFileSync(files.clientCaFile, content(1, "caFile"));
    await until(() => shown.length > 0);
    expect(shown).toMatchObject([{ cert: content(1, "certFile"), ca: content(1, "caFile") }]);
    expect(said.at(-1)).toBe("the renewed certificate is in use");
  });

  it("stay in use while one of them cannot be read, and nothing is new when it can", async () => {
    const { files, shown, said } = watched();
    rmSync(files.keyFile);
    await until(() => said.length > 0);
    writeFileSync(files.keyFile, content(0, "keyFile"));
    await aWhile();
    expect([shown, said]).toMatchObject([[], { length: 1 }]);
  });

  it("are refused at the start without an authority in its file: nobody else's is believed instead", () => {
    const { files } = watched();
    writeFileSync(files.clientCaFile, "");
    expect(() => new TlsFiles({ ...files, checkSeconds: 1 }, { info() {}, error() {} }).read()).toThrow(
      "no certificate of an authority",
    );
  });
});
