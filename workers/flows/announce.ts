// Tells whoever listens on the topics of the event log what has come to pass, behind the answer. What is told is no second truth: while Kafka
// is away nothing of it is kept, but for dead letters (sweep-dead-letters.ts); lists of the API have it all.
import type { BountySummary } from '../../shared/bounty.ts'
import { webhookEventSchema } from '../../shared/events.ts'
import type { ExecutionRecord } from '../../shared/execution.ts'
import type { Announcement } from '../../shared/announcements.ts'
import { goOnBehindAnswer } from '../background.ts'
import { errorText } from '../log.ts'
import type { Services } from '../services.ts'

/** Executions that a host has finished, and that are recorded. */
export function announceOutcomes(services: Services, records: ExecutionRecord[]): void {
  announce(services, async () =>
    records.map(({ id: executionId, accountId, agentId, version, status, usage: { fuel, wallMicros }, finishedAt }) => {
      return { topic: 'outcomes', executionId, accountId, agentId, version, status, usage: { fuel, wallMicros }, finishedAt }
    }),
  )
}

/** A submission that has finished, and its bounty if that is won by it. */
export function announceSubmission(services: Services, { id, bountyId }: { id: string; bountyId: string }): void {
  announce(services, async () => {
    const [submission, bounty] = await Promise.all([
      services.progress.find(id, { after: 0, limit: 0 }),
      services.bounties.findSummary(bountyId),
    ])
    if (!submission) return []
    const { agentId, version, round, status, casesTotal, casesPassed, finishedAt: timestamp } = submission
    const data = { submissionId: id, bountyId, agentId, version, round, status, casesTotal, casesPassed }
    const finished = { type: 'submission.finished', timestamp, data }
    return notifications(bounty?.awardedSubmissionId === id ? [finished, closedEvent(bounty)] : [finished])
  })
}

/** A bounty that was closed. */
export function announceBounty(services: Services, bounty: BountySummary): void {
  announce(services, async () => notifications([closedEvent(bounty)]))
}

function closedEvent({ id: bountyId, status, rewardCredits, awardedSubmissionId: submissionId, closedAt: timestamp }: BountySummary) {
  const data = { bountyId, status, rewardCredits, ...(submissionId === null ? {} : { submissionId }) }
  return { type: `bounty.${status}`, timestamp, data }
}

/** In the form in which webhooks have them. */
function notifications(events: object[]): Announcement[] {
  return events.map((event) => ({ topic: 'notifications', event: webhookEventSchema.parse(event) }))
}

function announce({ eventLog, log }: Services, found: () => Promise<Announcement[]>): void {
  if (!eventLog.announce) return
  const told = async () => {
    const announcements = await found()
    if (announcements.length > 0) await eventLog.announce?.(announcements)
  }
  goOnBehindAnswer(told().catch((error: unknown) => log.error('not announced', { error: errorText(error) })))
}
