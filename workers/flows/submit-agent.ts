// Judges an agent by every case of a bounty, within the request for now: the submission is a row before the first case runs, and verdicts
// are stored chunk by chunk. While the host judges one chunk the next one is fetched.
import type { BountySummary } from '../../shared/bounty.ts'
import type { JudgedCases, StoredCase } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import type { Submission, SubmissionCreate } from '../../shared/submission.ts'
import type { Attempt } from '../idempotency.ts'
import type { Services } from '../services.ts'
import { findRunnable } from './run-agent.ts'

/** Cases that are judged, and whose verdicts are stored, at once. */
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
  const at = now()
  const { agentId, version, program } = agent
  const started = { id, bountyId, agentId, version, accountId, casesTotal: bounty.caseCount, createdAt: new Date(at).toISOString() }
  await submissions.create(started)
  await judgeOrFail(services, { id, bounty, judged: { program, accountId, tier: bounty.tier } })
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

function requireOpen({ id, status, deadline }: BountySummary, now: number): void {
  if (status !== 'open') throw new ProblemError('bounty-closed', { detail: `bounty ${id} is ${status}; only open ones take submissions` })
  if (deadline === null || Date.parse(deadline) > now) return
  throw new ProblemError('bounty-closed', { detail: `the deadline of bounty ${id} was ${deadline}` })
}

type Judging = { id: string; bounty: BountySummary; judged: Omit<JudgedCases, 'cases'> }

async function judgeOrFail(services: Services, { id, bounty, judged }: Judging): Promise<void> {
  const { submissions, now } = services
  const end = async (status: 'accepted' | 'rejected' | 'failed') => {
    await submissions.finish(id, { status, at: new Date(now()).toISOString() })
    await services.reads.forget(`leaderboard:${bounty.id}`, 'leaderboard')
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
async function judgeChunks({ bounties, submissions, sandbox }: Services, { id, bounty, judged }: Judging): Promise<boolean> {
  const nextChunk = (position: number) => bounties.casesAfter(bounty.id, { position, limit: chunkCases })
  let accepted = 0
  let chunk = await nextChunk(-1)
  while (chunk.length > 0) {
    const cases = chunk.map(({ id: caseId, input, expected }) => ({ id: caseId, input, expected }))
    const [judgement, following] = await Promise.all([
      sandbox.judge({ ...judged, cases }),
      chunk.length < chunkCases ? [] : nextChunk(lastPosition(chunk)),
    ])
    requireVerdicts(chunk, judgement.verdicts)
    await submissions.recordVerdicts(id, judgement)
    accepted += judgement.verdicts.filter(({ status }) => status === 'accepted').length
    chunk = following
  }
  return accepted === bounty.caseCount
}

function lastPosition(chunk: StoredCase[]): number {
  return chunk.at(-1)?.position ?? -1
}

function requireVerdicts(cases: StoredCase[], verdicts: { caseId: string }[]): void {
  const judged = new Set(verdicts.map(({ caseId }) => caseId))
  if (verdicts.length === cases.length && cases.every(({ id }) => judged.has(id))) return
  throw new ProblemError('sandbox-unavailable', {
    detail: 'the sandbox host did not judge every case; submit again',
    internal: `${verdicts.length} verdicts for ${cases.length} cases`,
  })
}
