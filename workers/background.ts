// Work that goes on when the answer has left, or when the caller has.
import type { Context } from 'hono'
import type { AppEnv } from './app-env.ts'
import { currentScope, executionOf, type RequestScope } from './request-scope.ts'

/** The platform lets it run for up to 30 s more; its errors are nobody's. */
export function goOn(c: Context<AppEnv>, work: Promise<unknown>): void {
  keepAlive(executionOf(c), work)
}

/** Of whichever request this is called in; outside of any, as in the cron, work goes on by itself. */
export function goOnBehindAnswer(work: Promise<unknown>): void {
  keepAlive(currentScope()?.execution, work)
}

/** The same where there is no context of Hono's; without an execution, as in tests, work goes on by itself. */
export function keepAlive(execution: RequestScope['execution'], work: Promise<unknown>): void {
  const settled = work.catch(() => {})
  execution?.waitUntil(settled)
}
