/**
 * A real Apache httpd of the test's own, as a reverse proxy that authenticates its callers through GSSAPI, over HTTP and
 * HTTPS. Which mechanisms it takes, and where it finds its accounts, is the test's to say: `gssapi` and `environment`.
 */

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate } from "./certificates.js";
import { ownLoopbackAddress, ServerProcess } from "./server-process.js";

const MODULES = "/usr/lib/apache2/modules";
const NEEDED = ["/usr/sbin/apache2", `${MODULES}/mod_auth_gssapi.so`, "/usr/bin/openssl"];
/** Its workers are not root, so that it has to be started by root to become somebody else. */
export const hasApache = NEEDED.every(existsSync) && process.getuid?.() === 0;
export const APACHE_MISSING =
  "SKIPPED: no Apache to test against (Debian: apache2-bin libapache2-mod-auth-gssapi openssl; as root)\n";

export const hasGssNtlm = hasApache && existsSync("/etc/gss/mech.d/mech.ntlmssp.conf");
export const GSS_NTLM_MISSING = "SKIPPED: no NTLM for Apache (Debian: gss-ntlmssp)\n";

const HTTP_PORT = 10_080;
const HTTPS_PORT = 10_443;

export interface ApacheOptions {
  /** Where authenticated requests go, and what they say there in the Authorization header. */
  readonly upstream: URL;
  readonly upstreamAuthorization: string;
  /** Directives of mod_auth_gssapi. */
  readonly gssapi: readonly string[];
  /** Files to write beforehand, by name; their place is put for FOLDER in `environment` and `gssapi`. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** One request, as Apache logged it. */
export interface ApacheRequest {
  /** The caller's port: which connection it came over. */
  readonly connection: number;
  /** "-" when nobody was authenticated. */
  readonly user: string;
  readonly status: number;
}

export interface Apache {
  readonly http: URL;
  readonly https: URL;
  readonly ca: string;
  readonly server: ServerProcess;
  requests(): ApacheRequest[];
  errors(): string;
  remove(): Promise<void>;
}

export async function startApache(options: ApacheOptions): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), "apache-"));
  // Its workers read the accounts.
  chmodSync(folder, 0o755);
  const address = ownLoopbackAddress();
  const here = (text: string) => text.replaceAll("FOLDER", folder);
  const environment = Object.entries(options.environment).map(([name, value]) => `${name}=${here(value)}`);
  // One process, in the foreground: there are no children to outlive it.
  const program = ["/usr/sbin/apache2", "-X", "-f", join(folder, "httpd.conf")];
  const server = new ServerProcess(["/usr/bin/env", ...environment, ...program], address, HTTPS_PORT);
  const remove = async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const logged = (name: string) => readFileSync(join(folder, name), "utf8");
  try {
    const { certFile, keyFile, ca } = issueCertificate(folder, address);
    for (const [name, text] of Object.entries(options.files)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "httpd.conf"), here(settings(address, certFile, keyFile, options)));
    await server.start();
    return {
      http: new URL(`http://${address}:${HTTP_PORT}${options.upstream.pathname}`),
      https: new URL(`https://${address}:${HTTPS_PORT}${options.upstream.pathname}`),
      ca,
      server,
      requests: () => logged("requests.log").trim().split("\n").map(requestOf),
      errors: () => logged("error.log"),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function requestOf(line: string): ApacheRequest {
  const [connection, user = "-", status] = line.split(" ");
  return { connection: Number(connection), user, status: Number(status) };
}

function settings(address: string, certFile: string, keyFile: string, options: ApacheOptions): string {
  const { upstream, upstreamAuthorization, gssapi } = options;
  const modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "proxy"];
  return `${[...modules, "proxy_http", "ssl"].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join("\n")}
ServerRoot FOLDER
ServerName localhost
User www-data
Group www-data
PidFile FOLDER/httpd.pid
DefaultRuntimeDir FOLDER
ErrorLog FOLDER/error.log
LogLevel error auth_gssapi:info
LogFormat "%{remote}p %u %>s" requests
CustomLog FOLDER/requests.log requests
Listen ${address}:${HTTP_PORT}
Listen ${address}:${HTTPS_PORT}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 15
<VirtualHost ${address}:${HTTPS_PORT}>
  ServerName localhost
  SSLEngine on
  SSLCertificateFile ${certFile}
  SSLCertificateKeyFile ${keyFile}
</VirtualHost>
ProxyPass / ${upstream.origin}/
<Location />
  AuthType GSSAPI
  AuthName gateway
  ${gssapi.join("\n  ")}
  Require valid-user
  RequestHeader set Authorization "${upstreamAuthorization}"
</Location>
`;
}
