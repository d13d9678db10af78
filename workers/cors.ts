// Which web pages may call: public reads from anywhere; calls with a key from the origins that the deployment names. Everything else gets
// no CORS header, and the browser keeps the answer from the page.
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './app-env.ts'

/** Browsers keep an answer to a preflight for at most two hours; Chromium's bound. */
const preflightSeconds = 7_200
const keyedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const keyedHeaders = 'authorization, content-type, idempotency-key, if-none-match, if-range, prefer, range, x-request-id, last-event-id'
const publicHeaders = 'if-none-match, x-request-id'
const exposedHeaders =
  'accept-ranges, content-disposition, content-range, etag, idempotency-replayed, location, preference-applied, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id'

export type CorsOptions = { origins: readonly string[]; isPublicRead: (method: string, path: string) => boolean }

export function createCors({ origins, isPublicRead }: CorsOptions): MiddlewareHandler<AppEnv> {
  const named = new Set(origins)
  return async function cors(c, next) {
    const origin = c.req.header('origin')
    if (origin === undefined) return next()
    const isNamed = named.has(origin)
    const asked = c.req.method === 'OPTIONS' ? c.req.header('access-control-request-method') : undefined
    const isOpen = isPublicRead(asked ?? c.req.method, c.req.path)
    const headers = c.get('answerHeaders')
    if (isNamed || isOpen) headers['access-control-allow-origin'] = isNamed ? origin : '*'
    if (named.size > 0) headers['vary'] = 'Origin'
    if (asked === undefined) {
      if (isNamed || isOpen) headers['access-control-expose-headers'] = exposedHeaders
      return next()
    }
    if (isNamed || isOpen) {
      headers['access-control-allow-methods'] = isNamed ? keyedMethods : 'GET, HEAD'
      headers['access-control-allow-headers'] = isNamed ? keyedHeaders : publicHeaders
      headers['access-control-max-age'] = String(preflightSeconds)
    }
    return c.body(null, 204)
  }
}
