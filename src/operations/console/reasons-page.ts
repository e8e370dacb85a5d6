/** Decides how all reasons of the catalogue are laid out: a list to jump from, then each in full. */

import type { ReasonPage } from "../reason-page.js";
import { type Html, html } from "./html.js";
import { reasonArticle } from "./reason-article.js";

export function reasonsContent(sections: ReadonlyMap<string, ReadonlyMap<string, ReasonPage>>): Html {
  return html`<p>What the gateway says when it cannot say when somebody is free, or does not let somebody ask.</p>
${[...sections].map(
  ([section, reasons]) => html`<section>
<h2>${section}</h2>
<ul class="jumps">${[...reasons.keys()].map((id) => html`<li><a href="#reason-${id}"><code>${id}</code></a></li>`)}</ul>
${[...reasons].map(([id, reason]) => reasonArticle(id, reason))}
</section>
`,
)}`;
}
