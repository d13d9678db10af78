// What every answer carries beside its body: the request's id, what browsers are told, and whether it may be kept. Setting a header on a
// Response crosses from JavaScript to C++ and costs more than the rest of a cached read, so headers are gathered in a plain object. The
// answers that are asked for most are made with it (`sealed`); on all others it is laid afterwards.
import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from './app-env.ts'
import type { Counters } from './counters.ts'
import type { QuickAnswers } from './quick-answers.ts'

/** What matters to JSON: it is never sniffed, framed or fetched in clear. Each header more costs a cached read about 3 %; a page has more. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=15552000; includeSubDomains',
  'x-content-type-options': 'nosniff',
}

/** Whatever a route does not say may be kept is the caller's alone, and of this moment. */
export const defaultHeaders = { ...securityHeaders, 'cache-control': 'no-store' }

export function createEnvelope(counters: Counters, quick: Pick<QuickAnswers, 'keep'>): MiddlewareHandler<AppEnv> {
  return async function envelope(c, next) {
    const requestId = requestIdOf(c.req.header('x-request-id'))
    c.set('requestId', requestId)
    c.set('answerHeaders', { 'x-request-id': requestId })
    await next()
    counters.add('responses_total', { status: String(c.res.status) })
    if (c.get('isSealed')) {
      const quickAnswer = c.get('quickAnswer')
      if (quickAnswer && c.res.status === 200) quick.keep(c.req.raw, quickAnswer)
      return
    }
    const { headers } = c.res
    for (const [name, value] of Object.entries({ ...defaultHeaders, ...c.get('answerHeaders') })) {
      if (name === 'vary') headers.append(name, value)
      else if (!headers.has(name)) headers.set(name, value)
    }
  }
}

/** An answer that has all its headers already; those given here win. */
export function sealed(
  c: Context<AppEnv>,
  { body, status = 200, headers }: { body: string | null; status?: number; headers: Record<string, string> },
): Response {
  c.set('isSealed', true)
  return new Response(body, { status, headers: { ...defaultHeaders, ...c.get('answerHeaders'), ...headers } })
}

/** The one that the caller gave, when it is nothing that could be mistaken for something else in a log. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w=-]{1,255}$/.test(given) ? given : crypto.randomUUID()
}
