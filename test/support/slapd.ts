/**
 * A real OpenLDAP server of the test's own, with Active Directory's names in its schema and nothing else of it: no ranges, no memberOf.
 * A name without a password is let in as nobody, as RFC 4513 has it.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOMAIN_DN, SERVICE_DN, SERVICE_PASSWORD } from "./active-directory.js";
import { issueCertificate, type ServerCertificate } from "./certificates.js";
import { ldif, type NewEntry } from "./ldif.js";
import { ownLoopbackAddress, ServerProcess } from "./server-process.js";

export const hasSlapd = ["/usr/sbin/slapd", "/etc/ldap/schema/core.schema", "/usr/bin/openssl"].every(existsSync);
export const SLAPD_MISSING = "SKIPPED: no OpenLDAP server to test against (Debian: slapd, openssl)\n";

/** Not where Active Directory listens, so that both can have the same address. */
const PORT = 10_389;
const TEXT = "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15";
const NUMBER = "EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE";

export interface Slapd {
  /** It takes StartTLS. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly server: ServerProcess;
  remove(): Promise<void>;
}

export async function startSlapd(entries: readonly NewEntry[]): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), "slapd-"));
  const address = ownLoopbackAddress();
  const url = `ldap://${address}:${PORT}`;
  const configuration = join(folder, "slapd.conf");
  // With a debug level, even with none, it stays in the foreground.
  const server = new ServerProcess(["/usr/sbin/slapd", "-d", "0", "-f", configuration, "-h", url], address, PORT);
  const remove = async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const certificate = issueCertificate(folder, address);
    mkdirSync(join(folder, "database"));
    writeFileSync(configuration, settings(folder, certificate));
    const file = join(folder, "entries.ldif");
    writeFileSync(file, ldif([...FRAME, ...entries]));
    execFileSync("/usr/sbin/slapadd", ["-f", configuration, "-l", file], { stdio: "pipe" });
    await server.start();
    return { url, host: address, port: PORT, ca: certificate.ca, server, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function settings(folder: string, { certFile, keyFile, caFile }: ServerCertificate): string {
  return `include /etc/ldap/schema/core.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' ${TEXT} )
attributetype ( 1.2.840.113556.1.2.352 NAME 'targetAddress' ${TEXT} SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' ${TEXT} SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.655 NAME 'legacyExchangeDN' ${TEXT} SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.7000.102.50855 NAME 'msExchRecipientTypeDetails' ${NUMBER} )
objectclass ( 1.2.840.113556.1.3.46 NAME 'mailRecipient' SUP top AUXILIARY
  MAY ( mail $ proxyAddresses $ targetAddress $ legacyExchangeDN $ userPrincipalName $ msExchRecipientTypeDetails ) )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top STRUCTURAL MUST cn MAY userPassword )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY member )
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${certFile}
TLSCertificateKeyFile ${keyFile}
TLSCACertificateFile ${caFile}
allow bind_anon_cred
pidfile ${folder}/slapd.pid
database mdb
suffix "${DOMAIN_DN}"
directory ${folder}/database
maxsize 67108864
access to attrs=userPassword by * auth
access to * by dn.exact="${SERVICE_DN}" read
`;
}

const FRAME: readonly NewEntry[] = [
  { dn: DOMAIN_DN, objectClass: ["organization", "dcObject"], o: "Corp", dc: "corp" },
  { dn: `CN=Users,${DOMAIN_DN}`, objectClass: "applicationProcess", cn: "Users" },
  { dn: SERVICE_DN, objectClass: "user", cn: "svc", userPassword: SERVICE_PASSWORD },
];
