/** Callers sign in to the real process in every way but Kerberos, and see what they may. */

import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../../src/ntlm/ntlm-client.js";
import { issueCertificate } from "../support/certificates.js";
import { authorization, question, type Site, startSite, told } from "../support/gateway-process.js";
import { HttpConnection } from "../support/http-connection.js";

const folder = mkdtempSync(join(tmpdir(), "callers-"));
const file = (name: string) => join(folder, name);
// For the test it is the listener's certificate and a client's, too.
const { certFile, keyFile, caFile, ca } = issueCertificate(folder, "127.0.0.1");
const client = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
const CANARY = "canary-NTLM-9Zx";

let site: Site;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
beforeAll(async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  privateKey = pair.privateKey;
  writeFileSync(file("keys.json"), JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k" }] }));
  const callers = `
signIn:
  tokens: [{ name: sts, issuer: 'https://sts.corp.example', audience: [freebusy], keysFile: '${file("keys.json")}' }]
audit: { to: { file: '${file("audit.log")}' } }
callers:
  - { name: ntlm, usernames: ['CORP\\ntlm'], password: 'env:NTLM_PASSWORD', maximumView: Detailed, deny: [bob@corp.example] }
  - { name: token, tokens: [{ issuer: sts, claim: azp, value: app-1 }], allow: [bob@corp.example], maximumView: Detailed, requesterGroups: [{ requesters: [intern@corp.example], maximumView: MergedOnly }] }
  - { name: certificate, certificates: [{ fingerprint: '${new X509Certificate(client.cert).fingerprint256}' }] }
`;
  site = await startSite(
    (configuration) =>
      configuration
        .replace(
          "port: LISTEN_PORT",
          `port: LISTEN_PORT, tls: { certFile: '${certFile}', keyFile: '${keyFile}', clientCaFile: '${caFile}' }`,
        )
        .replace("\ncallers:\n", callers),
    { NTLM_PASSWORD: CANARY },
  );
});
afterAll(() => site.close());

const connect = (tls: object = {}) => new HttpConnection(site.gateway.url, { ca, ...tls });
const both = question(["alice@corp.example", "bob@corp.example", "bob@corp.awsapps.com"]);

async function byNtlm(password: string) {
  const connection = connect();
  const challenged = await connection.signIn(`Negotiate ${negotiateMessage().toString("base64")}`, both);
  const challenge = Buffer.from((challenged.challenges[0] as string).slice("Negotiate ".length), "base64");
  const target = { servicePrincipal: "HTTP/127.0.0.1", endPoint: undefined };
  const message = authenticateMessage(ntlmCredential("CORP\\ntlm", password), challenge, target);
  const first = await connection.signIn(`Negotiate ${message.toString("base64")}`, both);
  const second = await connection.ask({}, both);
  connection.close();
  return [first, second] as const;
}

const tokenFor = (azp: string) =>
  new SignJWT({ azp })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer("https://sts.corp.example")
    .setAudience("freebusy")
    .setExpirationTime("5m")
    .sign(privateKey);

describe("a caller", () => {
  it("signs in with NTLM, asks twice over its connection, and learns nothing of whom it may not see", async () => {
    const before = site.workmail.asked.length;
    const replies = await byNtlm(CANARY);
    for (const { status, text } of replies) {
      expect([status, ...told(text).map((one) => one.split(" ")[0])]).toEqual([
        200,
        expect.stringMatching(/^Detailed/),
        "not-disclosed",
        "not-disclosed",
      ]);
      expect(text).toContain("ErrorNoFreeBusyAccess");
    }
    expect(site.workmail.asked.length).toBe(before);
    const [refused] = await byNtlm("wrong");
    expect([refused.status, refused.challenges]).toEqual([
      401,
      ["Negotiate", "NTLM", 'Basic realm="free/busy", charset="UTF-8"', 'Bearer realm="free/busy"'],
    ]);
  });

  it("signs in with a token, and sees only whom it may, less where it asks for somebody who may see less", async () => {
    const connection = connect();
    const bearer = `Bearer ${await tokenFor("app-1")}`;
    const { status, text } = await connection.signIn(bearer, both);
    expect([status, ...told(text).map((one) => one.split(" ")[0])]).toEqual([
      200,
      "not-disclosed",
      expect.stringMatching(/^Detailed/),
      expect.stringMatching(/^Detailed/),
    ]);
    // Whose name cannot be read may be the intern.
    for (const name of ["<t:SmtpAddress>Intern@corp.example</t:SmtpAddress>", "<t:SID>S-1-5-21-1-2-3-1105</t:SID>"]) {
      const header = `<s:Header><t:ExchangeImpersonation><t:ConnectingSID>${name}</t:ConnectingSID></t:ExchangeImpersonation></s:Header>`;
      const asSomebody = both.replace(/<s:Header>.*<\/s:Header>|(?=<s:Body>)/s, header);
      expect(told((await connection.signIn(bearer, asSomebody)).text)[1]).toBe("MergedOnly");
    }
    expect((await connection.signIn(`Bearer ${await tokenFor("app-2")}`, both)).status).toBe(401);
    connection.close();
  });

  it("signs in with a certificate, and another one without it does not", async () => {
    const named = connect(client);
    expect((await named.ask({}, both)).status).toBe(200);
    named.close();
    const anonymous = connect();
    expect((await anonymous.ask({}, both)).status).toBe(401);
    expect((await anonymous.signIn(authorization(), both)).status).toBe(200);
    anonymous.close();
  });

  it("is in the audit log, with the address it asked from, and what it brought to sign in is nowhere", async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const lines = readFileSync(file("audit.log"), "utf8").trim().split("\n");
    const all = lines.map((line) => JSON.parse(line));
    for (const name of ["ntlm", "token", "certificate", "client"]) {
      expect(all.find(({ caller }) => caller === name)).toMatchObject({ source: "127.0.0.1", kind: "audit" });
    }
    expect(all[0].mailboxes[1]).toEqual({ mailbox: "bob@corp.example", detail: "none", outcome: "not-disclosed" });
    const said = site.gateway.output() + lines.join("\n");
    for (const secret of [CANARY, "Bearer ", "review", "Sync"]) expect(said).not.toContain(secret);
  });
});
