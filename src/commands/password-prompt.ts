/**
 * Decides how a password is asked for on a terminal: on standard error, so that output can be
 * piped, and without showing what is typed.
 */

import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Undefined when it was given up with Ctrl-C or Ctrl-D. */
export async function promptedPassword(question: string): Promise<string | undefined> {
  const unseen = new Writable({ write: (_, __, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  process.stderr.write(question);
  return new Promise((resolve) => {
    const done = (password: string | undefined) => {
      lines.removeAllListeners("close");
      lines.close();
      process.stderr.write("\n");
      resolve(password);
    };
    lines.once("line", done);
    lines.once("SIGINT", () => done(undefined));
    lines.once("close", () => done(undefined));
  });
}
