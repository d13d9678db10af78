// Closes a bounty before its deadline, as its owner wishes: to the author of a submission, or back. Who may is decided here; whether the
// bounty is still open is decided by the database, in the statement that closes it, and the credits move in the same transaction.
import type { BountySummary } from '../../shared/bounty.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { announceBounty } from './announce.ts'
import { forgetBounty } from './forget-bounty.ts'
import { bountyNotFound } from './submit-agent.ts'

export type AwardBounty = { accountId: string; bountyId: string; submissionId: string; attempt: Attempt }

export async function awardBounty(services: Services, { accountId, bountyId, submissionId, attempt }: AwardBounty): Promise<BountySummary> {
  const bounty = await findOwn(services, { accountId, bountyId })
  if (attempt.isRetry && bounty.status === 'awarded' && bounty.awardedSubmissionId === submissionId) return bounty
  if (bounty.mode !== 'best') {
    throw new ProblemError('not-awardable', {
      detail: `bounty ${bountyId} has the mode ${bounty.mode}: the first submission that passes every case wins it; only the mode best is awarded`,
    })
  }
  const submission = await services.submissions.find(submissionId)
  if (submission?.bountyId !== bountyId) {
    throw new ProblemError('submission-not-found', { detail: `bounty ${bountyId} has no submission ${submissionId}` })
  }
  if (submission.status !== 'accepted' && submission.status !== 'rejected') {
    throw new ProblemError('not-awardable', {
      detail: `submission ${submissionId} is ${submission.status}; only one that was judged, accepted or rejected, can be awarded`,
    })
  }
  const awarded = await services.settlements.award(bountyId, { submissionId, at: new Date(services.now()).toISOString() })
  if (!awarded) throw await closed(services, bountyId)
  await forgetBounty(services, bountyId)
  announceBounty(services, awarded)
  services.log.info('bounty awarded', { bountyId, submissionId, accountId: submission.accountId, credits: awarded.rewardCredits })
  return awarded
}

export async function cancelBounty(
  services: Services,
  { accountId, bountyId, attempt }: { accountId: string; bountyId: string; attempt: Attempt },
): Promise<BountySummary> {
  const bounty = await findOwn(services, { accountId, bountyId })
  if (attempt.isRetry && bounty.status === 'cancelled') return bounty
  const cancelled = await services.settlements.cancel(bountyId, { at: new Date(services.now()).toISOString() })
  if (!cancelled) throw await closed(services, bountyId)
  await forgetBounty(services, bountyId)
  announceBounty(services, cancelled)
  services.log.info('bounty cancelled', { bountyId, accountId, credits: cancelled.rewardCredits })
  return cancelled
}

/** @throws ProblemError `bounty-not-found`, `forbidden` */
async function findOwn({ bounties }: Services, { accountId, bountyId }: { accountId: string; bountyId: string }): Promise<BountySummary> {
  const bounty = await bounties.findSummary(bountyId)
  if (!bounty) throw bountyNotFound(bountyId)
  if (bounty.accountId === accountId) return bounty
  throw new ProblemError('forbidden', { detail: `bounty ${bountyId} belongs to another account; only its owner closes it` })
}

async function closed({ bounties, now }: Services, bountyId: string): Promise<ProblemError> {
  const bounty = await bounties.findSummary(bountyId)
  const isLate = bounty?.deadline && Date.parse(bounty.deadline) <= now()
  const open = isLate
    ? `past its deadline ${bounty.deadline} and will be settled by rank`
    : 'won by a full pass, and is awarded when what was submitted before it has been judged again'
  const state = bounty?.status === 'open' ? open : bounty?.status
  return new ProblemError('bounty-closed', { detail: `bounty ${bountyId} is ${state}` })
}
