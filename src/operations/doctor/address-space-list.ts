/**
 * Reads what `Get-AvailabilityAddressSpace | Format-List` printed: blocks of "Name : value",
 * a long value going on in the next line, indented.
 */

export interface AddressSpaceListed {
  readonly forestName: string;
  readonly accessMethod: string;
  readonly autodiscover: string | undefined;
}

export function readAddressSpaces(text: string): AddressSpaceListed[] {
  const blocks = text
    .replace(/^\uFEFF/, "")
    .replace(/\r/g, "")
    .split(/\n\s*\n/);
  return blocks.flatMap((block) => {
    const values = new Map<string, string>();
    let last = "";
    for (const line of block.split("\n")) {
      const [, name, value = ""] = /^(\w+)\s*: ?(.*)$/.exec(line) ?? [];
      if (name !== undefined) {
        last = name.toLowerCase();
        values.set(last, value.trim());
      } else if (/^\s{4,}\S/.test(line) && last !== "") {
        values.set(last, `${values.get(last)}${line.trim()}`);
      }
    }
    const forestName = values.get("forestname");
    if (forestName === undefined || forestName === "") return [];
    const autodiscover = values.get("targetautodiscoverepr") || undefined;
    return [{ forestName, accessMethod: values.get("accessmethod") ?? "", autodiscover }];
  });
}
