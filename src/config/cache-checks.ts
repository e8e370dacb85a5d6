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
  if (urls.length > 1 && ["single", undefined].includes(at(shared, "topology") as string | undefined)) {
    problems.push(`${path}.urls: there are several. Set topology to sentinel or cluster, or keep one.`);
  }
  const far = urls.some(({ protocol, hostname }) => protocol === "redis:" && !isThisMachine(hostname));
  const secrets = ["password", "sentinelPassword"].some((setting) => at(shared, setting) !== undefined);
  if (far && secrets && at(shared, "allowPlainRedis") !== true) {
    problems.push(`${path}.urls: redis:// would send the password in clear. Use rediss://, or set allowPlainRedis.`);
  }
  const caFile = at(shared, "caFile");
  if (typeof caFile === "string") problems.push(...authorityProblems(`${path}.caFile`, caFile));
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
