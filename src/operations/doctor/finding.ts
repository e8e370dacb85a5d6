/**
 * Decides what the doctor says: what was expected and what was found, why it matters, and
 * what to do. Something that could not be looked at is a finding too, and never "fine".
 *
 * Pure. A finding holds no secret, and nothing out of anybody's calendar.
 */

/**
 * fine: looked at, as it should be. note: worth knowing, nothing to do. not-checked: could not be looked at from here; `todo`
 * says how to do it by hand. warning: works, but not for long or not for all. failure: somebody sees hash marks.
 */
export type Verdict = "fine" | "note" | "not-checked" | "warning" | "failure";

/** What one look has shown. */
export interface Shown {
  readonly verdict: Verdict;
  /** What it was about: a domain, a URL, a mailbox, a backend. */
  readonly about: string;
  readonly expected: string;
  readonly found: string;
  /** Lines for whoever puts it right, commands as they are typed. Empty when there is nothing to do. */
  readonly todo: readonly string[];
}

export interface Finding extends Shown {
  /** The check's id, as in docs/doctor.md. */
  readonly check: string;
  readonly why: string;
}

/** One question about the site. Rejects with a {@link Impossible} when it cannot be answered. */
export interface Check {
  readonly id: string;
  /** What is looked at, in a few words. */
  readonly title: string;
  /** Why it matters, for whoever has to be convinced. */
  readonly why: string;
  run(signal: AbortSignal): Promise<readonly Shown[]>;
}

/** A look that could not be taken. The message is for people and may be shown as it is. */
export class Impossible extends Error {
  readonly verdict: "not-checked" | "warning" | "failure";
  readonly todo: readonly string[];

  constructor(message: string, todo: readonly string[] = [], verdict: Impossible["verdict"] = "warning") {
    super(message);
    this.name = "Impossible";
    this.todo = todo;
    this.verdict = verdict;
  }
}

export const fine = (about: string, found: string): Shown => ({
  ...{ verdict: "fine", about, expected: found, found, todo: [] },
});

/** What is expected of every look; findings that share it, and what was in the way, are said once. */
export const LOOKED_AT = "this can be looked at";

const GRAVITY: Readonly<Record<Verdict, number>> = { failure: 0, warning: 1, "not-checked": 2, note: 3, fine: 4 };

/** The worst first; among equals the order of the checks stays. */
export function byGravity(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => GRAVITY[one.verdict] - GRAVITY[other.verdict]);
}

/** 4: a failure; 3: a warning and no failure; 0: neither. What could not be checked is said, but does not count. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 3 | 4 {
  if (findings.some(({ verdict }) => verdict === "failure")) return 4;
  return findings.some(({ verdict }) => verdict === "warning") ? 3 : 0;
}
