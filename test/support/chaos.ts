/**
 * Questions that never cease while something is disturbed, and the judgement of every answer.
 * Alice and Bob have a meeting each on every Wednesday, and only Wednesdays are asked about, so a
 * view without it is wrong, and so is any view of somebody who does not exist.
 */

import { expect } from "vitest";
import { ask, told } from "./gateway-process.js";
import { note } from "./trial.js";

export const PEOPLE = ["alice@corp.example", "bob@corp.example", "nobody@corp.example"] as const;
/** By the caller's clock, which is the owners': 09:00 and 11:00. */
const MEETINGS = [
  { slot: 18, subject: "Stand-up" },
  { slot: 22, subject: "Sync" },
] as const;
/** Of the gateway under test, in its configuration. */
const BUDGET_MS = 3_000;
/** Another process on a busy machine needs longer to send and to read. */
const SLACK_MS = 2_000;
const DISTURBED_MS = 1_800;
const AT_LEAST = 8;
const ASKERS = 3;
/** Longer than any pause or open circuit. */
const RECOVERED_WITHIN_MS = 15_000;

export interface Disturbance {
  readonly row: string;
  readonly what: string;
  begin(): unknown;
  end(): unknown;
  /** Of whom there must be views meanwhile, as positions in {@link PEOPLE}. */
  readonly unharmed: readonly number[];
}

interface Answer {
  readonly said: readonly string[];
  readonly ms: number;
}

let week = 0;
/** A Wednesday nobody has asked about. */
function wednesday() {
  const text = (at: number) => new Date(at).toISOString().slice(0, 19);
  const start = Date.UTC(2031, 0, 8 + 7 * (week++ % 3_000));
  return { start: text(start), end: text(start + 86_400_000) };
}

async function one(url: string): Promise<Answer> {
  const { status, text, ms } = await ask(url, PEOPLE, wednesday());
  expect(status, text).toBe(200);
  const entries = text.split("<m:FreeBusyResponse>").slice(1);
  expect(entries).toHaveLength(PEOPLE.length);
  expect(ms).toBeLessThan(BUDGET_MS + SLACK_MS);
  const said = told(text);
  for (const [i, meeting] of MEETINGS.entries()) {
    if (!said[i]?.startsWith("Detailed")) continue;
    expect(said[i]?.split(" ")).toContain(meeting.subject);
    const digits = /<t:MergedFreeBusy>(\d+)</.exec(entries[i] as string)?.[1];
    expect(digits?.[meeting.slot], digits).toMatch(/[1-4]/);
  }
  for (const [i, words] of said.entries()) expect(words, `answer ${i}`).toMatch(/^DetailedMerged |^[a-z]+-[a-z-]+$/);
  expect(said[2]).not.toMatch(/^Detailed|^FreeBusy/);
  return { said, ms };
}

const isView = (words: string | undefined) => words?.startsWith("DetailedMerged") === true;

/** Disturbs while questions are under way, and goes on until views of everybody come again. */
export async function disturbed(url: string, disturbance: Disturbance): Promise<readonly Answer[]> {
  const { row, what, begin, end, unharmed } = disturbance;
  await recovered(url);
  const answers: Answer[] = [];
  let going = true;
  const asker = async () => {
    while (going) answers.push(await one(url));
  };
  const asking = Promise.all(Array.from({ length: ASKERS }, asker));
  // What was under way before is judged too, but not counted.
  await begin();
  answers.length = 0;
  const until = Date.now() + DISTURBED_MS;
  try {
    while (Date.now() < until || answers.length < AT_LEAST)
      await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, 20))]);
  } finally {
    await end();
    going = false;
  }
  await asking;
  const meanwhile = [...answers];
  for (const i of unharmed)
    expect(meanwhile.filter(({ said }) => isView(said[i])).length / meanwhile.length, PEOPLE[i]).toBeGreaterThan(0.9);
  const backMs = await recovered(url);
  note({
    row,
    what,
    outcome: `${outcome(meanwhile)}; views of both again ${(backMs / 1000).toFixed(1)} s after its end`,
  });
  return meanwhile;
}

async function recovered(url: string): Promise<number> {
  const since = Date.now();
  for (;;) {
    const { said } = await one(url);
    if (isView(said[0]) && isView(said[1]) && said[2] === "mailbox-not-found") return Date.now() - since;
    if (Date.now() - since > RECOVERED_WITHIN_MS) throw new Error(`no views again: ${said.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function outcome(answers: readonly Answer[]): string {
  const words = [0, 1].map((i) => {
    const counts = new Map<string, number>();
    for (const { said } of answers) {
      const word = isView(said[i]) ? "view" : (said[i] as string);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return `${PEOPLE[i]?.split("@")[0]}: ${[...counts].map(([word, count]) => `${count} × ${word}`).join(", ")}`;
  });
  return `${words.join("; ")}; slowest ${(Math.max(...answers.map(({ ms }) => ms)) / 1000).toFixed(2)} s`;
}
