/** Entries as LDIF, every value in base64: no character of a name or an address can be taken for anything else. */

export interface NewEntry {
  readonly dn: string;
  readonly [attribute: string]: string | readonly string[] | Buffer;
}

export function ldif(entries: readonly NewEntry[]): string {
  return entries
    .map((entry) =>
      Object.entries(entry)
        .flatMap(([name, values]) =>
          [values].flat().map((value) => `${name}:: ${Buffer.from(value as string).toString("base64")}`),
        )
        .join("\n"),
    )
    .join("\n\n")
    .concat("\n");
}
