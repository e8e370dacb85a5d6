/** A whole simulated site to be examined: both systems, WorkMail's API, a name server, and the real gateway over TLS. */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import { issueCertificate } from "./certificates.js";
import { BACKEND_PASSWORD, CALLER_HASH, PASSWORD, PROJECT, type Site, startSite } from "./gateway-process.js";
import { type NameServer, startNameServer } from "./name-server.js";
import { ORGANIZATION_ID, organization, SECRET, user } from "./workmail-organization.js";

export const EGRESS = "198.51.100.7";

export interface Told {
  readonly check: string;
  readonly about: string;
  readonly verdict: string;
  readonly found: string;
  readonly todo: readonly string[];
}

export interface Examined {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly findings: readonly Told[];
  /** Checks with a verdict that counts, each once. */
  readonly found: readonly string[];
}

export interface DoctorSite {
  readonly site: Site;
  readonly api: WorkMailApiSimulator;
  readonly names: NameServer;
  readonly url: string;
  readonly addressSpacesFile: string;
  /** Runs the command on the site's configuration, changed. */
  examine(
    change?: (configuration: string) => string,
    environment?: Record<string, string>,
    ...args: string[]
  ): Promise<Examined>;
  close(): Promise<void>;
}

/** `program`: the gateway's entry file, where it is not the one that was just built. */
export async function startDoctorSite(program?: string): Promise<DoctorSite> {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  const { certFile, keyFile, caFile } = issueCertificate(folder, "127.0.0.1", ["freebusy.corp.example"], 90);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}/EWS/Exchange.asmx`;
  const addressSpacesFile = join(folder, "address-spaces.txt");
  writeFileSync(
    addressSpacesFile,
    `\r\nForestName           : corp.awsapps.com\r\nAccessMethod         : OrgWideFB\r\nTargetAutodiscoverEpr : https://127.0.0.1:${port}/autodiscover/\r\n                        autodiscover.xml\r\n\r\n`,
  );
  const names = await startNameServer({
    "MX corp.example": ["10 mail.corp.example"],
    "CNAME autodiscover.corp.example": ["mail.corp.example"],
  });
  const api = await startWorkMailApi(
    organization({
      users: [user("bob"), user("erin"), user("svc"), user("room-einstein", { role: "RESOURCE", aliases: [] })],
      settings: {
        domains: { "corp.example": "VERIFIED" },
        configurations: [
          { domain: "corp.example", endpoint: url, username: "workmail@corp.example", password: PASSWORD },
        ],
        denied: {},
        tokenEnds: {},
      },
    }),
  );
  let configuration = "";
  const site = await startSite((text) => {
    configuration = text
      .replace("LISTEN_PORT", `${port}, tls: { certFile: '${certFile}', keyFile: '${keyFile}' }`)
      .replaceAll("timeoutSeconds: 1.5", "timeoutSeconds: 2.5")
      .concat(`autodiscover: { url: '${url}' }\n`);
    return configuration;
  });
  const doctor = `
doctor:
  canaries: { exchange: alice@corp.example, workmail: bob@corp.example }
  signIns:
    exchange: { username: 'CORP\\exchange', password: 'env:DOCTOR_PASSWORD' }
    workmail: { username: workmail@corp.example, password: 'env:DOCTOR_PASSWORD' }
  organization: { organizationId: ${ORGANIZATION_ID}, region: eu-west-1, endpoint: '${api.url}' }
  egressAddress: ${EGRESS}
  addressSpacesFile: ${addressSpacesFile}
  nameServers: ['${names.address}']
  authoritiesFile: ${caFile}
  workmailEndsOn: 2099-12-31
`;
  const environment = {
    ...{ CALLER_HASH, BACKEND_PASSWORD, DOCTOR_PASSWORD: PASSWORD, NODE_EXTRA_CA_CERTS: caFile },
    ...{ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: SECRET, AWS_EC2_METADATA_DISABLED: "true" },
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    ...{ AWS_CONFIG_FILE: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" },
  };
  const { management } = site.gateway;
  await Promise.all(["CORP\\exchange", "workmail@corp.example"].map((name) => callOverTls(port, caFile, name)));
  return {
    ...{ site, api, names, url, addressSpacesFile },
    async examine(change = (same) => same, more = {}, ...args) {
      const file = join(folder, "freebusy.yaml");
      writeFileSync(file, change(`${configuration}${doctor}`.replace("MANAGEMENT_PORT", new URL(management).port)));
      const ran = await freebusy(
        ["doctor", "--config", file, "--json", ...args],
        { ...environment, ...more },
        undefined,
        program,
      );
      const findings = ran.stdout.startsWith("{") ? (JSON.parse(ran.stdout) as { findings: Told[] }).findings : [];
      const counting = findings.filter(({ verdict }) => verdict === "failure" || verdict === "warning");
      return { ...ran, findings, found: [...new Set(counting.map(({ check }) => check))].sort() };
    },
    async close() {
      await site.close();
      await api.close();
      names.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The real command as its own process. */
export function freebusy(
  args: readonly string[],
  environment: Record<string, string> = {},
  input?: string,
  program = join(PROJECT, "dist/src/main.js"),
) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { env: { ...process.env, ...environment }, maxBuffer: 4 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input ?? "");
  });
}

/** So that the gateway has seen both sides. Signed in is enough. */
async function callOverTls(port: number, caFile: string, name: string): Promise<void> {
  const { request } = await import("node:https");
  const headers = { authorization: `Basic ${Buffer.from(`${name}:${PASSWORD}`).toString("base64")}` };
  const options = { host: "127.0.0.1", port, path: "/EWS/Exchange.asmx", ca: readFileSync(caFile), headers };
  await new Promise<void>((resolve, reject) => {
    request(options, (reply) => reply.resume().once("end", resolve))
      .once("error", reject)
      .end();
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
