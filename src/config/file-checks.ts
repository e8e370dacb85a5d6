/**
 * Decides whether the files that settings name can be used: read at all, and, where they are certificates, what they are
 * said to be. A file's content is never part of a message.
 */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { at } from "./raw-values.js";

export function unreadable(path: string, file: string): string[] {
  try {
    readFileSync(file);
    return [];
  } catch (error) {
    return [`${path}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`];
  }
}

/** What is wrong with a file of authorities. With none in it, TLS would believe those that everybody believes. */
export function authorityProblems(path: string, file: string): string[] {
  const problems = unreadable(path, file);
  if (problems.length > 0) return problems;
  const pems = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (pems.length === 0) return [`${path}: ${file} holds no certificate in PEM.`];
  try {
    for (const pem of pems) new X509Certificate(pem);
    return [];
  } catch {
    return [`${path}: ${file} holds a certificate that cannot be read.`];
  }
}

/** What is wrong with `listen.tls`. */
export function listenerProblems(tls: unknown): string[] {
  const [certFile, keyFile] = [at(tls, "certFile"), at(tls, "keyFile")];
  const problems: string[] = [];
  if (typeof certFile === "string") problems.push(...unreadable("listen.tls.certFile", certFile));
  if (typeof keyFile === "string") problems.push(...unreadable("listen.tls.keyFile", keyFile));
  if (problems.length === 0 && typeof certFile === "string" && typeof keyFile === "string") {
    problems.push(...pairProblems(certFile, keyFile));
  }
  const clientCa = at(tls, "clientCaFile");
  if (typeof clientCa === "string") problems.push(...authorityProblems("listen.tls.clientCaFile", clientCa));
  return problems;
}

function pairProblems(certFile: string, keyFile: string): string[] {
  const cert = readFileSync(certFile);
  for (const [setting, pair, expected] of [
    ["certFile", { cert }, "a certificate"],
    ["keyFile", { key: readFileSync(keyFile) }, "a private key without a passphrase"],
    ["keyFile", { cert, key: readFileSync(keyFile) }, "the key of certFile's first certificate"],
  ] as const) {
    try {
      createSecureContext(pair);
    } catch {
      return [`listen.tls.${setting}: ${setting === "certFile" ? certFile : keyFile} is not ${expected}, in PEM.`];
    }
  }
  return [];
}
