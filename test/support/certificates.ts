/** A certificate authority of the test's own, and a server certificate of its for one IP address and any names. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface ServerCertificate {
  /** Files in PEM. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** The authority's certificate, in PEM. */
  readonly ca: string;
}

export function issueCertificate(
  folder: string,
  ip: string,
  names: readonly string[] = [],
  days = 2,
): ServerCertificate {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const [caFile, caKey, certFile, keyFile] = ["ca.crt", "ca.key", "server.crt", "server.key"].map(file) as [
    string,
    string,
    string,
    string,
  ];
  openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-days",
    String(days),
    "-subj",
    "/CN=Test authority",
    "-keyout",
    caKey,
    "-out",
    caFile,
  );
  openssl("req", ...NEW_KEY, "-subj", "/CN=server", "-keyout", keyFile, "-out", file("server.csr"));
  writeFileSync(file("server.ext"), `subjectAltName=${[`IP:${ip}`, ...names.map((name) => `DNS:${name}`)].join()}\n`);
  openssl(
    ...["x509", "-req", "-days", String(days), "-in", file("server.csr"), "-extfile", file("server.ext")],
    ...["-CA", caFile, "-CAkey", caKey, "-CAcreateserial", "-out", certFile],
  );
  return { certFile, keyFile, caFile, ca: readFileSync(caFile, "utf8") };
}
