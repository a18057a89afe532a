export const style = `:root {
  --ink: #1a1c20; --paper: #fff; --soft: #f1f3f6; --line: #767c88; --accent: #0b57d0; --bad: #b3261e;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaef; --paper: #15171b; --soft: #22252b; --line: #8b92a0; --accent: #8ab4ff; --bad: #ff9d96; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; }
.drop { display: grid; gap: .5rem; justify-items: center; padding: 1.5rem; background: var(--soft);
  border: 2px dashed var(--line); border-radius: .5rem; cursor: pointer; }
.drop.over { border-color: var(--accent); }
.controls { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: center; margin: 1rem 0; }
button, select, input { font: inherit; color: inherit; }
select, input[type=password] { background: var(--paper); border: 1px solid var(--line); border-radius: .25rem; padding: .25rem; }
button { background: var(--accent); color: var(--paper); border: 0; border-radius: .25rem; padding: .4rem 1rem; cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#status.failed { color: var(--bad); }
progress { width: 100%; accent-color: var(--accent); }
.compare { --at: 50%; position: relative; overflow: hidden; background: var(--soft); cursor: ew-resize; touch-action: pan-y; user-select: none; }
.compare img { display: block; width: 100%; }
#left-image { position: absolute; inset: 0; height: 100%; clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.line { position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px; background: var(--accent); }
.slider { display: grid; gap: .25rem; margin: .5rem 0; }
.slider input { width: 100%; accent-color: var(--accent); }
`;
