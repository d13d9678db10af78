/** The style sheet of the reference. Its hash stands in the Content-Security-Policy, which allows no other. */
export const docsStyle = `
:root { color-scheme: light dark; --text: #1c2024; --quiet: #5b6470; --line: #d9dee4; --back: #ffffff; --panel: #f4f6f8; --accent: #0b5fc0;
  --get: #0b6b3a; --post: #7a4300; --delete: #a01c1c; --code: #f4f6f8 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --quiet: #9aa5b1; --line: #333b44; --back: #14181c; --panel: #1c2228;
  --accent: #7db8ff; --get: #6fd79b; --post: #f0b35e; --delete: #ff8f8f; --code: #1c2228 } }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word }
a { color: var(--accent) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px }
.skip { position: absolute; left: -999rem }
.skip:focus { left: 1rem; top: 1rem; background: var(--back); padding: .5rem 1rem; z-index: 1 }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 78rem; margin: 0 auto }
.page > nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .875rem }
.page > nav ul { list-style: none; margin: 0 0 .75rem; padding: 0 }
.page > nav a { display: block; padding: .15rem 0; color: var(--text); text-decoration: none }
.page > nav a:hover { text-decoration: underline }
.page > nav strong, .page > nav summary { font-weight: 600 }
main { padding: 1.5rem 2rem 6rem; min-width: 0 }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem }
h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h3 { font-size: 1.05rem; margin: 2.5rem 0 .25rem }
h4 { font-size: .8rem; margin: 1.25rem 0 .35rem; color: var(--quiet); text-transform: uppercase; letter-spacing: .05em }
p { margin: .35rem 0 .75rem; max-width: 44rem }
.quiet { color: var(--quiet) }
code, pre { font: .8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace }
pre { margin: .25rem 0 .75rem; padding: .75rem 1rem; background: var(--code); border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; max-height: 26rem }
.call h3 code { font-size: 1rem }
.method { display: inline-block; font: 600 .75rem/1 ui-monospace, Menlo, Consolas, monospace; padding: .3rem .45rem; margin-right: .5rem; border: 1px solid currentColor; border-radius: 4px; vertical-align: 2px }
.get { color: var(--get) } .post { color: var(--post) } .delete { color: var(--delete) }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600; color: var(--quiet) }
dl { margin: .25rem 0 .75rem; border-left: 2px solid var(--line); padding-left: 1rem }
dt { margin-top: .5rem }
dd { margin: 0; font-size: .9rem }
dd dl { margin-top: .25rem }
.type { color: var(--quiet); font-size: .8125rem; margin-left: .5rem }
.required { color: var(--delete); font-size: .75rem; margin-left: .5rem }
details { margin: .35rem 0 }
summary { cursor: pointer }
.narrow-only { display: none }
@media (max-width: 52rem) {
  .page { display: block }
  .page > nav { position: static; max-height: none; border: 0; border-bottom: 1px solid var(--line); padding: 1rem }
  .page > nav a { padding: .45rem 0 }
  main { padding: 1rem 1rem 4rem }
  .call h3 code { overflow-wrap: anywhere }
}
`
