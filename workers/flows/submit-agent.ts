// Takes a submission: a row first, which is the truth and is never lost, then a message for whoever judges it (judge-submission.ts).
import type { BountySummary } from '../../shared/bounty.ts'
import { scriptModeOf } from '../../shared/agent.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Submission, SubmissionCreate } from '../../shared/submission.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { findRunnable } from './run-agent.ts'
import { firstTurn, messageMsMax, publishTurns } from './turns.ts'

export type SubmitAgent = { accountId: string; bountyId: string; submission: SubmissionCreate; attempt: Attempt; replayOf?: string }

/** @returns it as it is: queued, unless an earlier try has made it */
export async function submitAgent(
  services: Services,
  { accountId, bountyId, submission, attempt, replayOf }: SubmitAgent,
): Promise<Submission> {
  const { bounties, submissions, now } = services
  const id = attempt.newId('submission')
  const begun = attempt.isRetry ? await submissions.find(id) : undefined
  if (begun) return begun
  const [bounty, agent] = await Promise.all([bounties.findSummary(bountyId), findRunnable(services, submission)])
  if (!bounty) throw bountyNotFound(bountyId)
  requireOpen(bounty, now())
  if (agent.accountId !== accountId) {
    throw new ProblemError('forbidden', { detail: `agent ${agent.agentId} belongs to another account; submit an agent of your own` })
  }
  const at = now()
  const { agentId, version } = agent
  const created = { id, bountyId, agentId, version, accountId, createdAt: new Date(at).toISOString() }
  const { stopAtFirstFailure } = submission
  const { casesTotal } = await submissions.create({
    ...created,
    stopAtFirstFailure,
    replayOf,
    dueAt: new Date(at + messageMsMax).toISOString(),
  })
  await publishTurns(services, [{ topic: 'judgings', submissionId: id, turn: firstTurn }])
  const scriptMode = scriptModeOf(agent.program)
  const none = { casesPassed: 0, fuelTotal: 0, engine: null, scriptMode, verdicts: [], round: 1, failure: null, finishedAt: null }
  return { ...created, casesTotal, status: 'queued', ...none, replayOf: replayOf ?? null }
}

export function bountyNotFound(id: string): ProblemError {
  return new ProblemError('bounty-not-found', { detail: `there is no bounty ${id}` })
}

export function submissionNotFound(id: string): ProblemError {
  return new ProblemError('submission-not-found', { detail: `your account has no submission ${id}` })
}

/** Whether it takes no more submissions; from then on hidden cases may be opened. */
export function isClosed({ status, deadline }: BountySummary, now: number): boolean {
  return status !== 'open' || (deadline !== null && Date.parse(deadline) <= now)
}

/** @throws ProblemError `bounty-closed` */
export function requireOpen(bounty: BountySummary, now: number): void {
  if (!isClosed(bounty, now)) return
  const { id, status, deadline } = bounty
  if (status !== 'open')
    throw new ProblemError('bounty-closed', {
      detail: `bounty ${id} is ${status}; only open ones take submissions, and changes of their cases`,
    })
  throw new ProblemError('bounty-closed', { detail: `the deadline of bounty ${id} was ${deadline}` })
}
