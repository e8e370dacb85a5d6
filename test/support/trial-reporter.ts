/**
 * Prints what tests have noted as a table in Markdown, and nothing else on the output, so that
 * it can be kept: `npm run --silent hostile > docs/hostile.md`. Failures go to the error output.
 */

import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Trial } from "./trial.js";

export default class TrialReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const failed = tests.filter((test) => test.result().state === "failed");
    for (const test of failed) process.stderr.write(`FAILED ${test.fullName}\n${words(test)}\n`);
    for (const module of modules) for (const error of module.errors()) process.stderr.write(`${error.message}\n`);
    const rows = tests.flatMap((test) => (test.meta() as { trials?: Trial[] }).trials ?? []);
    rows.sort((a, b) => a.row.localeCompare(b.row, "en", { numeric: true }));
    const chaos = modules.some(({ moduleId }) => moduleId.includes("/chaos/"));
    process.stdout.write(`${chaos ? CHAOS : HOSTILE}\n${verdict(tests)}\n\n${table(rows)}`);
  }
}

const HOSTILE = `# Attacks, and what they cost

\`npm run --silent hostile > docs/hostile.md\` makes this file: every attack is made on the real process, which must be asked and
answer as before afterwards. Processor time is that of all threads of the gateway, memory the highest resident size
meanwhile above the size before: both are of one run, on whatever machine it was, and hold the answer itself.
`;
const CHAOS = `# What happens when parts fail

\`npm run --silent chaos > docs/chaos.md\` makes this file. Each disturbance meets the real process under questions. Asserted for each
row: every question is answered within the budget (3 s; 2 s more are allowed for a busy machine), each position is its own mailbox or an error, nothing that is not
known is free, and when the disturbance is over views come again without a restart.
`;

function words(test: TestCase): string {
  return (test.result().errors ?? [])
    .map(({ message, stack }) => `${message}\n${stack ?? ""}`.slice(0, 2000))
    .join("\n");
}

function verdict(tests: readonly TestCase[]): string {
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  return `Node ${process.version}: ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped.`;
}

function table(rows: readonly Trial[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
  const line = ({ row, what, outcome, cost }: Trial) =>
    `| ${row} | ${cell(what)} | ${cell(outcome)} | ${cost?.processorMs.toFixed(1) ?? ""} | ${cost?.memoryMiB.toFixed(1) ?? ""} |\n`;
  return `| | what | outcome | processor, ms | memory, MiB |\n| --- | --- | --- | --- | --- |\n${rows.map(line).join("")}`;
}
