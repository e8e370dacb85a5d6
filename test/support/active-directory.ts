/**
 * A real Active Directory of the test's own: Samba's domain controller, with the attributes that
 * Exchange adds to the schema, on a loopback address of its own and the ports it always has.
 */

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { issueCertificate, type ServerCertificate } from "./certificates.js";
import { ldif, type NewEntry } from "./ldif.js";
import { ownLoopbackAddress, ServerProcess } from "./server-process.js";

const run = promisify(execFile);
const PROGRAMS = ["/usr/sbin/samba", "/usr/bin/samba-tool", "/usr/bin/ldbadd", "/usr/bin/openssl"];
const PROVISION = "/usr/share/samba/setup/provision.ldif";
/** The ports below 1024 are root's. */
export const hasActiveDirectory = [...PROGRAMS, PROVISION].every(existsSync) && process.getuid?.() === 0;
export const ACTIVE_DIRECTORY_MISSING =
  "SKIPPED: no Active Directory to test against (Debian: samba-ad-dc samba-ad-provision ldb-tools openssl; as root)\n";

export const DOMAIN_DN = "DC=corp,DC=example";
export const SERVICE_DN = `CN=svc,CN=Users,${DOMAIN_DN}`;
export const SERVICE_PASSWORD = "Canary-9f-Password";

export interface ActiveDirectory {
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  /** The certificate authority to trust, in PEM. */
  readonly ca: string;
  readonly server: ServerProcess;
  /** Adds entries while it runs. */
  add(entries: readonly NewEntry[]): Promise<void>;
  /** Applies changes while it runs, given as LDIF change records. */
  modify(changes: string): Promise<void>;
  remove(): Promise<void>;
}

export async function startActiveDirectory(entries: readonly NewEntry[]): Promise<ActiveDirectory> {
  const folder = mkdtempSync(join(tmpdir(), "active-directory-"));
  const address = ownLoopbackAddress();
  const configuration = join(folder, "smb.conf");
  const command = ["/usr/sbin/samba", "-F", "--no-process-group", "-M", "single", "-s", configuration] as const;
  const server = new ServerProcess(command, address, 636);
  const remove = async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const ldb = async (program: string, text: string, ...options: string[]) => {
    const file = join(folder, "change.ldif");
    writeFileSync(file, text);
    const database = ["-H", join(folder, "private/sam.ldb"), `--configfile=${configuration}`];
    await run(program, [...database, ...options, file]);
  };
  try {
    const certificate = issueCertificate(folder, address);
    await run("samba-tool", ["domain", "provision", ...provisioning(folder, address)]);
    mkdirSync(join(folder, "ncalrpc"), { mode: 0o755 });
    writeFileSync(configuration, settings(folder, address, certificate));
    const schemaChange = "--option=dsdb:schema update allowed=true";
    await ldb("ldbadd", ldif(EXCHANGE_ATTRIBUTES), schemaChange);
    await ldb("ldbmodify", MAIL_RECIPIENT, schemaChange);
    await ldb("ldbadd", ldif([SERVICE_ACCOUNT, ...entries]));
    await server.start();
    return {
      ldapUrl: `ldap://${address}`,
      ldapsUrl: `ldaps://${address}`,
      ca: certificate.ca,
      server,
      add: (more) => ldb("ldbadd", ldif(more)),
      modify: (changes) => ldb("ldbmodify", changes),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function provisioning(folder: string, address: string): string[] {
  const options = {
    targetdir: folder,
    configfile: "/dev/null",
    realm: "CORP.EXAMPLE",
    domain: "CORP",
    "server-role": "dc",
    "dns-backend": "NONE",
    "host-name": "dc",
    "host-ip": address,
    adminpass: SERVICE_PASSWORD,
    debuglevel: "0",
  };
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`);
}

/** LDAP is the only service that runs. */
function settings(folder: string, address: string, { certFile, keyFile, caFile }: ServerCertificate): string {
  return `[global]
realm = CORP.EXAMPLE
workgroup = CORP
netbios name = DC
server role = active directory domain controller
server services = ldap
interfaces = ${address}/8
bind interfaces only = yes
private dir = ${folder}/private
lock directory = ${folder}
state directory = ${folder}/state
cache directory = ${folder}/cache
pid directory = ${folder}
ncalrpc dir = ${folder}/ncalrpc
log file = ${folder}/log
logging = file
tls certfile = ${certFile}
tls keyfile = ${keyFile}
tls cafile = ${caFile}
`;
}

const SCHEMA_DN = `CN=Schema,CN=Configuration,${DOMAIN_DN}`;
const attribute = (cn: string, lDAPDisplayName: string, attributeID: string, syntax: string, oMSyntax: string) => ({
  dn: `CN=${cn},${SCHEMA_DN}`,
  objectClass: ["top", "attributeSchema"],
  cn,
  lDAPDisplayName,
  attributeID,
  attributeSyntax: syntax,
  oMSyntax,
  isSingleValued: "TRUE",
  searchFlags: "1",
  isMemberOfPartialAttributeSet: "TRUE",
});
const EXCHANGE_ATTRIBUTES: readonly NewEntry[] = [
  attribute("ms-Exch-Target-Address", "targetAddress", "1.2.840.113556.1.2.352", "2.5.5.12", "64"),
  attribute(
    "ms-Exch-Recipient-Type-Details",
    "msExchRecipientTypeDetails",
    "1.2.840.113556.1.4.7000.102.50855",
    "2.5.5.16",
    "65",
  ),
];
/** The auxiliary class of users, groups and contacts. */
const MAIL_RECIPIENT = `dn: CN=Mail-Recipient,${SCHEMA_DN}
changetype: modify
add: mayContain
mayContain: targetAddress
mayContain: msExchRecipientTypeDetails
`;
const SERVICE_ACCOUNT: NewEntry = {
  dn: SERVICE_DN,
  objectClass: "user",
  sAMAccountName: "svc",
  userPrincipalName: "svc@corp.example",
  // Neither expires nor has to be changed first.
  userAccountControl: "66048",
  unicodePwd: Buffer.from(`"${SERVICE_PASSWORD}"`, "utf16le"),
};
