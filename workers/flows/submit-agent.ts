// Judges an agent by every case of a bounty, within the request for now: the submission is a row before the first case runs, and verdicts
// are stored as they come, many at once (verdict-batches.ts). While the host judges one chunk the next one is fetched.
import type { BountySummary } from '../../shared/bounty.ts'
import type { JudgedCases, StoredCase } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Submission, SubmissionCreate } from '../../shared/submission.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { forgetBounty } from './forget-bounty.ts'
import { findRunnable } from './run-agent.ts'
import { VerdictBatches } from './verdict-batches.ts'

/** Cases of one call to the host. */
export const chunkCases = 64

export type SubmitAgent = { accountId: string; bountyId: string; submission: SubmissionCreate; attempt: Attempt }

export async function submitAgent(services: Services, { accountId, bountyId, submission, attempt }: SubmitAgent): Promise<Submission> {
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
  const checker = bounty.checker ? (await findRunnable(services, bounty.checker)).program : undefined
  const at = now()
  const { agentId, version, program } = agent
  const started = { id, bountyId, agentId, version, accountId, casesTotal: bounty.caseCount, createdAt: new Date(at).toISOString() }
  await submissions.create(started)
  const { stopAtFirstFailure } = submission
  await judgeOrFail(services, {
    id,
    bounty,
    judged: { submissionId: id, program, checker, accountId, tier: bounty.tier, stopAtFirstFailure },
  })
  const finished = await submissions.find(id)
  if (!finished) throw submissionNotFound(id)
  services.log.info('submission judged', {
    submissionId: id,
    bountyId,
    agentId,
    status: finished.status,
    casesPassed: finished.casesPassed,
  })
  return finished
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

function requireOpen(bounty: BountySummary, now: number): void {
  if (!isClosed(bounty, now)) return
  const { id, status, deadline } = bounty
  if (status !== 'open') throw new ProblemError('bounty-closed', { detail: `bounty ${id} is ${status}; only open ones take submissions` })
  throw new ProblemError('bounty-closed', { detail: `the deadline of bounty ${id} was ${deadline}` })
}

type Judging = { id: string; bounty: BountySummary; judged: Omit<JudgedCases, 'cases'> }

async function judgeOrFail(services: Services, { id, bounty, judged }: Judging): Promise<void> {
  const { submissions, now } = services
  const end = async (status: 'accepted' | 'rejected' | 'failed') => {
    await submissions.finish(id, { status, at: new Date(now()).toISOString() })
    if (status === 'accepted' && bounty.mode === 'first') await forgetBounty(services, bounty.id)
    else await services.reads.forget(`leaderboard:${bounty.id}`, 'leaderboard')
  }
  try {
    await end((await judgeChunks(services, { id, bounty, judged })) ? 'accepted' : 'rejected')
  } catch (error) {
    // When this fails too the submission stays `running`; the first error is the one that says why.
    await end('failed').catch((cause: unknown) => services.log.error('submission not ended', { submissionId: id, error: String(cause) }))
    throw error
  }
}

/** @returns whether every case was accepted */
async function judgeChunks(services: Services, { id, bounty, judged }: Judging): Promise<boolean> {
  const { bounties } = services
  const nextChunk = (position: number) => bounties.casesAfter(bounty.id, { position, limit: chunkCases })
  let accepted = 0
  let chunk = await nextChunk(-1)
  while (chunk.length > 0) {
    const [passed, following] = await Promise.all([
      judgeChunk(services, { id, judged, chunk }),
      chunk.length < chunkCases ? [] : nextChunk(lastPosition(chunk)),
    ])
    accepted += passed
    if (judged.stopAtFirstFailure && passed < chunk.length) return false
    chunk = following
  }
  return accepted === bounty.caseCount
}

/** @returns how many cases of the chunk were accepted; what was judged is stored however it ends */
async function judgeChunk(
  { sandbox, submissions, judgementReceipts, now }: Services,
  { id, judged, chunk }: Omit<Judging, 'bounty'> & { chunk: StoredCase[] },
): Promise<number> {
  const cases = chunk.map(({ id: caseId, input, expected, salt, hidden }) => ({ id: caseId, input, expected, salt, hidden }))
  const batches = new VerdictBatches({ store: (judgement) => submissions.recordVerdicts(id, judgement), now })
  const unheard = new Set(chunk.map(({ id: caseId }) => caseId))
  let accepted = 0
  try {
    const { notRun, receipt } = await sandbox.judge({ ...judged, cases }, async ({ engine, verdicts }) => {
      const fresh = verdicts.filter(({ caseId }) => unheard.delete(caseId))
      accepted += fresh.filter(({ status }) => status === 'accepted').length
      await batches.add({ engine, verdicts: fresh })
    })
    for (const caseId of judged.stopAtFirstFailure ? notRun : []) unheard.delete(caseId)
    if (receipt && receipt.statement.submissionId !== id) throw incomplete('the receipt is of another submission')
    if (receipt) await judgementReceipts.record(receipt)
  } finally {
    await batches.flush()
  }
  if (unheard.size > 0) throw incomplete(`${unheard.size} of ${cases.length} cases have no verdict`)
  return accepted
}

function lastPosition(chunk: StoredCase[]): number {
  return chunk.at(-1)?.position ?? -1
}

function incomplete(internal: string): ProblemError {
  return new ProblemError('sandbox-unavailable', { detail: 'the sandbox host did not judge every case; submit again', internal })
}
