/** Decides how a command that could not do its work ends: with a sentence for people, and a code for scripts. */
export function ended(code: 1 | 2, sentence: string): void {
  process.stderr.write(sentence);
  process.exitCode = code;
}
