// What is new about a submission for a client that follows it: verdicts of public cases one by one, the others in numbers, then the end.
import { streamEnd, type StreamPosition, type SubmissionEvent } from '../../shared/progress.ts'
import type { EventBatch } from '../event-stream.ts'
import type { Services } from '../services.ts'
import { submissionNotFound } from './submit-agent.ts'

/** Verdicts of one question, hidden ones too. */
const verdictsMax = 200

export type FollowSubmission = { id: string; accountId: string; from: Exclude<StreamPosition, 'end'> }

/** @returns asks for what is behind the place where the last answer ended. Throws ProblemError `submission-not-found` */
export function followSubmission({ progress }: Services, { id, accountId, from }: FollowSubmission): () => Promise<EventBatch> {
  let { number, isTold } = from
  return async () => {
    const found = await progress.find(id, { after: number, limit: verdictsMax })
    if (found?.accountId !== accountId) throw submissionNotFound(id)
    const { verdicts, upTo, casesJudged, ...submission } = found
    const { casesTotal, casesPassed, finishedAt } = submission
    const events: SubmissionEvent[] = verdicts.map((verdict) => ({ event: 'verdict', id: String(verdict.number), data: verdict }))
    const hasMore = upTo < casesJudged
    if (upTo > number) isTold = false
    number = Math.max(number, upTo)
    if (hasMore) return { events, hasMore, isEnd: false }
    if (!isTold) events.push({ event: 'progress', id: `${number}+`, data: { casesTotal, casesJudged, casesPassed } })
    isTold = true
    if (finishedAt !== null) events.push({ event: 'finished', id: streamEnd, data: submission })
    return { events, hasMore, isEnd: finishedAt !== null }
  }
}
