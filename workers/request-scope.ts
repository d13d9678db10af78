// What work on behalf of a request needs of it, from wherever it is called: its id, for logs, and its life, so that it may go on behind the
// answer. Not Hono's whole context: workerd keeps the scope with every answer that is made in it, by a handle that its collector does not
// look through, so that a scope which leads to the answer, as that context does, is never freed (9 KB a request).
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context, MiddlewareHandler } from 'hono'
import type { AppEnv } from './app-env.ts'

export type RequestScope = {
  requestId: string
  /** Absent outside of workerd, in tests. */
  execution: { waitUntil(work: Promise<unknown>): void } | undefined
}

const scopes = new AsyncLocalStorage<RequestScope>()

/** Behind what gives the request its id. */
export function keepRequestScope(): MiddlewareHandler<AppEnv> {
  return function requestScope(c, next) {
    return scopes.run({ requestId: c.get('requestId'), execution: executionOf(c) }, next)
  }
}

/** Of whichever request this is called in; undefined outside of any, as in the cron. */
export function currentScope(): RequestScope | undefined {
  return scopes.getStore()
}

export function executionOf(c: Context<AppEnv>): RequestScope['execution'] {
  try {
    return c.executionCtx
  } catch {
    // Hono throws where there is none.
    return undefined
  }
}
