// Work that goes on when the answer has left, or when the caller has.
import type { Context } from 'hono'
import { tryGetContext } from 'hono/context-storage'
import type { AppEnv } from './app-env.ts'

/** The platform lets it run for up to 30 s more; its errors are nobody's. */
export function goOn(c: Context<AppEnv>, work: Promise<unknown>): void {
  const settled = work.catch(() => {})
  try {
    c.executionCtx.waitUntil(settled)
  } catch {
    // Outside of workerd, in tests, there is no such context, and work goes on by itself.
  }
}

/** Of whichever request this is called in; outside of any, as in the cron, work goes on by itself. */
export function goOnBehindAnswer(work: Promise<unknown>): void {
  const c = tryGetContext<AppEnv>()
  if (c) goOn(c, work)
  else work.catch(() => {})
}
