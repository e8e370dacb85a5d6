/** Decides whether what references to callers' hashes lead to are hashes. A value is never part of a message. */

import { at, entries } from "./raw-values.js";

const PASSWORD_HASH = /^\$(argon2(id|i|d)|scrypt)\$.+/;
const NT_HASH = /^[0-9a-fA-F]{32}$/;

/** `secretAt`: the secret of a setting's path, when it is there. */
export function hashProblems(raw: unknown, secretAt: (path: string) => string | undefined): string[] {
  const callers = entries(at(raw, "callers")).map(([key]) => `callers.${key}`);
  return [...callers, "management.console"].flatMap((path) => [
    ...wrong(
      `${path}.passwordHash`,
      PASSWORD_HASH,
      "is no argon2 or scrypt hash. Make one with: freebusy hash-password",
    ),
    ...wrong(`${path}.ntHash`, NT_HASH, "is no NT hash: 32 hexadecimal digits are expected."),
  ]);

  function wrong(path: string, form: RegExp, sentence: string): string[] {
    const value = secretAt(path);
    return value === undefined || form.test(value) ? [] : [`${path}: what it refers to ${sentence}`];
  }
}
