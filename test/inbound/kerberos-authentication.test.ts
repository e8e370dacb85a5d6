/** Kerberos as MIT's library and curl understand it, against our listener. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openKerberos } from "../../src/inbound/kerberos-acceptor.js";
import { NtlmAuthentication } from "../../src/inbound/ntlm-authentication.js";
import { readSpnego } from "../../src/inbound/spnego.js";
import { installedKerberos } from "../../src/kerberos/installed-package.js";
import { HttpConnection } from "../support/http-connection.js";
import { hasKerberosRealm, KERBEROS_MISSING, type KerberosRealm, startRealm } from "../support/kerberos-realm.js";
import { backoff, callerNamed, type SignInServer, startSignInServer } from "../support/sign-in-server.js";

const run = promisify(execFile);
const hasAll = hasKerberosRealm && installedKerberos() !== undefined && existsSync("/usr/bin/curl");
if (!hasAll) process.stderr.write(KERBEROS_MISSING);

describe("Kerberos", () => {
  it("without its package, or a key, is refused with a sentence that says what to do", async () => {
    const settings = { keytabFile: "/nowhere.keytab", host: "gateway.corp.example", identities: [] };
    if (installedKerberos() === undefined) await expect(openKerberos(settings)).rejects.toThrow("npm install kerberos");
    const kerberos = { initializeServer: async () => Promise.reject(new Error("refused")) };
    const refusal = (keytabFile: string) => expect(openKerberos({ ...settings, keytabFile }, kerberos)).rejects;
    await refusal("/nowhere.keytab").toThrow(
      "the keytab /nowhere.keytab has no usable key of HTTP/gateway.corp.example: ENOENT",
    );
    await refusal("package.json").toThrow("HTTP/gateway.corp.example: it holds keys of others only");
  });

  it.skipIf(!hasKerberosRealm)("finds its own key in a keytab, and no other service's", async () => {
    const realm = await startRealm(["HTTP/localhost"], []);
    const opened = (host: string) =>
      openKerberos({ keytabFile: realm.keytab, host, identities: [] }, { initializeServer: async () => ({}) as never });
    await expect(opened("localhost")).resolves.toBeDefined();
    await expect(opened("other")).rejects.toThrow("HTTP/other: it holds keys of others only");
    await realm.remove();
  });
});

describe.skipIf(!hasAll)("a caller with a ticket", () => {
  let realm: KerberosRealm;
  let server: SignInServer;
  beforeAll(async () => {
    realm = await startRealm(["HTTP/localhost", "HTTP/other"], ["exchange", "stranger"]);
    Object.assign(process.env, realm.environment);
    const kerberos = await openKerberos({
      keytabFile: realm.keytab,
      host: "localhost",
      identities: [{ principal: "exchange@CORP.EXAMPLE", caller: callerNamed("exchange") }],
    });
    const names = { domain: "GATEWAY", computer: "GATEWAY", dnsComputer: "localhost" };
    const ntlm = new NtlmAuthentication({ ...names, accounts: [], backoff: backoff(), kerberos, now: Date.now });
    server = await startSignInServer({ schemes: [ntlm.scheme("Negotiate")], standing: [ntlm] });
  });
  afterAll(async () => {
    await server?.close();
    await realm?.remove();
  });

  const curl = async (user: string, more: string[] = []) => {
    const url = server.url.replace("127.0.0.1", "localhost");
    const args = ["-sS", "--negotiate", "-u", ":", "-d", "question", "-w", " %{http_code} %{num_connects}\n"];
    return (await run("/usr/bin/curl", [...args, ...more, url], { env: realm.signedIn(user) })).stdout.trim();
  };
  const sent = async (user: string) => {
    const { stderr } = await run(
      "/usr/bin/curl",
      ["-v", "-sS", "--negotiate", "-u", ":", server.url.replace("127.0.0.1", "localhost")],
      { env: realm.signedIn(user) },
    );
    return {
      token: /Authorization: (Negotiate \S+)/.exec(stderr)?.[1] as string,
      proof: /www-authenticate: Negotiate (\S+)\s+< content-type: text\/xml/.exec(stderr)?.[1],
    };
  };

  it("is shown that we are who we are", async () => {
    const { proof } = await sent("exchange");
    const { kind, token } = readSpnego(Buffer.from(proof as string, "base64"));
    expect([kind, (token as Buffer).length > 50]).toEqual(["response", true]);
  });

  it("is let in, and asks again over the same connection", async () => {
    const url = server.url.replace("127.0.0.1", "localhost");
    const told = await curl("exchange", ["-w", " %{http_code} %{num_connects}\n", url]);
    expect(told.split("\n")[0]).toBe("exchange 8 200 1");
    expect(told.split("\n").at(-1)).toBe("exchange 8 200 0");
  });

  it("is refused when nobody configured it", async () => {
    expect(await curl("stranger")).toContain("401");
    expect(server.refused.at(-1)?.reason).toBe("kerberos-refused");
  });

  it("cannot be played by whoever heard its token, on another connection", async () => {
    const { token: heard } = await sent("exchange");
    const connection = new HttpConnection(server.url);
    expect((await connection.signIn(heard)).status).toBe(401);
    connection.close();
    expect(server.refused.at(-1)?.reason).toBe("kerberos-refused");
  });

  it("cannot be played by whoever changes its token", async () => {
    const { token: heard } = await sent("exchange");
    const bytes = Buffer.from(heard.slice(10), "base64");
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
    const connection = new HttpConnection(server.url);
    expect((await connection.signIn(`Negotiate ${bytes.toString("base64")}`)).status).toBe(401);
    connection.close();
  });
});
