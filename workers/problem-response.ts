// Where errors become answers, of pages with pages/error-page.tsx: RFC 9457, with the request's id, and nothing of what is inside. What is for
// us goes to the log.
import type { Context } from 'hono'
import { ProblemError, problemBody } from '../shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import { errorText, type Log } from './log.ts'

export function problemResponse(c: Context<AppEnv>, { error, log }: { error: unknown; log: Log }): Response {
  const requestId = c.get('requestId')
  const problem = logged(c, { error, log })
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...problem.headers }
  if (problem.retryAfterSeconds !== undefined) headers['retry-after'] = String(problem.retryAfterSeconds)
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="agent-bounty"'
  // Not `new Response`: that would lose the headers that were set on the way here, the request's id among them.
  return c.body(JSON.stringify(problemBody(problem, requestId)), problem.status, headers)
}

/** @returns what may be said of the error; what failed on our side is in the log then */
export function logged(c: Context<AppEnv>, { error, log }: { error: unknown; log: Log }): ProblemError {
  const problem = error instanceof ProblemError ? error : unexpected(error)
  if (problem.status >= 500) {
    const { code, internal } = problem
    const requestId = c.get('requestId')
    log.error('request failed', { requestId, method: c.req.method, path: c.req.path, code, internal, error: errorText(problem) })
  }
  return problem
}

function unexpected(cause: unknown): ProblemError {
  return new ProblemError('internal', { detail: 'something failed on our side; the request id helps us to find it', cause })
}
