/**
 * The one stylesheet. Text has a contrast of at least 4.5 to 1 with what is behind it, in both schemes; nothing but tables is ever wider
 * than the screen.
 */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #faf8f3; --raised: #fff; --sunk: #f1ede4; --line: #ddd6c8;
  --ink: #1c1f1e; --quiet: #5b605c; --link: #0b5f50; --accent: #12352f; --on-accent: #fff;
  --gold: #8a5300; --good: #14785f; --bad: #c0392b; --odd: #b26a00; --none: #d5cebf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121615; --raised: #1a201e; --sunk: #202725; --line: #343d3a;
    --ink: #e9ece8; --quiet: #a5afaa; --link: #6fd3bb; --accent: #2c7a69; --on-accent: #fff;
    --gold: #f0b559; --good: #3fb896; --bad: #f0776a; --odd: #e5a544; --none: #3c4643;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; margin: 0; font-weight: 700; letter-spacing: -.01em; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.3rem); }
h2 { font-size: 1.2rem; margin-block: 2rem .75rem; }
h3 { font-size: 1.05rem; }
p { margin: 0 0 .75rem; }
ul, ol { margin: 0; padding: 0; list-style: none; }
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
code, pre, .number, data { font-variant-numeric: tabular-nums; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
pre { margin: .4rem 0 .6rem; padding: .7rem .85rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; max-height: 32rem; white-space: pre-wrap; line-height: 1.45; }
pre code { font-size: inherit; }
pre { font-size: .8125rem; }
abbr { text-decoration: none; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.quiet { color: var(--quiet); font-weight: 400; }
.nothing { color: var(--quiet); padding: 1.25rem; border: 1px dashed var(--line); border-radius: 10px; }
.wrap { max-width: 76rem; margin-inline: auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.skip { position: absolute; left: .5rem; top: -4rem; padding: .5rem .9rem; background: var(--accent); color: var(--on-accent); z-index: 2; border-radius: 0 0 8px 8px; }
.skip:focus { top: 0; }

.top { border-bottom: 1px solid var(--line); background: var(--raised); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1.75rem; padding-block: .7rem; }
.brand { display: inline-flex; align-items: center; gap: .6rem; font-weight: 700; color: var(--ink); text-decoration: none; letter-spacing: -.01em; }
.top ul { display: flex; flex-wrap: wrap; gap: .1rem .25rem; }
@media (max-width: 40rem) { .top ul { margin-inline-start: -.6rem; } }
.top nav a { display: block; padding: .35rem .6rem; color: var(--quiet); text-decoration: none; border-radius: 6px; }
.top nav a:hover { color: var(--ink); background: var(--sunk); }
.top nav a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -2px 0 var(--link); border-radius: 6px 6px 0 0; }
main { padding-block: clamp(1.5rem, 4vw, 2.75rem); min-height: 70vh; }
footer { border-top: 1px solid var(--line); } footer p { padding-block: 1.25rem 2rem; margin: 0; color: var(--quiet); font-size: .875rem; }

.hero { max-width: 46rem; margin-bottom: 1rem; }
.lead { color: var(--quiet); font-size: 1.05rem; margin-top: .6rem; max-width: 46rem; }
.board { display: grid; gap: 0 3rem; }
.board > * { min-width: 0; }
@media (min-width: 62rem) { .board { grid-template-columns: minmax(0, 1fr) 22rem; } }
.section-head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; margin-block: 2rem .75rem; }
.section-head h2 { margin: 0; }
.board > :first-child > section:first-child > h2, .board > .beside > h2:first-child { margin-top: 1.5rem; }
.filter ul { display: flex; flex-wrap: wrap; gap: .3rem; }
.filter a { display: inline-block; padding: .15rem .65rem; border: 1px solid var(--line); border-radius: 99px; font-size: .875rem; text-decoration: none; color: var(--quiet); }
.filter a:hover { color: var(--ink); border-color: var(--quiet); }
.filter a[aria-current] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }

.cards { display: grid; gap: .75rem; }
.card { position: relative; padding: 1rem 1.15rem; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; }
.card:hover { border-color: var(--quiet); }
.card-head { display: flex; justify-content: space-between; align-items: baseline; gap: .5rem 1.25rem; }
.card-head h3 { min-width: 0; }
.card h3 a { color: inherit; text-decoration: none; }
.card h3 a::after { content: ""; position: absolute; inset: 0; border-radius: 12px; }
.card:hover h3 a { text-decoration: underline; }
.credits { font-weight: 700; white-space: nowrap; color: var(--gold); }
.credits span { font-weight: 400; font-size: .8em; color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: .25rem .5rem; margin-top: .55rem; font-size: .875rem; color: var(--quiet); align-items: baseline; }
.facts li + li:not(:nth-child(2))::before { content: "·"; margin-inline-end: .5rem; }
.state { display: inline-block; padding: .05rem .6rem; border-radius: 99px; font-size: .8125rem; font-weight: 600; border: 1px solid currentColor; color: var(--quiet); }
.state-open, .state-accepted, .state-completed { color: var(--good); }
@media (prefers-color-scheme: light) { .state-open, .state-accepted, .state-completed { color: #0f6650; } }
.state-awarded { color: var(--gold); }
.state-rejected, .state-failed { color: var(--bad); }
.state-running, .state-queued { color: var(--link); }

.page-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem 2rem; }
.page-head > :first-child { flex: 1 1 20rem; min-width: 0; }
.reward { text-align: end; }
.reward .credits { font-size: 1.6rem; line-height: 1.2; }
.reward .credits span { font-size: .6em; }
.reward p { color: var(--quiet); font-size: .875rem; margin: 0; }
@media (max-width: 40rem) { .reward { text-align: start; } }
.winner { margin-top: 1rem; padding: .7rem 1rem; border: 1px solid var(--line); border-inline-start: 4px solid var(--gold); border-radius: 8px; background: var(--raised); }
.crumb { font-size: .9rem; margin-bottom: .4rem; }
.description { white-space: pre-wrap; unicode-bidi: plaintext; max-width: 46rem; }
.steps { counter-reset: step; display: grid; gap: .75rem; }
.steps li { counter-increment: step; position: relative; padding-inline-start: 2rem; min-width: 0; }
.steps li::before { content: counter(step); position: absolute; inset-inline-start: 0; top: .1rem; width: 1.4rem; height: 1.4rem; display: grid; place-items: center; font-size: .8rem; font-weight: 700; border-radius: 50%; background: var(--accent); color: var(--on-accent); }
.links li { padding-block: .15rem; }

.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; background: var(--raised); }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th, td { padding: .55rem .85rem; text-align: start; vertical-align: baseline; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .8125rem; font-weight: 600; color: var(--quiet); white-space: nowrap; }
tbody th { font-weight: 600; }
th.number, td.number { text-align: end; white-space: nowrap; }
.scroll th, .scroll td { white-space: nowrap; }
.scroll bdi { display: inline-block; max-width: 22rem; white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
.ranking th, .ranking td { padding-inline: .4rem; }
.ranking tbody th { overflow-wrap: anywhere; }
.scroll .leaderboard tbody th { min-width: 8rem; }
.passed { min-width: 9rem; }
.bar { display: block; width: 100%; height: 6px; margin-top: .3rem; }
.bar-all { fill: var(--none); }
.bar-part { fill: var(--good); }
.pager { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; margin-top: 1rem; }

.cases { border: 1px solid var(--line); border-radius: 12px; background: var(--raised); }
.cases li + li { border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: .5rem .85rem; }
.cases summary .number { display: inline-block; min-width: 2.2rem; color: var(--quiet); }
.cases dl { margin: 0; padding: 0 .85rem .75rem; }
dt { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
dd { margin: 0 0 .5rem; min-width: 0; }
.properties { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.5rem; margin-block: 1rem; }
.properties dt { font-size: .9rem; }
.properties dd { margin: 0; }
@media (max-width: 40rem) { .properties { grid-template-columns: minmax(0, 1fr); } .properties dd { margin-bottom: .5rem; } }

.outcome { display: flex; flex-wrap: wrap; gap: .35rem 1rem; align-items: baseline; margin-top: .75rem; font-size: 1.1rem; }
.strip { display: flex; flex-wrap: wrap; gap: 3px; max-width: 60rem; }
.cell { display: inline-block; width: 11px; height: 15px; border-radius: 2px; background: var(--none); flex: none; }
.cell-accepted { background: var(--good); }
.cell-wrong { background: var(--bad); border-radius: 50%; }
.cell-ended { background: var(--odd); clip-path: polygon(50% 0, 100% 50%, 50% 100%, 0 50%); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-block: .75rem; font-size: .875rem; color: var(--quiet); }
.legend .cell, td .cell { vertical-align: -2px; margin-inline-end: .35rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; }
.tiles li { padding: .8rem 1rem; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; color: var(--quiet); font-size: .875rem; }
.tiles strong { display: block; font-size: 1.35rem; color: var(--ink); line-height: 1.3; }
.chart { margin: 1rem 0 .5rem; }
.chart svg { display: block; width: 100%; height: 6rem; }
figcaption { font-size: .875rem; color: var(--quiet); margin-top: .35rem; }
.figures summary { padding-inline: 0; }

.problem { max-width: 36rem; }
.problem .status { font-size: .9rem; font-weight: 700; color: var(--quiet); margin-bottom: .25rem; }
.problem .detail { margin-top: .6rem; }
.sign-in { margin-top: 1.25rem; display: grid; gap: .4rem; max-width: 28rem; }
.sign-in label { font-weight: 600; }
.sign-in input { font: inherit; width: 100%; padding: .55rem .75rem; color: var(--ink); background: var(--raised); border: 1px solid var(--quiet); border-radius: 8px; }
.sign-in p { font-size: .875rem; margin: 0; }
.error { color: var(--bad); font-weight: 600; }
button { font: inherit; font-weight: 600; justify-self: start; padding: .5rem 1.15rem; border: 1px solid var(--accent); border-radius: 8px; background: var(--accent); color: var(--on-accent); cursor: pointer; }
button.plain { background: none; color: var(--link); border-color: var(--line); font-weight: 400; padding: .25rem .8rem; margin-top: .4rem; }
.sign-in button { margin-top: .5rem; }
@media (max-width: 40rem) { .card-head { flex-direction: column; } }
@media print { .top nav, .pager, .filter { display: none; } }
`
