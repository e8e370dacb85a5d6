/**
 * Decides what is told of an exception that nobody caught: its kind and where it was thrown, which is all that finds
 * the mistake. Its words are not told unless they are the system's, for others may quote what was read, and that may
 * be a calendar.
 */

export interface Unforeseen {
  readonly error: string;
  /** As Node names a system's errors, and what was being done. */
  readonly code?: string;
  readonly syscall?: string;
  /** Where, innermost first. */
  readonly at: readonly string[];
}

const FRAMES = 8;

export function unforeseen(thrown: unknown): Unforeseen {
  if (!(thrown instanceof Error)) return { error: `a thrown ${typeof thrown}`, at: [] };
  const { code, syscall, message, stack = "" } = thrown as NodeJS.ErrnoException;
  // The words stand before the frames, and may have lines of their own.
  const frames = stack.slice(stack.indexOf(message) + message.length).split("\n");
  return {
    error: thrown.name,
    ...(typeof code === "string" && { code }),
    ...(syscall !== undefined && { syscall }),
    at: frames
      .map((line) => line.trim())
      .filter((line) => line.startsWith("at "))
      .slice(0, FRAMES),
  };
}
