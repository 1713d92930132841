"""The one style sheet of our pages: screen and paper, light and dark, wide and narrow."""

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --card: #f6f8fa; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --link: #0b57c2; --s1: #0b62c4; --s2: #b4480a; --s3: #1a7f37; --s4: #8250df; --s5: #bf1f5a; --s6: #0b7285; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #a2acb7; --line: #3a424c;
    --link: #7cb8ff; --s1: #6cb6ff; --s2: #f69d50; --s3: #63c174; --s4: #b99cf5; --s5: #ff8cb8; --s6: #4cc9d8; } }
@media print {
  :root { color-scheme: light; --paper: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb;
    --link: #000000; --s1: #0b62c4; --s2: #b4480a; --s3: #1a7f37; --s4: #8250df; --s5: #bf1f5a; --s6: #0b7285; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line);
  break-after: avoid; }
p, ul { max-width: 46rem; margin: .5rem 0; }
ul { padding-left: 1.25rem; }
.note { color: var(--soft); font-size: .9rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .25rem .5rem; background: var(--paper); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0;
  margin: 1rem 0 0; max-width: none; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: 1rem 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem;
  break-inside: avoid; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.1rem; font-weight: 600; font-variant-numeric: tabular-nums; }
code, .url { font: .875em ui-monospace, monospace; unicode-bidi: isolate; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem;
  align-items: start; }
figure { margin: .75rem 0; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem; break-inside: avoid;
  min-width: 0; }
.grid > * { margin: 0; min-width: 0; }
figcaption, caption { font-weight: 600; text-align: left; }
figcaption { margin-bottom: .5rem; }
caption { padding: .25rem 0 .5rem; max-width: calc(100vw - 2.5rem); }
details caption { font-size: .875rem; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line);
  unicode-bidi: isolate; }
td:not(.num) { min-width: 8rem; }
tbody th { font-weight: 400; overflow-wrap: break-word; min-width: 5rem; }
tbody th:has(code, .url) { min-width: 9rem; }
thead th { color: var(--soft); vertical-align: bottom; overflow-wrap: normal; }
.whole { white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
td.num:last-child, th.num:last-child { padding-right: .25rem; }
svg { display: block; width: 100%; max-width: 36rem; height: auto; overflow: visible; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .soft { fill: var(--soft); }
svg .end { text-anchor: end; }
svg .mid { text-anchor: middle; }
svg .rule { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .l1 { stroke: var(--s1); } svg .f1 { fill: var(--s1); }
svg .l2 { stroke: var(--s2); stroke-dasharray: 7 3; } svg .f2 { fill: var(--s2); }
svg .l3 { stroke: var(--s3); stroke-dasharray: 2 3; } svg .f3 { fill: var(--s3); }
svg .l4 { stroke: var(--s4); stroke-dasharray: 9 3 2 3; } svg .f4 { fill: var(--s4); }
svg .l5 { stroke: var(--s5); stroke-dasharray: 12 4; } svg .f5 { fill: var(--s5); }
svg .l6 { stroke: var(--s6); stroke-dasharray: 4 2 1 2; } svg .f6 { fill: var(--s6); }
svg .bar { stroke: var(--paper); stroke-width: .5; }
svg .over { stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
svg .spread { stroke: var(--ink); stroke-width: 1.5; }
svg.meter { display: inline-block; width: 3.75rem; height: .625rem; margin-right: .5rem; }
svg .rest { fill: var(--line); }
svg .hover { fill: transparent; }
svg .hover:hover { fill: var(--ink); fill-opacity: .08; }
@media (max-width: 34rem) {
  body { padding: .75rem; }
  svg text { font-size: 15px; }
  h1 { font-size: 1.4rem; }
  td:not(.num) { min-width: 11rem; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip, details { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding-right: .5rem; }
  td:not(.num), tbody th, tbody th:has(code, .url) { min-width: 0; }
  thead .num { white-space: normal; }
  .grid { grid-template-columns: 1fr 1fr; }
  figure, tr, .facts div { break-inside: avoid; }
  a { text-decoration: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
