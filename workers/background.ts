// Work that goes on when the answer has left, or when the caller has.
import type { Context } from 'hono'
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
