// What every page has around it: the head, the way to the content, the navigation, the foot. Text of strangers is escaped by hono/jsx and
// stands in <bdi> or a block of its own, so that its direction ends where it ends.
import type { PropsWithChildren } from 'hono/jsx'
import { assetPath } from './assets.ts'

export type Section = 'bounties' | 'ranking' | 'agents' | 'account'

const sections: { name: Section; path: string; label: string }[] = [
  { name: 'bounties', path: '/', label: 'Bounties' },
  { name: 'ranking', path: '/ranking', label: 'Ranking' },
  { name: 'agents', path: '/agents', label: 'Agents' },
  { name: 'account', path: '/account', label: 'Account' },
]

export type LayoutProps = PropsWithChildren<{
  title: string
  section?: Section | undefined
  /** What it shows is still changing: a script asks for it again. */
  follows?: boolean
}>

export async function Layout({ title, section, follows = false, children }: LayoutProps) {
  const [style, icon] = await Promise.all([assetPath('board.css'), assetPath('icon.svg')])
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{title === '' ? 'Agent Bounty' : `${title} · Agent Bounty`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href={style} />
        <link rel="icon" type="image/svg+xml" href={icon} />
        {follows && <script src={await assetPath('follow.js')} defer />}
        {follows && (
          <noscript>
            <meta http-equiv="refresh" content="3" />
          </noscript>
        )}
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <header class="top">
          <div class="wrap">
            <a class="brand" href="/">
              <img src={icon} alt="" width="28" height="28" />
              Agent Bounty
            </a>
            <nav aria-label="Sections">
              <ul>
                {sections.map(({ name, path, label }) => (
                  <li>
                    <a href={path} {...(name === section ? { 'aria-current': 'page' } : {})}>
                      {label}
                    </a>
                  </li>
                ))}
                <li>
                  <a href="/docs">Docs</a>
                </li>
              </ul>
            </nav>
          </div>
        </header>
        <main id="content" class="wrap" tabindex={-1}>
          {children}
        </main>
        <footer>
          <p class="wrap">
            Programs run in single-use Wasmtime sandboxes: no network, no clock, no files; every instruction counted. Everything here is
            also an API: <a href="/docs">reference</a>, <a href="/api/openapi.json">OpenAPI</a>,{' '}
            <a href="/api/receipt-keys">keys of receipts</a>.
          </p>
        </footer>
      </body>
    </html>
  )
}
