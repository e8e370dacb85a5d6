/** Clients that others wrote, against our side of the server: curl, and Python's requests with channel binding. */

import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../support/certificates.js";
import { NtlmHttpServer, type NtlmHttpServerOptions } from "../support/ntlm-http-server.js";

const run = promisify(execFile);
const hasCurl = existsSync("/usr/bin/curl");
const hasRequests = existsSync("/usr/lib/python3/dist-packages/requests_ntlm") && existsSync("/usr/bin/openssl");
if (!hasCurl) process.stderr.write("SKIPPED: no curl to authenticate with NTLM (Debian: curl)\n");
if (!hasRequests) process.stderr.write("SKIPPED: no requests with NTLM (Debian: python3-requests-ntlm openssl)\n");

const USERS = { svc: "Secret-1" };
const servers: NtlmHttpServer[] = [];
const start = async (options: Partial<NtlmHttpServerOptions>) => {
  const server = await new NtlmHttpServer({ users: USERS, ...options }).listen();
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

describe.skipIf(!hasCurl)("curl", () => {
  const curl = async (server: NtlmHttpServer, password: string) => {
    const options = [
      "-s",
      "--ntlm",
      "-u",
      `CORP\\svc:${password}`,
      "-d",
      "question",
      "-w",
      "%{http_code}",
      "-o",
      "/dev/null",
    ];
    return (await run("/usr/bin/curl", [...options, server.url.href])).stdout;
  };

  it("is let in where a code over the messages is not required, and only with the password", async () => {
    const server = await start({ ntlm: { integrityCode: "when-promised" } });
    expect(await curl(server, "Secret-1")).toBe("200");
    expect(await curl(server, "secret-1")).toBe("401");
    expect(await curl(await start({}), "Secret-1")).toBe("401");
  });
});

describe.skipIf(!hasRequests)("requests with requests_ntlm", () => {
  const SCRIPT = `
import requests, sys
from requests_ntlm import HttpNtlmAuth
url, ca, password, binding = sys.argv[1:]
auth = HttpNtlmAuth("CORP\\\\svc", password, send_cbt=binding == "binding")
session = requests.Session()
session.auth = auth
answer = session.post(url, data="question", verify=ca or True)
print(answer.status_code, answer.text)
`;
  // It takes MD4 from OpenSSL, which has put it away.
  const LEGACY = `openssl_conf = all
[all]
providers = providers
[providers]
default = active
legacy = active
[active]
activate = 1
`;
  const folder = mkdtempSync(join(tmpdir(), "clients-"));
  const env = { ...process.env, OPENSSL_CONF: join(folder, "openssl.cnf") };
  beforeAll(() => writeFileSync(env.OPENSSL_CONF, LEGACY));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const ask = async (url: URL, ca: string, password = "Secret-1", binding = "binding") =>
    (await run("/usr/bin/python3", ["-c", SCRIPT, url.href, ca, password, binding], { env })).stdout.trim();

  it("is let in with a code over the messages, and only with the password", async () => {
    const { url } = await start({});
    expect(await ask(url, "")).toBe("200 svc: question");
    expect(await ask(url, "", "secret-1")).toBe("401 no");
  });

  it("is let in when it is bound to our certificate, and to no other", async () => {
    const certificate = () => {
      const { certFile, keyFile, caFile } = issueCertificate(folder, "127.0.0.1");
      const cert = readFileSync(certFile, "utf8");
      return { caFile, tls: { cert, key: readFileSync(keyFile, "utf8"), der: new X509Certificate(cert).raw } };
    };
    const other = certificate();
    const { caFile, tls } = certificate();
    const strict = await start({ tls, ntlm: { channelBinding: "required" } });
    expect(await ask(strict.url, caFile)).toBe("200 svc: question");
    expect(await ask(strict.url, caFile, "Secret-1", "none")).toBe("401 no");
    const relayed = await start({ tls: { ...tls, der: other.tls.der } });
    expect(await ask(relayed.url, caFile)).toBe("401 no");
  });
});
