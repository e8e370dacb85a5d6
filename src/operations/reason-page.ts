/**
 * Decides what a reason's page says, and in which order: what happened, how to make sure,
 * what to do, and who has to do it. Which reasons there are is decided where they arise.
 */

/** Who can do something about it. */
export type WhoActs =
  | "the gateway's operator"
  | "the Exchange administrator"
  | "the WorkMail administrator"
  | "the administrator of the system that was asked"
  | "whoever asked"
  | "nobody";

export interface ReasonPage {
  /** One line: what it means. */
  readonly means: string;
  readonly causes: readonly string[];
  /** What to look at, and what one would see there. */
  readonly confirm: string;
  readonly remedy: string;
  readonly who: WhoActs;
}

/** A page as plain text, for a terminal. */
export function reasonText(id: string, { means, causes, confirm, remedy, who }: ReasonPage): string {
  const list = causes.map((cause) => `  - ${cause}`).join("\n");
  return `${id}\n  ${means}\n\nCauses\n${list}\n\nTo confirm\n  ${confirm}\n\nRemedy (${who})\n  ${remedy}\n`;
}

/** All pages as one Markdown document. */
export function reasonsMarkdown(sections: ReadonlyMap<string, ReadonlyMap<string, ReasonPage>>): string {
  const parts = [
    "# Reasons",
    "What the gateway says when it cannot say when somebody is free, or does not let somebody ask. The word in brackets at the end of an answer's text, and `reason` in the log, lead here; so does `freebusy reason WORD`.",
  ];
  for (const [section, pages] of sections) {
    parts.push(`## ${section}`);
    for (const [id, { means, causes, confirm, remedy, who }] of pages) {
      const list = causes.map((cause) => `- ${cause}`).join("\n");
      parts.push(`### ${id}\n\n${means}\n\n${list}\n\n**To confirm:** ${confirm}\n\n**Remedy** (${who}): ${remedy}`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}
