// Follows a submission to its end: by its events, or, where they do not come through (an older API, a proxy that holds streams back), by asking
// again and again, more seldom the longer nothing changes.
import { ApiProblem, isProblem } from '../client/api-problem.ts'
import type { Client } from '../client/create-client.ts'
import { readEvents } from '../client/read-events.ts'
import { submissionEventSchema } from '../shared/progress.ts'
import { submissionSchema, type Submission, type SubmissionStatus } from '../shared/submission.ts'
import { ask } from './connect.ts'

/** `casesJudged` is not known to who asks again and again. */
export type Standing = { status: SubmissionStatus; casesTotal: number; casesPassed: number; casesJudged?: number }

const pauseMsMin = 300
const pauseMsMax = 5_000
/** Connections in a row that told nothing. */
const idleConnectionsMax = 3

/** @param tell called with every standing that differs from the one before */
export async function followSubmission(client: Client, id: string, tell: (standing: Standing) => void): Promise<Submission> {
  const isOver = await followEvents(client, id, tell).catch((error: unknown) => {
    // A stream that breaks off, or holds what is no event of ours, is no reason to give up; a key that does not work is.
    if (error instanceof ApiProblem && !error.retryable && !isProblem(error, 'not-found')) throw error
    return false
  })
  return isOver ? read(client, id) : poll(client, id, tell)
}

/** @returns whether the submission is finished; false when nothing came through */
async function followEvents(client: Client, id: string, tell: (standing: Standing) => void): Promise<boolean> {
  let last = ''
  for (let idle = 0; idle < idleConnectionsMax; idle++) {
    const headers: Record<string, string> = last === '' ? {} : { 'last-event-id': last }
    const response = await client.raw('GET /api/submissions/{id}/events', { params: { id }, headers, retriesMax: 0 })
    if (response.status === 204) return true
    for await (const { event, data, id: position } of readEvents(response)) {
      last = position
      idle = 0
      const told = submissionEventSchema.safeParse({ event, id: position, data: JSON.parse(data) })
      // A newer API may have events that are not known here.
      if (told.data?.event === 'progress') tell({ status: 'running', ...told.data.data })
      if (event === 'finished') return true
    }
  }
  return false
}

async function poll(client: Client, id: string, tell: (standing: Standing) => void): Promise<Submission> {
  let pauseMs = pauseMsMin
  let seen = ''
  for (;;) {
    const submission = await read(client, id)
    const state = `${submission.status} ${submission.casesPassed} ${submission.verdicts.length}`
    if (state !== seen) {
      tell(submission)
      seen = state
      pauseMs = pauseMsMin
    }
    if (isFinished(submission)) return submission
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)
  }
}

function read(client: Client, id: string): Promise<Submission> {
  return ask(client, submissionSchema, 'GET /api/submissions/{id}', { params: { id } })
}

export function isFinished({ status }: Pick<Submission, 'status'>): boolean {
  return status !== 'queued' && status !== 'running'
}
