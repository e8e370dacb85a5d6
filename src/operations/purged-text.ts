/** Decides how a purge reads in a terminal. */

export interface PurgedText {
  readonly addresses: readonly string[] | "all";
  readonly others: "told" | "not reached" | "none";
}

export function purgedText({ addresses, others }: PurgedText): string {
  const what = addresses === "all" ? "every mailbox" : addresses.join(", ");
  const reach = {
    told: "here and at the gateways that share its cache",
    "not reached":
      "here only: the shared cache cannot be used, so others keep what they have for its time. Repeat it, or ask each of them",
    none: "here",
  }[others];
  return `forgotten: ${what}, ${reach}\n`;
}
