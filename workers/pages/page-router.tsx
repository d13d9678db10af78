// Pages are declared like calls of the API: what they take and who may see them. The session's cookie speaks for the caller, the header
// Authorization does not; errors are pages, too. A page posts to its own origin only.
//
//   session ─▶ limits, scope (gate.ts) ─▶ parameters ─▶ query ─▶ page ─▶ ETag
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { JSX } from 'hono/jsx/jsx-runtime'
import { z } from 'zod'
import type { Principal } from '../../shared/account.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { AppEnv } from '../app-env.ts'
import { etagOf, holdsAlready } from '../etag.ts'
import type { Gate } from '../gate.ts'
import type { Log } from '../log.ts'
import { logged } from '../problem-response.ts'
import { parseWith } from '../request-issues.ts'
import type { Router } from '../router.ts'
import { sessionSeconds, type Sessions } from '../session.ts'
import { ErrorPage } from './error-page.tsx'

type Page = JSX.Element
type Account = Extract<Principal, { role: 'account' }>
/** public: everybody, and `caller` is whoever is signed in; account: whoever is signed in. */
type PageAccess = 'public' | 'account'

export type PageRequest<A extends PageAccess, P, Q> = {
  c: Context<AppEnv>
  caller: A extends 'account' ? Account : Account | undefined
  params: P
  query: Q
}
type PageRoute<A extends PageAccess, P extends z.ZodType, Q extends z.ZodType> = { path: string; access: A; params?: P; query?: Q }

const nothingSchema = z.strictObject({})

// Scripts, styles and pictures are files of our own; nothing is inline, nothing comes from elsewhere, nobody frames a page.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export type PageRouterOptions = { app: OpenAPIHono<AppEnv>; router: Router; gate: Gate; sessions: Sessions; log: Log }

export class PageRouter {
  readonly #options: PageRouterOptions

  constructor(options: PageRouterOptions) {
    this.#options = options
  }

  /** @param show gives the page, or an answer that is no page */
  get<A extends PageAccess, P extends z.ZodType = typeof nothingSchema, Q extends z.ZodType = typeof nothingSchema>(
    { path, access, params, query }: PageRoute<A, P, Q>,
    show: (request: PageRequest<A, z.infer<P>, z.infer<Q>>) => Promise<Page | Response>,
  ): void {
    this.#add('get', path, async (c) => {
      const caller = await this.#callerOf(c, access)
      const shown = await show({
        c,
        // The gate has refused every other.
        caller: caller as PageRequest<A, unknown, unknown>['caller'],
        // Without a schema the type parameter is its default, which the values below have.
        params: (params ? parseWith(params, c.req.param()) : {}) as z.infer<P>,
        query: parseWith(query ?? nothingSchema, c.req.query()) as z.infer<Q>,
      })
      if (shown instanceof Response) return shown
      return this.#answer(c, shown, { isPrivate: caller !== undefined })
    })
  }

  /** For forms of our pages. @param handle checks by itself who calls */
  post(path: string, handle: (c: Context<AppEnv>) => Promise<Response>): void {
    this.#add('post', path, async (c) => {
      requireOwnOrigin(c)
      return handle(c)
    })
  }

  async page(c: Context<AppEnv>, page: Page, status: 200 | ProblemError['status']): Promise<Response> {
    setPageHeaders(c)
    return c.html(await textOf(page), status, { 'cache-control': 'no-store' })
  }

  async errorPage(c: Context<AppEnv>, error: unknown): Promise<Response> {
    const problem = logged(c, { error, log: this.#options.log })
    for (const [name, value] of Object.entries(problem.headers)) c.header(name, value)
    if (problem.retryAfterSeconds !== undefined) c.header('retry-after', String(problem.retryAfterSeconds))
    return this.page(c, <ErrorPage problem={problem} requestId={c.get('requestId')} />, problem.status)
  }

  async signIn(c: Context<AppEnv>, keySha256: string): Promise<void> {
    const { name, ...options } = cookieOf(c)
    setCookie(c, name, await this.#options.sessions.seal(keySha256), { ...options, maxAge: sessionSeconds })
  }

  signOut(c: Context<AppEnv>): void {
    const { name, ...options } = cookieOf(c)
    deleteCookie(c, name, options)
  }

  #add(method: 'get' | 'post', path: string, handle: (c: Context<AppEnv>) => Promise<Response>): void {
    this.#options.router.declare(method, path)
    this.#options.app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      try {
        return await handle(c)
      } catch (error) {
        return this.errorPage(c, error)
      }
    })
  }

  /** @throws ProblemError `missing-key`, `forbidden`, `rate-limited` */
  async #callerOf(c: Context<AppEnv>, access: PageAccess): Promise<Account | undefined> {
    const cookie = getCookie(c, cookieOf(c).name)
    const keySha256 = cookie === undefined ? undefined : await this.#options.sessions.open(cookie)
    const scope = access === 'account' ? 'read' : undefined
    try {
      const caller = await this.#options.gate(c, { access, scope, credential: keySha256 === undefined ? null : { keySha256 } })
      return caller?.role === 'account' ? caller : undefined
    } catch (error) {
      const isOver = error instanceof ProblemError && (error.code === 'unknown-key' || error.code === 'expired-key')
      if (!isOver) throw error
      this.signOut(c)
      if (access === 'public') return undefined
      throw new ProblemError('missing-key', { detail: 'your session has ended with its key; sign in with another one', cause: error })
    }
  }

  /** What anybody sees is the same for all who are not signed in, and costs them a 304 while nothing has changed. */
  async #answer(c: Context<AppEnv>, page: Page, { isPrivate }: { isPrivate: boolean }): Promise<Response> {
    const text = await textOf(page)
    const etag = await etagOf(text)
    setPageHeaders(c)
    c.header('vary', 'Cookie', { append: true })
    const headers = { etag, 'cache-control': `${isPrivate ? 'private' : 'public'}, no-cache` }
    if (holdsAlready(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers)
    return c.html(text, 200, headers)
  }
}

function setPageHeaders(c: Context<AppEnv>): void {
  c.header('content-security-policy', contentSecurityPolicy)
  // With `no-referrer` browsers would not say from which origin a form of ours comes.
  c.header('referrer-policy', 'same-origin')
  c.header('cross-origin-opener-policy', 'same-origin')
  c.header('permissions-policy', 'camera=(), geolocation=(), microphone=()')
}

async function textOf(page: Page): Promise<string> {
  // An element of hono/jsx becomes text, or a promise of it where a component is asynchronous, when it is asked for its text.
  const element = page as { toString(): string | Promise<string> }
  return `<!doctype html>${await element.toString()}`
}

/** `__Host-`: a cookie of exactly this host, which needs https. On a developer's machine there is none. */
function cookieOf(c: Context<AppEnv>) {
  const secure = new URL(c.req.url).protocol === 'https:'
  return { name: secure ? '__Host-bounty-session' : 'bounty-session', httpOnly: true, secure, sameSite: 'Strict', path: '/' } as const
}

/** Signing in is protected, too: nobody else's page can make a browser speak for another account. */
function requireOwnOrigin(c: Context<AppEnv>): void {
  const site = c.req.header('sec-fetch-site')
  const isOwn = c.req.header('origin') === new URL(c.req.url).origin
  if (isOwn && (site === undefined || site === 'same-origin')) return
  throw new ProblemError('forbidden', { detail: 'this form can be sent from its own page only' })
}
