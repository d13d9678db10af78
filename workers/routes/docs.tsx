// The readable reference, outside the prefix: /docs, and /docs/problems, where the type of every problem leads. Made once an isolate from the
// OpenAPI document; nothing in it but the address of the API depends on who asks.
import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { etagOf, holdsAlready } from '../etag.ts'
import { DocsLayout } from '../pages/docs-layout.tsx'
import { docsStyle } from '../pages/docs-style.ts'
import { DocsPage, ProblemsTable } from '../pages/docs.tsx'
import type { Router } from '../router.ts'

/** Stands in the text for the address of the API until it is known; `.invalid` is nobody's (RFC 2606). */
const originToken = 'https://api.invalid'

export function addDocsRoutes(router: Router, openApiText: () => string): void {
  const reference = page(() => <DocsPage document={JSON.parse(openApiText())} origin={originToken} />)
  const problems = page(() => (
    <DocsLayout title="Problems of the Agent Bounty API">
      <main id="main">
        <h1>Problems</h1>
        <p>
          What the API answers when it cannot do what was asked. <a href="/docs#problems">How to use them</a>.
        </p>
        <ProblemsTable idPrefix="" />
      </main>
    </DocsLayout>
  ))
  const answers = { 200: { description: 'The page' }, 304: { description: 'The caller has this page already' } }
  router.add({ method: 'get', path: '/docs', summary: 'The reference', access: 'public', isPage: true, answers }, ({ c }) => reference(c))
  router.add({ method: 'get', path: '/docs/problems', summary: 'The problems', access: 'public', isPage: true, answers }, ({ c }) =>
    problems(c),
  )
}

function page(render: () => unknown): (c: Context<AppEnv>) => Promise<Response> {
  let made: { html: string; etag: string; policy: string } | undefined
  return async (c) => {
    if (!made) {
      const html = `<!doctype html>${String(await render())}`
      made = { html, etag: await etagOf(html), policy: await policyOf(docsStyle) }
    }
    const asked = new URL(c.req.url).origin
    // An address may hold quotes, which would end those of HTML and of a shell.
    const origin = /^https?:\/\/[\w.:[\]-]+$/.test(asked) ? asked : originToken
    const etag = await etagOf(`${made.etag} ${origin}`)
    const headers = { etag, 'cache-control': 'public, no-cache', 'content-security-policy': made.policy }
    if (holdsAlready(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers)
    return c.body(made.html.replaceAll(originToken, origin), 200, { ...headers, 'content-type': 'text/html; charset=utf-8' })
  }
}

/** Nothing is loaded, run or framed; the one style sheet is known by its hash, so that the page can be kept. */
async function policyOf(style: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)))
  const base64 = btoa(String.fromCharCode(...hash))
  return `default-src 'none'; style-src 'sha256-${base64}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}
