/** Decides how a page of the reason catalogue reads in the console. Which reasons there are is decided where they arise. */

import type { ReasonPage } from "../reason-page.js";
import { type Html, html, type Part } from "./html.js";

export function reasonArticle(id: string, { means, causes, confirm, remedy, who }: ReasonPage, concerns?: Part): Html {
  return html`<article class="reason">
<h3 id="reason-${id}"><code>${id}</code></h3>
${concerns && html`<p class="concerns">${concerns}</p>`}
<p>${withCode(means)}</p>
<dl>
<dt>Causes</dt><dd><ul>${causes.map((cause) => html`<li>${withCode(cause)}</li>`)}</ul></dd>
<dt>To confirm</dt><dd>${withCode(confirm)}</dd>
<dt>Remedy</dt><dd>${withCode(remedy)} <span class="muted">(${who})</span></dd>
</dl>
</article>
`;
}

/** The catalogue marks what is to be typed or found literally with backticks. */
function withCode(text: string): Html[] {
  return text.split("`").map((piece, i) => (i % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`));
}
