/**
 * Decides what a table of the console is made of: a caption, a heading for each column, the
 * first cell of each row as its heading. Roles are written out and every cell names its column,
 * because on a narrow screen the rows become blocks, and browsers then forget what they were.
 */

import { type Html, html, type Part } from "./html.js";

export interface Column {
  readonly name: string;
  /** Numbers stand under each other. */
  readonly isNumber?: boolean;
}

export type Cell = Html | string | number;

export function table(caption: Part, columns: readonly Column[], rows: readonly (readonly Cell[])[]): Html {
  return html`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(
    ({ name, isNumber }) => html`<th role="columnheader" scope="col" class="${isNumber && "number"}">${name}</th>`,
  )}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (cells) => html`<tr role="row">${cells.map((cell, i) => written(cell, columns[i] as Column, i === 0))}</tr>
`,
  )}</tbody>
</table>
`;
}

function written(cell: Cell, { name, isNumber }: Column, isHeading: boolean): Html {
  if (isHeading) return html`<th role="rowheader" scope="row">${cell}</th>`;
  return html`<td role="cell" data-column="${name}" class="${isNumber && "number"}"><div>${cell}</div></td>`;
}

/** How something stands: a sign, a colour and a word, so that none of them is needed alone. */
export function standing(kind: "good" | "bad" | "waiting", word: string): Html {
  const sign = { good: "✓", bad: "✕", waiting: "…" }[kind];
  return html`<span class="standing ${kind}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

/** Text from elsewhere, whose direction of writing stays its own. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}
