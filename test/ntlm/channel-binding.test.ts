import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { signatureHash } from "../../src/ntlm/certificate-signature.js";
import { channelBindingHash, serverEndPoint } from "../../src/ntlm/channel-binding.js";

const hasOpenssl = existsSync("/usr/bin/openssl");
if (!hasOpenssl) process.stderr.write("SKIPPED: no certificates to bind to (Debian: openssl)\n");

describe("the binding of a channel", () => {
  it("is what other implementations make of the same certificate hash", () => {
    // Microsoft's published example of a channel binding token.
    const hash = "ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95";
    const applicationData = Buffer.concat([Buffer.from("tls-server-end-point:"), Buffer.from(hash, "hex")]);
    expect(channelBindingHash(applicationData).toString("hex")).toBe("6586e99d81c2fc984e47172fd4dd0310");
  });

  it("does not exist for what is no certificate", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
        expect(serverEndPoint(Buffer.from(garbage))).toBeUndefined();
      }),
    );
  });
});

describe.skipIf(!hasOpenssl)("certificates made by OpenSSL", () => {
  const folder = mkdtempSync(join(tmpdir(), "binding-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const RSA = ["-newkey", "rsa:2048"];
  const PSS = ["-sigopt", "rsa_padding_mode:pss"];
  const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"];
  it.each([
    ["RSA with SHA-1", [...RSA, "-sha1"], "sha1", "sha256"],
    ["RSA with SHA-256", [...RSA, "-sha256"], "sha256", "sha256"],
    ["RSA with SHA-384", [...RSA, "-sha384"], "sha384", "sha384"],
    ["RSA with SHA-512", [...RSA, "-sha512"], "sha512", "sha512"],
    ["RSASSA-PSS with SHA-1, which is not written out", [...RSA, "-sha1", ...PSS], "sha1", "sha256"],
    ["RSASSA-PSS with SHA-384", [...RSA, "-sha384", ...PSS], "sha384", "sha384"],
    ["ECDSA with SHA-1", [...EC, "-sha1"], "sha1", "sha256"],
    ["ECDSA with SHA-256", [...EC, "-sha256"], "sha256", "sha256"],
    ["ECDSA with SHA-512", [...EC, "-sha512"], "sha512", "sha512"],
    ["Ed25519, which has no hash", ["-newkey", "ed25519"], undefined, undefined],
  ])("%s is bound with the hash RFC 5929 wants", (_, options, signed, bound) => {
    const file = join(folder, "certificate.pem");
    const args = ["req", "-x509", "-nodes", ...options, "-days", "2", "-subj", "/CN=server", "-keyout", "/dev/null"];
    execFileSync("openssl", [...args, "-out", file], { stdio: "ignore" });
    const { raw } = new X509Certificate(readFileSync(file));
    expect(signatureHash(raw)).toBe(signed);
    const hash = bound && createHash(bound).update(raw).digest();
    expect(serverEndPoint(raw)).toEqual(hash && Buffer.concat([Buffer.from("tls-server-end-point:"), hash]));
  });
});
