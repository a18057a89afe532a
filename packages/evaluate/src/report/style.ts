/** The page's style sheet: light and dark as the reader's system is, and on paper. */
export const style = `
:root { color-scheme: light dark; --text: #1c1e21; --faint: #5a6068; --line: #d5d9de; --back: #ffffff; --raised: #f4f5f7; --accent: #2559a8; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --faint: #a2a9b3; --line: #3a4048; --back: #16181b; --raised: #202327; --accent: #8ab4f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 24px 20px 64px; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.3rem; margin: 48px 0 8px; border-top: 1px solid var(--line); padding-top: 24px; }
h3 { font-size: 1.05rem; margin: 32px 0 8px; }
p { max-width: 75ch; margin: 8px 0; }
a { color: var(--accent); }
.faint, figcaption { color: var(--faint); font-size: 0.92rem; max-width: 80ch; }
.verdict { font-size: 1.15rem; background: var(--raised); border-left: 4px solid var(--accent); padding: 12px 16px; margin: 12px 0; max-width: none; }
figure { margin: 16px 0; }
figure > svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.94rem; }
th, td { padding: 4px 12px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 4px 0; cursor: pointer; text-decoration: underline dotted; }
th[aria-sort='ascending'] button::after { content: ' ↑'; }
th[aria-sort='descending'] button::after { content: ' ↓'; }
tr.best td { font-weight: 600; }
.compare { position: relative; display: inline-block; max-width: 100%; line-height: 0; }
.compare img { display: block; max-width: 100%; height: auto; }
.compare img + img { position: absolute; inset: 0; clip-path: inset(0 0 0 var(--at, 50%)); }
.compare::after { content: ''; position: absolute; inset: 0 auto 0 var(--at, 50%); width: 2px; background: #fff; box-shadow: 0 0 2px #000; pointer-events: none; }
.controls { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; margin: 8px 0; }
.controls input { flex: 1 1 240px; }
select { font: inherit; padding: 2px 4px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: 12px; }
.row figure { margin: 0; }
.row img { display: block; max-width: 100%; image-rendering: pixelated; }
.errors img { image-rendering: auto; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--accent); }
@media print { body { max-width: none; padding: 0; } .controls { display: none; } .photo, figure { break-inside: avoid; } }
`;
