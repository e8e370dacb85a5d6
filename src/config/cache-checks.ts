/** Decides what is wrong with the settings of a shared cache that are each well formed. Looks at what was written. */

import { authorityProblems } from "./file-checks.js";
import { at, list } from "./raw-values.js";

const SHORTEST_KEY = 32;

export function cacheProblems(raw: unknown): string[] {
  const shared = at(at(raw, "cache"), "shared");
  const urls = list(at(shared, "urls")).flatMap((url) =>
    typeof url === "string" && URL.canParse(url) ? [new URL(url)] : [],
  );
  const problems: string[] = [];
  const path = "cache.shared";
  if (new Set(urls.map(({ protocol }) => protocol)).size > 1) {
    problems.push(`${path}.urls: redis:// and rediss:// stand side by side. Use one of them for all.`);
  }
  const topology = at(shared, "topology") ?? "single";
  if (urls.length > 1 && topology === "single") {
    problems.push(`${path}.urls: there are several. Set topology to sentinel or cluster, or keep one.`);
  }
  const databases = new Set(urls.map(({ pathname }) => Number(pathname.slice(1))));
  if (topology === "cluster" && [...databases].some((number) => number > 0)) {
    problems.push(`${path}.urls: a cluster has one database only. Remove the number after the port.`);
  } else if (databases.size > 1) {
    problems.push(`${path}.urls: they name different databases. Write the same number, or none, after each port.`);
  }
  for (const setting of ["sentinelName", "sentinelPassword"]) {
    if (at(shared, setting) === undefined || topology === "sentinel") continue;
    problems.push(`${path}.${setting}: is for topology: sentinel. Set that, or remove it.`);
  }
  if (at(shared, "username") !== undefined && at(shared, "password") === undefined) {
    problems.push(`${path}.username: signs in with a password. Give password, too, or remove it.`);
  }
  const far = urls.some(({ protocol, hostname }) => protocol === "redis:" && !isThisMachine(hostname));
  const secrets = ["password", "sentinelPassword"].some((setting) => at(shared, setting) !== undefined);
  if (far && secrets && at(shared, "allowPlainRedis") !== true) {
    problems.push(`${path}.urls: redis:// would send the password in clear. Use rediss://, or set allowPlainRedis.`);
  }
  const caFile = at(shared, "caFile");
  if (typeof caFile === "string") problems.push(...authorityProblems(`${path}.caFile`, caFile));
  if (caFile !== undefined && urls.length > 0 && urls.every(({ protocol }) => protocol === "redis:")) {
    problems.push(`${path}.caFile: is of no use with redis://. Use rediss://, or remove it.`);
  }
  return problems;
}

/** `secretAt`: the secret of a setting's path, when it is there. */
export function weakKeyProblems(secretAt: (path: string) => string | undefined): string[] {
  return ["encryptionKey", "previousEncryptionKey"].flatMap((setting) => {
    const path = `cache.shared.${setting}`;
    const length = secretAt(path)?.length ?? SHORTEST_KEY;
    if (length >= SHORTEST_KEY) return [];
    return [
      `${path}: has ${length} characters, and ${SHORTEST_KEY} are needed. Make one with: openssl rand -base64 32`,
    ];
  });
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
