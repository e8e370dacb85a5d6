import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server as TlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  CertificateAuthentication,
  type CertificateMark,
  clientCertificateOptions,
  parseFingerprint,
} from "../../src/inbound/certificate-authentication.js";
import { PasswordAuthentication } from "../../src/inbound/password-authentication.js";
import { issueCertificate, type ServerCertificate } from "../support/certificates.js";
import { HttpConnection } from "../support/http-connection.js";
import { backoff, basic, callerNamed, PATH, startSignInServer } from "../support/sign-in-server.js";

const hasOpenssl = existsSync("/usr/bin/openssl");
if (!hasOpenssl) process.stderr.write("SKIPPED: no openssl to issue client certificates with (Debian: openssl)\n");

const folder = mkdtempSync(join(tmpdir(), "client-certificates-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Client {
  readonly cert: string;
  readonly key: string;
}

let server: ServerCertificate;
let authority: ServerCertificate;
const clients: Record<string, Client> = {};

/** A client's certificate from an authority, or, without one, from itself. */
function issue(name: string, subject: string, extensions: string, by?: ServerCertificate): Client {
  const file = (ending: string) => join(folder, `${name}.${ending}`);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file("key")];
  if (by === undefined) openssl("req", "-x509", ...newKey, "-days", "2", "-subj", subject, "-out", file("crt"));
  else {
    openssl("req", ...newKey, "-subj", subject, "-out", file("csr"));
    writeFileSync(file("ext"), extensions);
    openssl(
      ...["x509", "-req", "-days", "2", "-in", file("csr"), "-extfile", file("ext"), "-CA", by.caFile],
      ...["-CAkey", by.caFile.replace(/crt$/, "key"), "-CAcreateserial", "-out", file("crt")],
    );
  }
  return { cert: readFileSync(file("crt"), "utf8"), key: readFileSync(file("key"), "utf8") };
}

beforeAll(() => {
  if (!hasOpenssl) return;
  const [own, theirs] = ["server", "clients"].map((name) => mkdtempSync(join(folder, name))) as [string, string];
  server = issueCertificate(own, "127.0.0.1");
  authority = issueCertificate(theirs, "127.0.0.1");
  const forClients = "extendedKeyUsage=clientAuth\n";
  const names = "subjectAltName=DNS:exchange.corp.example,email:svc@corp.example\n";
  clients.exchange = issue("exchange", "/O=Corp/CN=exchange", forClients + names, authority);
  clients.twin = issue("twin", "/O=Corp/CN=exchange", forClients, authority);
  clients.two = issue("two", "/CN=exchange/CN=workmail", forClients, authority);
  clients.quoted = issue(
    "quoted",
    "/CN=quoted",
    `${forClients}subjectAltName=@names\n[names]\nDNS.1="evil.example, DNS:exchange.corp.example"\n`,
    authority,
  );
  // One name, which would read like two if it were not quoted.
  const { subjectAltName } = new X509Certificate((clients.quoted as Client).cert);
  expect(subjectAltName).toBe(String.raw`DNS:"evil.example\u002c DNS:exchange.corp.example"`);
  clients.serverOnly = issue("serverOnly", "/CN=exchange", "extendedKeyUsage=serverAuth\n", authority);
  clients.stranger = issue("stranger", "/O=Corp/CN=exchange", forClients, server);
  clients.self = issue("self", "/O=Corp/CN=exchange", "");
});

async function started(mark: CertificateMark, now = Date.now, proxies: string[] = []) {
  const certificates = new CertificateAuthentication([{ caller: callerNamed("exchange"), mark }], now);
  const passwords = new PasswordAuthentication({
    accounts: [{ caller: callerNamed("workmail"), usernames: ["workmail"], passwordHash: "$argon2id$" }],
    backoff: backoff(),
    check: async (_, password) => password === "right",
  });
  const tls = {
    cert: readFileSync(server.certFile, "utf8"),
    key: readFileSync(server.keyFile, "utf8"),
    ...clientCertificateOptions(authority.ca),
  };
  const running = await startSignInServer({ schemes: [passwords], standing: [certificates], tls, proxies });
  closers.push(() => running.close());
  const connection = (client?: Client) => {
    const made = new HttpConnection(running.url, { ca: server.ca, maxCachedSessions: 0, ...client });
    closers.push(() => made.close());
    return made;
  };
  return { running, connection };
}

const fingerprint = (client: Client) => new X509Certificate(client.cert).fingerprint256;

describe.skipIf(!hasOpenssl)("a certificate of the configured authority", () => {
  it("is its caller's by fingerprint, however it is written, and one with the same name is not", async () => {
    const marks = [fingerprint(clients.exchange as Client)];
    marks.push(marks[0]?.replaceAll(":", "").toLowerCase() as string);
    for (const one of marks) {
      const { connection } = await started({ fingerprint: one });
      const made = connection(clients.exchange);
      expect([(await made.ask()).text, (await made.ask()).text]).toEqual(["exchange 0", "exchange 0"]);
      expect((await connection(clients.twin).ask()).status).toBe(401);
    }
  });

  it("is its caller's by common name, and by an alternative name", async () => {
    const byName = await started({ commonName: "exchange" });
    expect((await byName.connection(clients.exchange).ask()).status).toBe(200);
    expect((await byName.connection(clients.twin).ask()).status).toBe(200);
    for (const alternativeName of ["DNS:exchange.corp.example", "email:svc@corp.example"]) {
      const { connection } = await started({ alternativeName });
      expect((await connection(clients.exchange).ask()).status).toBe(200);
      expect((await connection(clients.twin).ask()).status).toBe(401);
    }
  });

  it("is nobody's when it has two common names, an alternative name that looks like another, or is for servers", async () => {
    const byName = await started({ commonName: "exchange" });
    expect((await byName.connection(clients.two).ask()).status).toBe(401);
    expect((await byName.connection(clients.serverOnly).ask()).status).toBe(401);
    const byAlternative = await started({ alternativeName: "DNS:exchange.corp.example" });
    expect((await byAlternative.connection(clients.quoted).ask()).status).toBe(401);
  });

  it("is nobody's once it has expired, even on a connection that is still open", async () => {
    let ahead = 0;
    const { connection } = await started({ commonName: "exchange" }, () => Date.now() + ahead);
    const made = connection(clients.exchange);
    expect((await made.ask()).status).toBe(200);
    ahead = 3 * 86_400_000;
    expect([(await made.ask()).status, made.sockets.size]).toEqual([401, 1]);
  });

  it("does not sign in whoever brings a password: that counts, right or wrong, and only for its own request", async () => {
    const { connection } = await started({ commonName: "exchange" });
    const made = connection(clients.exchange);
    expect((await made.signIn(basic("workmail", "right"))).text).toBe("workmail 0");
    expect((await made.signIn(basic("workmail", "wrong"))).status).toBe(401);
    expect((await made.ask()).text).toBe("exchange 0");
  });

  it("is still verified when its TLS session is resumed", async () => {
    const { running } = await started({ commonName: "exchange" });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const ask = (client: Client | undefined, session?: Buffer) =>
        new Promise<{ reply: string; session: Buffer | undefined; resumed: boolean }>((resolve, reject) => {
          let kept: Buffer | undefined;
          let reply = "";
          let resumed = false;
          const options = {
            host: "127.0.0.1",
            port: running.port,
            ca: server.ca,
            minVersion: version,
            maxVersion: version,
            ...client,
          };
          const socket: TLSSocket = connect({ ...options, ...(session && { session }) }, () => {
            resumed = socket.isSessionReused();
            socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
          });
          socket.on("session", (given: Buffer) => {
            kept = given;
          });
          socket.on("data", (chunk: Buffer) => {
            reply += chunk.toString();
          });
          socket.on("error", reject);
          socket.on("close", () => resolve({ reply, session: kept, resumed }));
        });
      const named = await ask(clients.exchange);
      const again = await ask(clients.exchange, named.session);
      expect([again.resumed, again.reply.includes("exchange 0")]).toEqual([true, true]);
      const anonymous = await ask(undefined);
      expect((await ask(clients.exchange, anonymous.session)).reply).toContain("401");
    }
  });
});

describe.skipIf(!hasOpenssl)("somebody without such a certificate", () => {
  it("is nobody: with one of another authority, of its own, with none, or with one in a header", async () => {
    const { connection } = await started({ commonName: "exchange" });
    for (const client of [clients.stranger, clients.self, undefined]) {
      const { status, challenges } = await connection(client).ask();
      expect([status, challenges.length]).toEqual([401, 1]);
    }
    const pem = encodeURIComponent((clients.exchange as Client).cert);
    for (const name of ["x-client-cert", "x-ssl-client-cert", "ssl-client-cert", "x-forwarded-client-cert"]) {
      expect((await connection().ask({ [name]: pem })).status).toBe(401);
    }
  });

  it("may still sign in otherwise", async () => {
    const { connection } = await started({ commonName: "exchange" });
    expect((await connection().signIn(basic("workmail", "right"))).text).toBe("workmail 0");
    expect((await connection(clients.self).signIn(basic("workmail", "right"))).text).toBe("workmail 0");
  });

  it("does not become a caller by coming through a proxy that has one", async () => {
    const { connection } = await started({ commonName: "exchange" }, Date.now, ["127.0.0.1"]);
    expect((await connection(clients.exchange).ask()).status).toBe(401);
  });
});

describe.skipIf(!hasOpenssl)("the listener's own certificate", () => {
  it("may be renewed, as long as the authority of the clients is given again with it", async () => {
    const { running, connection } = await started({ commonName: "exchange" });
    const tls = running.app.server as unknown as TlsServer;
    const pair = { cert: readFileSync(server.certFile, "utf8"), key: readFileSync(server.keyFile, "utf8") };
    tls.setSecureContext({ ...pair, ca: authority.ca });
    expect((await connection(clients.exchange).ask()).status).toBe(200);
    tls.setSecureContext(pair);
    expect((await connection(clients.exchange).ask()).status).toBe(401);
  });
});

describe("a fingerprint", () => {
  it.each([
    [`${"ab:".repeat(31)}AB`, "ab".repeat(32)],
    ["AB".repeat(32), "ab".repeat(32)],
    ["ab".repeat(20), undefined],
    ["zz".repeat(32), undefined],
  ])("%s is read as %s", (text, expected) => {
    expect(parseFingerprint(text)).toBe(expected);
  });
});
