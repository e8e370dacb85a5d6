/** Clients that others wrote sign in to our listener: curl with NTLM, curl with SPNEGO and gss-ntlmssp, exchangelib. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NtlmAuthentication, type NtlmAuthenticationParts } from "../../src/inbound/ntlm-authentication.js";
import { readChallenge, writeNegotiate } from "../../src/ntlm/ntlm-messages.js";
import { beginNtlm } from "../../src/ntlm/ntlm-server.js";
import { ntHash } from "../../src/ntlm/ntlmv2.js";
import { issueCertificate } from "../support/certificates.js";
import { authorization, PROJECT, startSite } from "../support/gateway-process.js";
import { backoff, callerNamed, type SignInServerOptions, startSignInServer } from "../support/sign-in-server.js";

const run = promisify(execFile);
/** curl makes two letters of one outside of ASCII. */
const PASSWORD = "Secret-1";
const hasCurl = existsSync("/usr/bin/curl");
const hasSpnego = hasCurl && existsSync("/etc/gss/mech.d/mech.ntlmssp.conf") && echoesSigning();
const PACKAGES = "/usr/lib/python3/dist-packages";
const hasExchangelib = existsSync(`${PACKAGES}/exchangelib`) && existsSync(`${PACKAGES}/requests_ntlm`);
if (!hasCurl) process.stderr.write("SKIPPED: no curl to sign in with NTLM (Debian: curl)\n");
if (!hasSpnego) process.stderr.write("SKIPPED: no SPNEGO with NTLM (Debian: curl gss-ntlmssp)\n");
if (!hasExchangelib)
  process.stderr.write("SKIPPED: no exchangelib with NTLM (Debian: python3-exchangelib python3-requests-ntlm)\n");

/** gss-ntlmssp asks for signing, inside of SPNEGO, and goes away where it is not at least agreed to. */
function echoesSigning(): boolean {
  const signing = 0x10;
  const negotiate = writeNegotiate({ flags: 0xe208_8217 });
  const names = { domain: "GATEWAY", computer: "GATEWAY", dnsComputer: "gateway.corp.example" };
  const beginning = beginNtlm(negotiate, { ...names, find: () => undefined });
  return beginning.kind === "challenge" && (readChallenge(beginning.message).flags & signing) !== 0;
}

const folder = mkdtempSync(join(tmpdir(), "ntlm-clients-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(change: Partial<NtlmAuthenticationParts> = {}, options: Partial<SignInServerOptions> = {}) {
  const ntlm = new NtlmAuthentication({
    domain: "GATEWAY",
    computer: "GATEWAY",
    dnsComputer: "gateway.corp.example",
    accounts: [
      {
        caller: callerNamed("exchange"),
        usernames: ["CORP\\svc", "svc@corp.example"],
        hash: ntHash(PASSWORD),
      },
    ],
    backoff: backoff(),
    now: Date.now,
    ...change,
  });
  const schemes = [ntlm.scheme("Negotiate"), ntlm.scheme("NTLM")];
  const server = await startSignInServer({ schemes, standing: [ntlm], ...options });
  closers.push(() => server.close());
  return server;
}

describe.skipIf(!hasCurl)("curl --ntlm", () => {
  const curl = async (url: string, password: string, body: string, more: string[] = []) => {
    const file = join(folder, "body");
    writeFileSync(file, body);
    const args = ["-sS", "--ntlm", "-u", `CORP\\svc:${password}`, "--data-binary", `@${file}`, "-w", " %{http_code} "];
    const { stdout } = await run("/usr/bin/curl", [...args, ...more, url]);
    return stdout.trim();
  };

  it("is let in where it may answer without a code over the messages, with bodies small and large", async () => {
    const server = await started({ integrityCode: "when-promised" });
    expect(await curl(server.url, PASSWORD, "x")).toBe("exchange 1 200");
    expect(await curl(server.url, PASSWORD, "x".repeat(60_000))).toBe("exchange 60000 200");
  });

  it("asks twice over one connection, having signed in once", async () => {
    const server = await started({ integrityCode: "when-promised" });
    const told = await curl(server.url, PASSWORD, "x", ["-w", " %{http_code} %{num_connects}\n", server.url]);
    expect(told.split("\n")).toEqual(["exchange 1 200 1", "exchange 1 200 0"]);
  });

  it("is refused with a wrong password, and where the code is required, which it never sends", async () => {
    const lax = await started({ integrityCode: "when-promised" });
    expect(await curl(lax.url, "secret-1", "x")).toContain("401");
    const strict = await started();
    expect(await curl(strict.url, PASSWORD, "x")).toContain("401");
    expect(strict.refused.map(({ reason }) => reason)).toEqual(["ntlm-no-integrity-code"]);
  });
});

describe.skipIf(!hasSpnego)("curl --negotiate with gss-ntlmssp", () => {
  const curl = async (url: string, password: string) => {
    const users = join(folder, "users");
    writeFileSync(users, `CORP:svc:${password}\n`);
    const env = { ...process.env, NTLM_USER_FILE: users, KRB5_CONFIG: "/dev/null" };
    const args = ["-sS", "--negotiate", "-u", "CORP\\svc:", "-d", "question", "-w", " %{http_code}", url];
    return (await run("/usr/bin/curl", args, { env })).stdout.trim();
  };

  it("is let in with NTLM inside of SPNEGO, with its code over the messages, and only with the password", async () => {
    const server = await started();
    expect(await curl(server.url, "Secret-1")).toBe("exchange 8 200");
    expect(await curl(server.url, "secret-1")).toContain("401");
    expect(server.refused.map(({ reason }) => reason)).toEqual(["bad-credentials"]);
  });
});

describe.skipIf(!hasExchangelib)("exchangelib with NTLM", () => {
  // It takes MD4 from OpenSSL, which has put it away.
  const LEGACY =
    "openssl_conf = all\n[all]\nproviders = providers\n[providers]\ndefault = active\nlegacy = active\n[active]\nactivate = 1\n";
  const env: NodeJS.ProcessEnv = { ...process.env, OPENSSL_CONF: join(folder, "openssl.cnf") };
  beforeAll(() => writeFileSync(env.OPENSSL_CONF as string, LEGACY));
  const ask = async (url: string, username: string, password: string) => {
    const script = join(PROJECT, "test/clients/exchangelib_ntlm_client.py");
    const args = [script, url, username, password, "2026-07-01", "alice@corp.example", "nobody@corp.example"];
    const { stdout } = await run("/usr/bin/python3", args, { env });
    return JSON.parse(stdout.trim().split("\n").at(-1) as string);
  };

  it("reads a calendar over HTTP and over HTTPS, bound to the certificate, and nothing with a wrong password", {
    timeout: 60_000,
  }, async () => {
    const site = await startSite();
    closers.push(() => site.close());
    const serve: SignInServerOptions["serve"] = async (_, body) => {
      const headers = { authorization: authorization(), "content-type": "text/xml" };
      return (await fetch(site.gateway.url, { method: "POST", headers, body: new Uint8Array(body) })).text();
    };
    const plain = await started({}, { serve });
    for (const name of ["CORP\\svc", "svc@corp.example"]) {
      expect(await ask(plain.url, name, PASSWORD)).toEqual(["DetailedMerged", "ErrorMailRecipientNotFound"]);
    }
    expect(await ask(plain.url, "CORP\\svc", "secret-1")).toBe("unauthorized");

    const { certFile, keyFile, caFile } = issueCertificate(folder, "127.0.0.1");
    const tls = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
    const bound = await started({ channelBinding: "required" }, { serve, tls });
    env.REQUESTS_CA_BUNDLE = caFile;
    expect(await ask(bound.url, "CORP\\svc", PASSWORD)).toEqual(["DetailedMerged", "ErrorMailRecipientNotFound"]);
  });
});
