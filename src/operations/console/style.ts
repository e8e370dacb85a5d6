/**
 * Decides how the console looks: one style sheet, light and dark by the reader's preference,
 * rows as blocks on narrow screens. In TypeScript, because then the compiler alone takes it to
 * where it runs. Text and its ground have a contrast of 4.5:1 at least, in both (a test counts).
 */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f6f8; --surface: #ffffff; --text: #1a1f26; --muted: #56606c; --line: #d5dbe2; --link: #0b57a4;
  --good: #17663a; --bad: #a8201a; --waiting: #7a5200; --alert-ground: #fdeceb;
  --grid: #e4e8ed; --grid-strong: #c3cad3; --off: #eef1f4; --now: #c2261f;
  --busy: #2a5c9c; --on-busy: #ffffff; --tentative-ground: #e3edf9; --tentative-mark: #a9c6ea; --tentative-edge: #2a5c9c;
  --away-ground: #6a3d8f; --away-mark: #b795d4; --on-away: #ffffff;
  --elsewhere-ground: #f1f8f4; --elsewhere-mark: #4b9a70; --elsewhere-edge: #2f7a52;
  --unknown-ground: #eceef1; --unknown-mark: #a3abb5; --unknown-edge: #6b7480; --label: #1a1f26;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1419; --surface: #171d24; --text: #e4e8ec; --muted: #9ba6b2; --line: #303944; --link: #7cb5f5;
    --good: #6fcf97; --bad: #ff8f87; --waiting: #e3b34c; --alert-ground: #3a1c1c;
    --grid: #262e37; --grid-strong: #3d4854; --off: #11161c; --now: #ff7b72;
    --busy: #5b93d6; --on-busy: #0b1118; --tentative-ground: #1b2b3f; --tentative-mark: #34547c; --tentative-edge: #5b93d6;
    --away-ground: #b48be0; --away-mark: #7a4fa6; --on-away: #120a1a;
    --elsewhere-ground: #16231c; --elsewhere-mark: #4f9a73; --elsewhere-edge: #4f9a73;
    --unknown-ground: #20262d; --unknown-mark: #55606c; --unknown-edge: #8792a0; --label: #e4e8ec;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible, input:focus-within { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
code { font: 0.92em ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
bdi { overflow-wrap: anywhere; }
ul, ol { margin: 0; padding: 0; list-style: none; }
.muted { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 1; padding: 0.5rem 0.9rem; background: var(--surface); }
.skip:focus { top: 0.5rem; }

header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 2rem; padding: 0 1.5rem; background: var(--surface); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: 0.6rem; margin: 0; padding: 0.7rem 0; font-weight: 650; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.4rem; }
nav a { display: block; padding: 0.75rem 0; border-bottom: 3px solid transparent; color: var(--muted); text-decoration: none; }
nav a:hover { color: var(--text); border-color: var(--line); }
nav a[aria-current] { color: var(--text); border-color: var(--link); font-weight: 600; }
main, footer { max-width: 78rem; margin: 0 auto; padding: 0 1.5rem; }
footer { padding-bottom: 2rem; color: var(--muted); font-size: 0.87rem; }
h1 { margin: 1.6rem 0 0.8rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 1.9rem 0 0.6rem; font-size: 1.1rem; }
h3 { margin: 0 0 0.3rem; font-size: 1rem; }
.headline, .summary { margin: 0 0 0.9rem; }

.standing { white-space: nowrap; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .waiting { color: var(--waiting); }

table { width: 100%; margin: 0 0 1.1rem; border-collapse: collapse; background: var(--surface); border: 1px solid var(--line); font-size: 0.93rem; }
caption { padding: 0 0 0.35rem; text-align: left; color: var(--muted); font-size: 0.87rem; }
th, td { padding: 0.45rem 0.8rem; text-align: left; vertical-align: baseline; }
thead th { color: var(--muted); font-size: 0.8rem; font-weight: 600; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; } tbody th code { font-weight: 400; font-size: 0.8rem; }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin-top: 0.15rem; } summary { color: var(--link); cursor: pointer; }
.steps { padding: 0.3rem 0 0 1.3rem; list-style: decimal; }
.outcomes li + li { margin-top: 0.2rem; }
.outcomes .address { font-weight: 600; margin-right: 0.4rem; }

form { display: flex; flex-wrap: wrap; gap: 0.8rem 1rem; align-items: flex-start; margin: 0 0 1.4rem; padding: 1rem; background: var(--surface); border: 1px solid var(--line); }
.field { display: flex; flex-direction: column; gap: 0.2rem; }
.field.wide { flex: 1 1 22rem; }
.lookup .wide { flex-basis: 100%; }
.field.check { flex-direction: row; align-items: center; gap: 0.5rem; }
.field.check, .field:has(> button) { padding-top: 1.45rem; min-height: 3.6rem; }
label { font-size: 0.87rem; font-weight: 600; }
.check label { font-weight: 400; }
input, select, textarea, button { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--muted); border-radius: 4px; padding: 0.35rem 0.55rem; }
input:not([type=checkbox]), select, button { min-height: 2.2rem; }
input[type=checkbox] { width: 1.1rem; height: 1.1rem; margin: 0; accent-color: var(--link); }
textarea { width: 100%; resize: vertical; font: 0.92em/1.5 ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
button { padding: 0.35rem 1.2rem; border-color: var(--link); background: var(--link); color: var(--surface); font-weight: 600; cursor: pointer; }
.hint { margin: 0; color: var(--muted); font-size: 0.84rem; }
.problem { margin: 0; color: var(--bad); font-size: 0.87rem; font-weight: 600; }
[aria-invalid] { border: 2px solid var(--bad); }
.alert { padding: 0.6rem 1rem; border-left: 4px solid var(--bad); background: var(--alert-ground); }

.patterns { position: absolute; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.3rem; margin: 0 0 0.9rem; color: var(--muted); font-size: 0.87rem; }
.legend li { display: flex; align-items: center; gap: 0.45rem; }
svg { display: block; overflow: hidden; }
.swatch { flex: none; }
.timeline { table-layout: fixed; }
.timeline caption { color: var(--text); font-size: 0.95rem; font-weight: 600; }
.timeline caption .muted { font-weight: 400; }
.timeline th:first-child { width: 17.5rem; }
.timeline th, .timeline td { padding: 0.3rem 0.8rem; vertical-align: middle; }
.timeline thead th { border-bottom: none; padding-bottom: 0; font-weight: 400; }
.timeline tbody tr > * { border-top: none; }
.timeline td { padding-left: 0; } .timeline thead th + th { padding-left: 0; }
.timeline tbody tr:last-child > * { padding-bottom: 0.7rem; }
.timeline .who { display: block; line-height: 1.25; }
.timeline .note { color: var(--muted); font-size: 0.82rem; font-weight: 400; }
.timeline .common > * { border-top: 1px solid var(--line); padding-top: 0.6rem; }
.timeline .common { background: var(--ground); }
.axis text { fill: var(--muted); font-size: 11px; font-variant-numeric: tabular-nums; }
.strip { border: 1px solid var(--grid-strong); }
.free { fill: var(--surface); } .off { fill: var(--off); }
.hour, .third { stroke: var(--grid); } .third { stroke: var(--grid-strong); stroke-dasharray: 2 2; } .quarter { stroke: var(--grid-strong); }
.now { stroke: var(--now); stroke-width: 2; }
.stretch text { font-size: 12px; fill: var(--label); }
.stretch.busy rect { fill: var(--busy); } .stretch.busy text { fill: var(--on-busy); }
.stretch.away rect { stroke: var(--away-ground); } .stretch.away text { fill: var(--on-away); }
.away-ground { fill: var(--away-ground); } .away-mark { fill: var(--away-mark); }
.stretch.tentative rect { stroke: var(--tentative-edge); stroke-width: 2; }
.tentative-ground { fill: var(--tentative-ground); } .tentative-mark { fill: var(--tentative-mark); }
.stretch.elsewhere rect { stroke: var(--elsewhere-edge); stroke-width: 2; stroke-dasharray: 3 2; }
.elsewhere-ground { fill: var(--elsewhere-ground); } .elsewhere-mark { fill: var(--elsewhere-mark); }
.stretch.unknown rect { stroke: var(--unknown-edge); stroke-width: 2; stroke-dasharray: 5 3; }
.unknown-ground { fill: var(--unknown-ground); } .unknown-mark { stroke: var(--unknown-mark); stroke-width: 1.2; }
.stretch.unknown text, .stretch.elsewhere text, .stretch.away text, .stretch.tentative text { font-weight: 600; paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
.stretch.unknown text { stroke: var(--unknown-ground); }
.stretch.elsewhere text { stroke: var(--elsewhere-ground); }
.stretch.away text { stroke: var(--away-ground); }
.stretch.tentative text { stroke: var(--tentative-ground); }
.stretch.free-time rect { fill: var(--surface); stroke: var(--grid-strong); }
.swatch > .off { stroke: var(--grid-strong); }

@media (min-width: 46.01rem) {
  [aria-labelledby=routes] table { table-layout: fixed; }
  [aria-labelledby=routes] :is(th, td) { padding-right: 0.4rem; }
  [aria-labelledby=routes] th:nth-child(1) { width: 22%; }
  [aria-labelledby=routes] th:nth-child(2) { width: 21%; }
  [aria-labelledby=routes] th:nth-child(4) { width: 24%; }
}
.reason { margin: 0 0 0.8rem; padding: 0.8rem 1rem; background: var(--surface); border: 1px solid var(--line); border-left: 4px solid var(--muted); }
.reason:target, .reason:has(:target) { border-left-color: var(--link); }
.reason p { margin: 0 0 0.5rem; max-width: 68ch; }
.reason .concerns { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1rem; margin: 0; }
dt { color: var(--muted); font-size: 0.87rem; } dd { margin: 0; max-width: 68ch; }
.reason dd ul { padding-left: 1.1rem; list-style: disc; }
.jumps { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin-bottom: 1rem; }

@media (max-width: 46rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  nav ul { gap: 0 1.1rem; } nav a { padding: 0.45rem 0 0.55rem; }
  .brand { padding-bottom: 0; }
  .field { flex: 1 1 8rem; } .field.check { flex: 1 1 100%; padding-top: 0; min-height: 0; }
  .field:has(> button) { flex-basis: 100%; padding-top: 0; min-height: 0; } :is(input:not([type=checkbox]), select, textarea, button) { min-height: 44px; }
  input, select { width: 100%; min-width: 0; }
  table, caption, tbody, tr, th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table { border: none; background: none; }
  tbody tr { margin-bottom: 0.7rem; padding: 0.5rem 0.8rem; background: var(--surface); border: 1px solid var(--line); }
  tbody th, tbody td, tbody tr + tr > * { padding: 0.15rem 0; border-top: none; }
  td[data-column] { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0.6rem; text-align: left; white-space: normal; }
  td[data-column]::before { content: attr(data-column); color: var(--muted); font-size: 0.87rem; }
  .timeline { padding: 0.5rem 0.8rem; background: var(--surface); border: 1px solid var(--line); }
  .timeline caption { padding: 0.3rem 0; }
  .timeline thead { position: static; width: auto; height: auto; clip-path: none; display: block; }
  .timeline thead th:first-child { display: none; }
  .timeline thead th, .timeline tbody tr, .timeline tbody th, .timeline tbody td { padding: 0; border: none; margin: 0; width: auto; }
  .timeline th:first-child { width: auto; }
  .timeline tbody tr { padding-top: 0.5rem; background: none; }
  .timeline tbody tr.common { margin-top: 0.6rem; border-top: 1px solid var(--line); background: none; }
  .timeline .who { display: inline; }
  .timeline tbody tr:last-child > * { padding-bottom: 0.2rem; }
  .axis .fine, .strip .hour, .stretch .narrow { display: none; }
  dl { grid-template-columns: 1fr; gap: 0.1rem; } dd { margin-bottom: 0.5rem; }
}
@media print { header, form, .skip { display: none; } body, table { background: none; } }
@media (forced-colors: active) { .strip, .stretch { forced-color-adjust: none; } }
`;
