// The one place where errors become answers: RFC 9457, with the request's id, and nothing of what is inside. What is for us goes to the log.
import type { Context } from 'hono'
import { ProblemError, problemBody } from '../shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import { errorText, type Log } from './log.ts'

export function problemResponse(c: Context<AppEnv>, { error, log }: { error: unknown; log: Log }): Response {
  const problem = error instanceof ProblemError ? error : unexpected(error)
  const requestId = c.get('requestId')
  if (problem.status >= 500) {
    const { code, internal } = problem
    log.error('request failed', { requestId, method: c.req.method, path: c.req.path, code, internal, error: errorText(problem) })
  }
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  if (problem.retryAfterSeconds !== undefined) headers.set('retry-after', String(problem.retryAfterSeconds))
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer realm="agent-bounty"')
  for (const [name, value] of Object.entries(problem.headers)) headers.set(name, value)
  return new Response(JSON.stringify(problemBody(problem, requestId)), { status: problem.status, headers })
}

function unexpected(cause: unknown): ProblemError {
  return new ProblemError('internal', { detail: 'something failed on our side; the request id helps us to find it', cause })
}
