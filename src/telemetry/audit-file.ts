/**
 * Decides how audit lines reach a file of their own, which only the gateway's user reads. A file
 * that has been moved away is begun anew on `reopen`.
 */

import pino from "pino";

export interface AuditFile {
  /** For {@link AuditLog}. */
  readonly stream: { write(line: string): void };
  /** After the file has been rotated. Where it cannot be opened anew, the old one stays in use. */
  reopen(): void;
  /** Everything written so far has left when this returns. */
  flush(): void;
}

/** Kept while it cannot be written; what comes after that is lost. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Throws when the file cannot be opened. `onProblem`, once each time: lines cannot be written any more, for example on a full disk. */
export function openAuditFile(file: string, onProblem: (error: Error) => void): AuditFile {
  let failing = false;
  let reopenLater = false;
  const open = () => {
    // Opened and written to at once: an audit line that is lost with the process is none.
    const opened = pino.destination({ dest: file, sync: true, append: true, mode: 0o600, maxLength: MOST_BYTES });
    opened.on("error", (error: Error) => {
      if (!failing) onProblem(error);
      failing = true;
    });
    opened.on("write", () => {
      failing = false;
      if (reopenLater) process.nextTick(reopen);
      reopenLater = false;
    });
    return opened;
  };
  // Not the package's own: after one that failed, it closes a descriptor twice.
  const reopen = () => {
    // What waits would be lost with the file that it waits for.
    if (failing) {
      reopenLater = true;
      return;
    }
    try {
      const before = output;
      output = open();
      before.flushSync();
      before.end();
    } catch (error) {
      onProblem(error as Error);
    }
  };
  let output = open();
  return {
    stream: { write: (line) => void output.write(line) },
    reopen,
    // What cannot be written would be tried for ever.
    flush: () => {
      if (!failing) output.flushSync();
    },
  };
}
