import { expect, test } from 'vitest'
import { ProblemError, problemBody, problemTable } from '../../shared/problem.ts'

test('a problem shows its detail and never what is for the log', () => {
  const error = new ProblemError('database-unavailable', { detail: 'try again', internal: 'password=hunter2', cause: new Error('hunter2') })
  const body = problemBody(error, 'req-1')
  expect(body).toMatchObject({ status: 503, code: 'database-unavailable', detail: 'try again', retryable: true, requestId: 'req-1' })
  expect(JSON.stringify(body)).not.toContain('hunter2')
})

test('every code answers with a status of 4xx or 5xx', () => {
  for (const { status } of Object.values(problemTable)) expect(status >= 400 && status < 600).toBe(true)
})
