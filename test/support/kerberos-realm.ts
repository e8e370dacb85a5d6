/** A Kerberos realm of the test's own: MIT's key distribution centre, a service's keytab, and tickets for users. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ownLoopbackAddress, ServerProcess } from "./server-process.js";

const REALM = "CORP.EXAMPLE";
const PORT = 10_088;

function found(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, program)).find(existsSync);
}

export const hasKerberosRealm = ["krb5kdc", "kdb5_util", "kadmin.local", "kinit"].every(found);
export const KERBEROS_MISSING =
  "SKIPPED: no Kerberos to sign in with (Debian: krb5-kdc krb5-admin-server krb5-user; and npm install kerberos)\n";

export interface KerberosRealm {
  /** For whoever takes part in the realm. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the services. */
  readonly keytab: string;
  /** Of the users. */
  readonly clientKeytab: string;
  /** A user's own environment, with a ticket in it. */
  signedIn(user: string): NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** `services` and `users` by principal, without the realm. Every user's password is "Secret-1". */
export async function startRealm(services: readonly string[], users: readonly string[]): Promise<KerberosRealm> {
  const folder = mkdtempSync(join(tmpdir(), "realm-"));
  const address = ownLoopbackAddress();
  const file = (name: string) => join(folder, name);
  const kdc = found("krb5kdc") as string;
  const libraries = join(dirname(kdc), "../lib");
  const modules = readdirSync(libraries)
    .map((name) => join(libraries, name, "krb5/plugins/kdb"))
    .find(existsSync);
  writeFileSync(
    file("krb5.conf"),
    `[libdefaults]
default_realm = ${REALM}
dns_lookup_kdc = false
rdns = false
dns_canonicalize_hostname = false
[realms]
${REALM} = {
kdc = ${address}:${PORT}
}
[domain_realm]
localhost = ${REALM}
[dbmodules]
db_module_dir = ${modules}
`,
  );
  writeFileSync(
    file("kdc.conf"),
    `[kdcdefaults]
kdc_listen = ${address}:${PORT}
kdc_tcp_listen = ${address}:${PORT}
[realms]
${REALM} = {
database_name = ${file("principal")}
key_stash_file = ${file("stash")}
}
`,
  );
  const environment = { KRB5_CONFIG: file("krb5.conf"), KRB5_KDC_PROFILE: file("kdc.conf"), KRB5RCACHEDIR: folder };
  const env = { ...process.env, ...environment };
  const run = (program: string, args: string[], input = "") =>
    execFileSync(found(program) as string, args, { env, input, stdio: ["pipe", "ignore", "ignore"] });
  const keytab = file("http.keytab");
  const clientKeytab = file("users.keytab");
  run("kdb5_util", ["create", "-s", "-P", "master", "-r", REALM]);
  for (const service of services) {
    run("kadmin.local", ["-q", `addprinc -randkey ${service}`]);
    run("kadmin.local", ["-q", `ktadd -k ${keytab} ${service}`]);
  }
  for (const user of users) {
    run("kadmin.local", ["-q", `addprinc -pw Secret-1 ${user}`]);
    run("kadmin.local", ["-q", `ktadd -k ${clientKeytab} -norandkey ${user}`]);
  }
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const server = new ServerProcess(["/usr/bin/env", ...settings, kdc, "-n"], address, PORT);
  await server.start();
  return {
    environment,
    keytab,
    clientKeytab,
    signedIn(user) {
      const own = { ...env, KRB5CCNAME: `FILE:${file(`${user}.tickets`)}` };
      execFileSync(found("kinit") as string, [user], {
        env: own,
        input: "Secret-1\n",
        stdio: ["pipe", "ignore", "pipe"],
      });
      return own;
    },
    async remove() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
