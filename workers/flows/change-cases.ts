// Changes the cases of an open bounty, and has submissions judged by them as they are now. Whether the bounty still takes changes is decided by the
// database, in the statement that makes them.
import type { BountySummary, CaseFix, CasesAdd, CaseSummary } from '../../shared/bounty.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { CaseTexts } from '../case-texts.ts'
import type { Attempt } from '../idempotency.ts'
import { newSalt } from '../new-id.ts'
import type { Services } from '../services.ts'
import { forgetBounty } from './forget-bounty.ts'
import { storedCases } from './post-bounty.ts'
import { bountyNotFound, requireOpen } from './submit-agent.ts'
import { sweepJudgings } from './sweep-judgings.ts'

type OfBounty = { accountId: string; bountyId: string }

/** @returns those that were added. Submissions are judged by them when they are made later, or judged again */
export async function addCases(
  services: Services,
  { accountId, bountyId, added, attempt }: OfBounty & { added: CasesAdd; attempt: Attempt },
): Promise<CaseSummary[]> {
  const { cases, log, now } = services
  const bounty = await requireOwn(services, { accountId, bountyId })
  const id = attempt.newId('case')
  if (attempt.isRetry) {
    // Also of a bounty that has closed since.
    const held = await cases.list(bountyId, { after: -1, limit: limits.casesPerBountyMax })
    const first = held.findIndex((found) => found.id === id)
    if (first >= 0) return held.slice(first, first + added.cases.length)
  }
  requireOpen(bounty, now())
  const at = now()
  const made = storedCases(added.cases, at).map(({ position, ...found }) => (position === 0 ? { ...found, id } : found))
  const summaries = await cases.add(bountyId, { cases: made, at: new Date(at).toISOString() })
  if (!summaries) throw await refusal(services, { bountyId, adding: made.length })
  await forgetBounty(services, bountyId)
  log.info('cases added', { bountyId, cases: made.length })
  return summaries
}

export async function fixCase(
  services: Services,
  { accountId, bountyId, caseId, fix }: OfBounty & { caseId: string; fix: CaseFix },
): Promise<CaseSummary> {
  const { cases, log, now } = services
  requireOpen(await requireOwn(services, { accountId, bountyId }), now())
  const texts = new CaseTexts()
  const input = fix.input === undefined ? undefined : texts.input(fix.input, 'input')
  const expected = fix.expected === undefined ? undefined : texts.expected(fix.expected, 'expected')
  texts.requireBounded()
  const fixed = await cases.fix(caseId, { bountyId, input, expected, salt: newSalt(), at: new Date(now()).toISOString() })
  if (!fixed) throw (await closed(services, bountyId)) ?? caseNotFound({ bountyId, caseId })
  await forgetBounty(services, bountyId)
  log.info('case fixed', { bountyId, caseId, revision: fixed.revision })
  return fixed
}

/** @returns how many submissions are judged again; the first of them are sent for at once, the others by the cron */
export async function rejudgeBounty(
  services: Services,
  { accountId, bountyId, attempt }: OfBounty & { attempt: Attempt },
): Promise<number> {
  await requireOwn(services, { accountId, bountyId })
  const id = attempt.newId('rejudging')
  const submissions = await services.cases.rejudge(bountyId, { id, at: new Date(services.now()).toISOString() })
  if (submissions === undefined) throw (await closed(services, bountyId)) ?? bountyNotFound(bountyId)
  services.log.info('bounty judged again', { bountyId, submissions })
  if (submissions > 0) await sweepJudgings(services)
  return submissions
}

/** @throws ProblemError `bounty-not-found`, `forbidden` */
async function requireOwn(services: Services, { accountId, bountyId }: OfBounty): Promise<BountySummary> {
  const bounty = await services.bounties.findSummary(bountyId)
  if (!bounty) throw bountyNotFound(bountyId)
  if (bounty.accountId !== accountId) {
    throw new ProblemError('forbidden', { detail: `bounty ${bountyId} belongs to another account; only its owner changes its cases` })
  }
  return bounty
}

async function refusal(services: Services, { bountyId, adding }: { bountyId: string; adding: number }): Promise<ProblemError> {
  const [problem, { count, bytes }] = await Promise.all([closed(services, bountyId), services.cases.totals(bountyId)])
  return (
    problem ??
    new ProblemError('too-many-cases', {
      detail: `bounty ${bountyId} has ${count} cases of ${bytes} bytes, and cannot take ${adding} more of these; at most ${limits.casesPerBountyMax} cases of ${limits.caseBytesMax} bytes are allowed`,
    })
  )
}

/** The problem that it is, if the bounty closed in between. */
async function closed({ bounties, now }: Services, bountyId: string): Promise<ProblemError | undefined> {
  const bounty: BountySummary | undefined = await bounties.findSummary(bountyId)
  try {
    if (bounty) requireOpen(bounty, now())
    return undefined
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
}

export function caseNotFound({ bountyId, caseId }: { bountyId: string; caseId: string }): ProblemError {
  return new ProblemError('case-not-found', { detail: `bounty ${bountyId} has no case ${caseId}` })
}
