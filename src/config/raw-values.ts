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
