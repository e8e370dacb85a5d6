/**
 * Decides how a routing decision reads in a terminal: a line per step, with its age, and
 * the decision last. Pure: where the explanation came from is not known here.
 */

import type { Decision, RouteExplanation } from "../proxy/explain-route.js";

export function explanationText({ address, as, steps, decision, asked }: RouteExplanation): string {
  const lines = [as === "none" ? address : `${address}, asked about by ${as}`];
  const width = Math.max(0, ...steps.map(({ considered }) => considered.length));
  steps.forEach(({ considered, finding, ageSeconds }, i) => {
    const age = ageSeconds === undefined ? "" : `  (${ageText(ageSeconds)} old)`;
    lines.push(`  ${i + 1}. ${considered.padEnd(width)}  ${finding}${age}`);
  });
  lines.push(`  => ${decisionText(decision)}`);
  if (asked !== undefined) {
    const where = asked.backend === undefined ? "" : ` from ${asked.backend}`;
    const more = [asked.code, asked.detail].filter((text) => text !== undefined).join(", ");
    lines.push(`  asked: ${asked.result}${where}${more === "" ? "" : ` (${more})`} in ${asked.durationMs} ms`);
    if (asked.decisionNow !== undefined) lines.push(`  => now: ${decisionText(asked.decisionNow)}`);
  }
  return `${lines.join("\n")}\n`;
}

function decisionText({ kind, backend, address, rule, reason }: Decision): string {
  if (kind === "backend") return `ask ${backend} about ${address}  [${rule}]`;
  if (kind === "group") return `a group: its members are asked about one by one  [${rule}]`;
  return `nobody is asked: ${reason}  [${rule}]`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
