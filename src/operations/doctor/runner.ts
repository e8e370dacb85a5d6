/**
 * Decides how checks are run: all at once, and never longer than promised. Whatever happens inside one becomes a finding; what several could not do for
 * the same reason is said once.
 */

import { type Check, type Finding, Impossible, LOOKED_AT } from "./finding.js";

export interface Examination {
  readonly findings: readonly Finding[];
  readonly tookMs: number;
}

/** All checks begin together, so what one may take is what all may take. */
export async function examine(checks: readonly Check[], withinMs: number, now: () => number): Promise<Examination> {
  const began = now();
  const found = await Promise.all(checks.map((check) => bounded(check, withinMs)));
  return { findings: saidOnce(found.flat()), tookMs: now() - began };
}

async function bounded(check: Check, ms: number): Promise<Finding[]> {
  const { id, title, why } = check;
  const own = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // A look that does not heed its signal is left behind.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Impossible(`no result within ${Math.round(ms / 1000)} seconds`)), ms);
  });
  try {
    return (await Promise.race([check.run(own.signal), late])).map((shown) => ({ check: id, why, ...shown }));
  } catch (error) {
    const { verdict, message, todo } = explained(error);
    return [{ check: id, why, verdict, about: title, expected: LOOKED_AT, found: message, todo }];
  } finally {
    clearTimeout(timer);
    own.abort();
  }
}

/** Only errors made for people are quoted: others may repeat what was sent. */
function explained(error: unknown): Pick<Impossible, "verdict" | "message" | "todo"> {
  if (error instanceof Impossible) return error;
  const { name, message, code } = error as { name?: string; message?: string; code?: string };
  if (name === "DirectoryError" && message !== undefined) return { verdict: "warning", message, todo: [] };
  const said = /^[A-Za-z0-9_]{1,60}$/.test(code ?? "") ? code : name;
  return { verdict: "warning", message: `could not be looked at (${said})`, todo: [] };
}

/** Findings of several checks that found the very same thing to be in the way become one. */
function saidOnce(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, number>();
  const said: Finding[] = [];
  for (const finding of findings) {
    const key = finding.expected === LOOKED_AT ? `${finding.verdict} ${finding.found}` : undefined;
    const at = key === undefined ? undefined : first.get(key);
    if (at === undefined) {
      if (key !== undefined) first.set(key, said.length);
      said.push(finding);
    } else {
      const before = said[at] as Finding;
      said[at] = {
        ...before,
        check: `${before.check}, ${finding.check}`,
        about: `${before.about}; ${finding.about}`,
      };
    }
  }
  return said;
}
