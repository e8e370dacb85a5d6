/** Looks into what a file holds before anything is known about its shape. Never throws. */

/** A property of an object, when it is one and has it. */
export function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Keys and values of an object, indexes and elements of a list; nothing of anything else. */
export function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export const lower = (text: unknown): string | undefined => (typeof text === "string" ? text.toLowerCase() : undefined);

/** A problem for each row that has a key an earlier one has. `path`: where the rows stand; `what`: what is repeated. */
export function twice(
  path: string,
  rows: unknown,
  keysOf: (row: unknown) => (string | undefined)[],
  what = "entry",
): string[] {
  const seen = new Map<string, string>();
  return entries(rows).flatMap(([index, row]) =>
    [...new Set(keysOf(row))].flatMap((key) => {
      if (key === undefined) return [];
      const before = seen.get(key);
      seen.set(key, index);
      return before === undefined
        ? []
        : [`${path}.${index}: ${what} '${key}' is already in ${path}.${before}. Keep one.`];
    }),
  );
}
