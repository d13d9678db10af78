// Follows a submission to its end. Asks again and again, more seldom the longer nothing changes.
import type { Client } from '../client/create-client.ts'
import { submissionSchema, type Submission } from '../shared/submission.ts'
import { ask } from './connect.ts'

const pauseMsMin = 300
const pauseMsMax = 5_000

/** @param tell called with every state that differs from the one before, the first and the last too */
export async function followSubmission(client: Client, id: string, tell: (submission: Submission) => void): Promise<Submission> {
  let pauseMs = pauseMsMin
  let seen = ''
  for (;;) {
    const submission = await ask(client, submissionSchema, 'GET /api/submissions/{id}', { params: { id } })
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

export function isFinished({ status }: Pick<Submission, 'status'>): boolean {
  return status !== 'queued' && status !== 'running'
}
