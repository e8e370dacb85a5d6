import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authorityProblems, listenerProblems } from "../../src/config/file-checks.js";
import { issueCertificate } from "../support/certificates.js";

const folder = () => mkdtempSync(join(tmpdir(), "file-checks-"));
const [one, two] = [issueCertificate(folder(), "127.0.0.1"), issueCertificate(folder(), "127.0.0.1")];
const written = (content: string) => {
  const file = join(folder(), "file");
  writeFileSync(file, content);
  return file;
};

describe("the files of a TLS listener", () => {
  it("are fine when certificate and key belong together, with authorities for clients or without", () => {
    const { certFile, keyFile, caFile } = one;
    expect(listenerProblems({ certFile, keyFile })).toEqual([]);
    expect(listenerProblems({ certFile, keyFile, clientCaFile: caFile })).toEqual([]);
  });

  it.each([
    ["the key of another certificate", { ...one, keyFile: two.keyFile }, "keyFile: FILE is not the key of certFile's"],
    ["a certificate for a key", { ...one, keyFile: one.certFile }, "keyFile: FILE is not a private key"],
    ["a key for a certificate", { ...one, certFile: one.keyFile }, "certFile: FILE is not a certificate"],
    ["nothing for a certificate", { ...one, certFile: written("") }, "certFile: FILE is not a certificate"],
    ["no authority for clients", { ...one, clientCaFile: written("") }, "clientCaFile: FILE holds no certificate"],
  ])("with %s are no pair, and which is wrong is said", (_, files, expected) => {
    const [setting] = expected.split(":") as [keyof typeof files];
    expect(listenerProblems(files)).toEqual([
      expect.stringContaining(`listen.tls.${expected.replace("FILE", String(files[setting]))}`),
    ]);
  });
});

describe("a file of authorities", () => {
  it("holds at least one certificate, and each can be read", () => {
    const both = written(`# ours\n${one.ca}\n# theirs\n${two.ca}`);
    expect(authorityProblems("caFile", both)).toEqual([]);
    expect(authorityProblems("caFile", "/nonexistent.pem")).toEqual([
      "caFile: /nonexistent.pem cannot be read (ENOENT).",
    ]);
    const cut = written(one.ca.replace(/.{8}\n-----END/, "\n-----END"));
    expect(authorityProblems("caFile", cut)).toEqual([`caFile: ${cut} holds a certificate that cannot be read.`]);
  });
});
