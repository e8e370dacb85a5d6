/**
 * Decides where audit lines go: a file of their own that only the gateway's user reads, or
 * standard output beside the log. A file that has been moved away is begun anew on `reopen`.
 */

import pino from "pino";

export interface AuditDestination {
  /** For {@link AuditLog}. */
  readonly stream: { write(line: string): void };
  /** After the file has been rotated. */
  reopen(): void;
  /** Everything written so far has left when this returns. */
  flush(): void;
}

/** Throws when the file cannot be opened. `onProblem`: lines cannot be written any more, for example on a full disk. */
export function openAuditDestination(to: "stdout" | { readonly file: string }, onProblem: (error: Error) => void) {
  // A file is opened and written to at once: an audit line that is lost with the process is none.
  const output =
    to === "stdout"
      ? pino.destination({ dest: 1, sync: true })
      : pino.destination({ dest: to.file, sync: true, append: true, mode: 0o600 });
  output.on("error", onProblem);
  const destination: AuditDestination = {
    stream: output,
    reopen: () => output.reopen(),
    flush: () => output.flushSync(),
  };
  return destination;
}
