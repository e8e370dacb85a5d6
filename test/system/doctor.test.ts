/** The doctor as an administrator runs it: the real command against a whole simulated site, healthy and with faults. */

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../support/certificates.js";
import { type DoctorSite, EGRESS, freebusy, startDoctorSite } from "../support/doctor-site.js";
import { BACKEND_PASSWORD, PASSWORD } from "../support/gateway-process.js";
import { SECRET, user } from "../support/workmail-organization.js";

let whole: DoctorSite;
beforeAll(async () => {
  whole = await startDoctorSite();
}, 60_000);
afterAll(() => whole?.close());
afterEach(() => {
  Object.assign(whole.api.behaviour, { mode: "normal", denied: [] });
});

/** No stack, no object printed by accident, and none of the secrets. */
function holdsNothingOdd(text: string): void {
  expect(text).not.toMatch(/\n\s+at |\[object|undefined|node_modules|TypeError/);
  for (const secret of [BACKEND_PASSWORD, SECRET]) expect(text).not.toContain(secret);
}

describe("a healthy site", () => {
  it("gets no failure and no warning, and what could not be looked at is said", async () => {
    const { code, stderr, stdout, findings, found } = await whole.examine();
    expect(found, stdout).toEqual([]);
    expect([code, stderr]).toEqual([0, ""]);
    const skipped = findings.flatMap(({ verdict, check }) => (verdict === "not-checked" ? check.split(", ") : []));
    expect(new Set(skipped)).toEqual(new Set(["certificates", "principal-names", "directory-sync", "both-sides"]));
    const trip = findings.filter(({ check }) => check === "round-trip-exchange-workmail");
    expect(trip.map(({ verdict }) => verdict)).toEqual(["fine", "fine", "fine", "fine"]);
  }, 60_000);

  it("is not changed: nothing is called but what reads, and WorkMail's own test", async () => {
    whole.api.asked.length = 0;
    await whole.examine();
    const operations = Object.keys(whole.api.calls());
    expect(operations.length).toBeGreaterThan(8);
    expect(operations.filter((name) => !/^(Describe|Get|List)|^TestAvailabilityConfiguration$/.test(name))).toEqual([]);
  }, 60_000);

  it("is not taken for called by the doctor's own round trips", async () => {
    const seen = async () => {
      const text = await (await fetch(`${whole.site.gateway.management}/metrics`)).text();
      return /last_seen_timestamp_seconds\{caller="exchange"\} (\d+)/.exec(text)?.[1];
    };
    const before = await seen();
    expect(before).toBeDefined();
    await whole.examine();
    expect(await seen()).toBe(before);
  }, 60_000);
});

it("ten planted faults are named, all ten and nothing else", async () => {
  const { api, names, addressSpacesFile } = whole;
  const before = structuredClone({ ...api.organization, impersonationTokens: undefined });
  const spaces = readFileSync(addressSpacesFile, "utf8");
  const settings = api.organization.settings as NonNullable<typeof api.organization.settings>;
  api.organization.interoperabilityEnabled = false; // 1
  settings.domains["corp.example"] = "PENDING"; // 2
  names.records.set("MX corp.example", ["10 inbound-smtp.eu-west-1.amazonaws.com"]); // 3
  names.records.set("CNAME autodiscover.corp.example", ["autodiscover.mail.eu-west-1.awsapps.com"]); // 4
  settings.signInMode = "IDENTITY_PROVIDER_ONLY"; // 5: and no personal access token
  settings.denied[EGRESS] = "no-ews-from-outside"; // 6
  settings.configurations = [
    { domain: "corp.example", endpoint: "https://127.0.0.1:1/EWS/Exchange.asmx", username: "x" },
  ]; // 7, and its test: 8
  writeFileSync(addressSpacesFile, spaces.replace("OrgWideFB", "PublicFolder")); // 9
  api.organization.users.push(user("frank", { aliases: [] })); // 10
  const { code, findings, found, stdout } = await whole.examine();
  Object.assign(api.organization, before);
  names.records.set("MX corp.example", ["10 mail.corp.example"]);
  names.records.set("CNAME autodiscover.corp.example", ["mail.corp.example"]);
  writeFileSync(addressSpacesFile, spaces);
  expect(found).toEqual(
    [
      ...["organization", "domain-verified", "mx", "autodiscover-dns", "service-account", "access-rules"],
      ...["availability-configuration", "availability-test", "address-space", "forwarding"],
    ].sort(),
  );
  expect(code).toBe(4);
  const counting = findings.filter(({ verdict }) => verdict === "failure" || verdict === "warning");
  expect(counting).toHaveLength(10);
  expect(counting.filter(({ todo }) => todo.length === 0)).toEqual([]);
  holdsNothingOdd(stdout);
}, 60_000);

describe("what goes wrong while looking", () => {
  const certificates = mkdtempSync(join(tmpdir(), "doctor-other-"));
  afterAll(() => rmSync(certificates, { recursive: true, force: true }));

  it("a dead host and a silent one are a finding each, with their own reason", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const { findings, stdout, code } = await whole.examine((text) =>
      text
        .replace(whole.site.exchange.url, "http://127.0.0.1:1/EWS/Exchange.asmx")
        .replace(whole.site.workmail.url, `http://127.0.0.1:${port}/EWS/Exchange.asmx`),
    );
    silent.close();
    expect(code).toBe(4);
    const said = (check: string) => findings.find((one) => one.check === check && one.verdict !== "fine")?.found;
    expect(said("sign-in-exchange")).toContain("nobody listens there (ECONNREFUSED)");
    expect(said("sign-in-workmail")).toContain("nobody answers");
    expect(said("round-trip-workmail-exchange")).toContain("ECONNREFUSED");
    holdsNothingOdd(stdout);
  }, 60_000);

  it("a certificate of nobody's is named, with what to do", async () => {
    const { caFile } = issueCertificate(certificates, "127.0.0.1");
    const { findings, stdout } = await whole.examine((text) =>
      text.replace(/authoritiesFile: .*/, `authoritiesFile: ${caFile}`),
    );
    const [finding] = findings.filter(({ check, verdict }) => check === "certificates" && verdict === "failure");
    expect(finding?.found).toMatch(/^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE_FAILURE)/);
    expect(finding?.todo.join("\n")).toContain("openssl s_client");
    holdsNothingOdd(stdout);
  }, 60_000);

  it("wrong passwords, a caller's and a service account's, are told apart", async () => {
    const { findings, stdout } = await whole.examine((text) => text, {
      DOCTOR_PASSWORD: "wrong-one-for-callers",
      BACKEND_PASSWORD: "wrong-one-for-backends",
    });
    const refused = findings.filter(({ found }) => found.includes("401")).map(({ about }) => about);
    expect(refused.some((about) => about.includes("the gateway as"))).toBe(true);
    expect(refused.some((about) => about.includes("workmail itself"))).toBe(true);
    expect(stdout).not.toMatch(/wrong-one/);
    holdsNothingOdd(stdout);
  }, 60_000);

  it("a denied permission is said once for each, with the IAM action to allow", async () => {
    Object.assign(whole.api.behaviour, { mode: "deny", denied: ["TestAvailabilityConfiguration", "GetMailDomain"] });
    const { findings, found, code, stdout } = await whole.examine();
    expect(found).toEqual(["availability-test", "domain-verified"]);
    expect(code).toBe(3);
    const text = findings.map((one) => one.found).join("\n");
    for (const action of ["workmail:TestAvailabilityConfiguration", "workmail:GetMailDomain"]) {
      expect(text).toContain(action);
    }
    holdsNothingOdd(stdout);
  }, 60_000);

  it("an API that is gone is one finding, not one for each check", async () => {
    whole.api.behaviour.mode = "down";
    const { findings } = await whole.examine();
    const counting = findings.filter(({ verdict }) => verdict === "failure" || verdict === "warning");
    expect(counting).toHaveLength(1);
    expect(counting[0]?.check).toContain("organization");
  }, 60_000);

  it("a gateway that does not run is a finding", async () => {
    const { findings } = await whole.examine(undefined, undefined, "--management", "http://127.0.0.1:1");
    const gateway = findings.find(({ check }) => check.includes("gateway"));
    expect(gateway?.verdict).toBe("failure");
    expect(gateway?.found).toContain("ECONNREFUSED");
  }, 60_000);
});

describe("the command", () => {
  it("writes a report that its owner alone can read, without secrets", async () => {
    const report = join(tmpdir(), `doctor-report-${process.pid}.json`);
    await whole.examine(undefined, { AWS_SESSION_TOKEN: "session-canary-token" }, "--report", report);
    const text = readFileSync(report, "utf8");
    expect(statSync(report).mode & 0o777).toBe(0o600);
    rmSync(report);
    expect(JSON.parse(text).findings.length).toBeGreaterThan(10);
    holdsNothingOdd(text);
    expect(text).not.toContain("session-canary-token");
  }, 60_000);

  it("says what a wrong command line and a wrong configuration are, with exit code 2", async () => {
    for (const args of [["doctor"], ["doctor", "--nonsense"], ["doctor", "--config", "/nonexistent.yaml"]]) {
      const { code, stdout, stderr } = await freebusy(args);
      expect([code, stdout]).toEqual([2, ""]);
      holdsNothingOdd(stderr);
    }
    const { code, stderr } = await whole.examine((text) =>
      text.replace("canaries: { exchange:", "canaries: { exchnage:"),
    );
    expect(code).toBe(2);
    expect(stderr).toContain("doctor.canaries.exchnage: there is no backend 'exchnage'");
  });

  it("says the worst first", async () => {
    expect(PASSWORD.length).toBeLessThan(6);
    whole.api.organization.interoperabilityEnabled = false;
    const { stdout } = await whole.examine(undefined, undefined, "--report", "/nonexistent/folder/x");
    whole.api.organization.interoperabilityEnabled = true;
    expect(JSON.parse(stdout).findings[0].check).toBe("organization");
  }, 60_000);
});
