/** Samba's `ntlm_auth`, which speaks both sides of NTLM over its standard streams, without a domain or a daemon. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const hasNtlmAuth = existsSync("/usr/bin/ntlm_auth");
export const NTLM_AUTH_MISSING = "SKIPPED: no Samba to judge NTLM messages (Debian: winbind)\n";

export interface NtlmAuth {
  /** One line in, one line out: a word and what belongs to it. */
  say(line: string): Promise<{ word: string; rest: string }>;
  end(): void;
}

export interface NtlmAuthAccount {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

/** As "server" it knows this one account; as "client" it is it. */
export function startNtlmAuth(side: "server" | "client", account: NtlmAuthAccount): NtlmAuth {
  const folder = mkdtempSync(join(tmpdir(), "ntlm-auth-"));
  const configuration = join(folder, "smb.conf");
  const places = ["private dir", "lock directory", "state directory", "cache directory"];
  writeFileSync(
    configuration,
    `[global]\nworkgroup = CORP\nnetbios name = JUDGE\nunix charset = UTF-8\nlog file = ${folder}/log\n${places.map((name) => `${name} = ${folder}\n`).join("")}`,
  );
  const protocol = side === "server" ? "squid-2.5-ntlmssp" : "ntlmssp-client-1";
  const { user, domain, password } = account;
  const child: ChildProcess = spawn(
    "/usr/bin/ntlm_auth",
    [
      ...[`--configfile=${configuration}`, `--helper-protocol=${protocol}`],
      ...[`--username=${user}`, `--domain=${domain}`, `--password=${password}`],
    ],
    { stdio: ["pipe", "pipe", "ignore"] },
  );
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    say: async (line) => {
      child.stdin?.write(`${line}\n`);
      const { value } = (await lines.next()) as { value: string | undefined };
      const [word = "", ...rest] = (value ?? "").split(" ");
      return { word, rest: rest.join(" ") };
    },
    end: () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
