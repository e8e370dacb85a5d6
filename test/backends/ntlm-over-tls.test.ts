/** What TLS adds: whom a proof is for. */

import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { issueCertificate } from "../support/certificates.js";
import { failure, NtlmSite, never } from "../support/ntlm-site.js";

const site = new NtlmSite();
afterEach(() => site.close());

const hasOpenssl = existsSync("/usr/bin/openssl");
if (!hasOpenssl) process.stderr.write("SKIPPED: no TLS to bind NTLM to (Debian: openssl)\n");

describe.skipIf(!hasOpenssl)("over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "ntlm-tls-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const certificateFor = (ip: string) => {
    const { certFile, keyFile, ca } = issueCertificate(folder, ip);
    const cert = readFileSync(certFile, "utf8");
    return { ca, tls: { cert, key: readFileSync(keyFile, "utf8"), der: new X509Certificate(cert).raw } };
  };

  it("an identity is bound to the server's certificate, on every connection", async () => {
    const { ca, tls } = certificateFor("127.0.0.1");
    const server = await site.server({ tls, ntlm: { channelBinding: "required" } });
    const transport = site.transport(server.url, { ca });
    const answers = await Promise.all(Array.from({ length: 9 }, () => transport.post("x", never)));
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(200));
    server.cut();
    expect((await transport.post("x", never)).status).toBe(200);
    expect(await transport.reach(never)).toBe(401);
  });

  it("a proof for one certificate is worth nothing to the holder of another", async () => {
    const { ca, tls } = certificateFor("127.0.0.1");
    const relayed = { ...tls, der: certificateFor("127.0.0.1").tls.der };
    const server = await site.server({ tls: relayed });
    expect((await site.transport(server.url, { ca }).post("x", never)).status).toBe(401);
  });

  it("nobody is told anything who has a certificate for another host, or from another authority", async () => {
    const named = certificateFor("127.0.0.2");
    const other = await site.server({ tls: named.tls });
    const post = (url: URL, ca?: string) => failure(site.transport(url, { ca }).post("x", never));
    expect((await post(other.url, named.ca)).code).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    const unknown = certificateFor("127.0.0.1");
    const server = await site.server({ tls: unknown.tls });
    expect((await post(server.url)).code).toMatch(/SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/);
    expect([...other.arrivals, ...server.arrivals]).toEqual([]);
  });
});
