// Posts a bounty: every case gets an id and a place, and its input and expectation become the JSON text that is kept. The reward moves into
// escrow with the bounty's row, or there is no row.
import type { BountyCreate, BountySummary } from '../../shared/bounty.ts'
import type { Checker } from '../../shared/checker.ts'
import type { StoredCase } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { CaseTexts } from '../case-texts.ts'
import type { Attempt } from '../idempotency.ts'
import { newId, newSalt } from '../new-id.ts'
import { invalidRequest } from '../request-issues.ts'
import type { Services } from '../services.ts'
import { agentNotFound } from './deploy-agent.ts'

export async function postBounty(
  services: Services,
  { accountId, bounty, attempt }: { accountId: string; bounty: BountyCreate; attempt: Attempt },
): Promise<BountySummary> {
  const id = attempt.newId('bounty')
  const posted = attempt.isRetry ? await services.bounties.findSummary(id) : undefined
  if (posted) return posted
  const at = services.now()
  if (bounty.deadline !== undefined && Date.parse(bounty.deadline) <= at) {
    throw invalidRequest([{ field: 'deadline', message: `is ${JSON.stringify(bounty.deadline)}; must be in the future` }])
  }
  const cases = storedCases(bounty.cases, at)
  const checker = bounty.checker ? await pinChecker(services, { accountId, checker: bounty.checker }) : null
  const { title, rewardCredits, mode, tier, description } = bounty
  const summary: BountySummary = {
    id,
    accountId,
    title,
    rewardCredits,
    mode,
    tier,
    checker,
    status: 'open',
    caseCount: cases.length,
    deadline: bounty.deadline ?? null,
    createdAt: new Date(at).toISOString(),
    closedAt: null,
    awardedSubmissionId: null,
  }
  await services.bounties.create({ summary, description, cases })
  await services.reads.forget('bounties')
  services.log.info('bounty posted', { bountyId: summary.id, accountId, cases: cases.length, rewardCredits })
  return summary
}

/**
 * Asks the store: what an isolate remembers as the latest version may be the one before.
 * @throws ProblemError `agent-not-found`, `forbidden`
 */
async function pinChecker(
  { agents }: Services,
  { accountId, checker: { agentId, version } }: { accountId: string; checker: NonNullable<BountyCreate['checker']> },
): Promise<Checker> {
  const found = await agents.findRunnable(agentId, version)
  if (!found) throw agentNotFound(agentId, version)
  if (found.accountId === accountId) return { agentId, version: found.version }
  throw new ProblemError('forbidden', { detail: `checker.agentId: agent ${agentId} belongs to another account; name an agent of your own` })
}

/** @throws ProblemError `invalid-request` naming the cases that are too large, `body-too-large` when all together are */
export function storedCases(cases: BountyCreate['cases'], at: number): StoredCase[] {
  const texts = new CaseTexts()
  const stored = cases.map(({ name, input, expected, hidden }, position) => ({
    id: newId('case', at),
    position,
    name: name ?? null,
    input: texts.input(input, `cases.${position}.input`),
    expected: texts.expected(expected, `cases.${position}.expected`),
    hidden,
    salt: newSalt(),
  }))
  texts.requireBounded()
  const { bytesTotal } = texts
  if (bytesTotal <= limits.caseBytesMax) return stored
  throw new ProblemError('body-too-large', {
    detail: `the cases are ${bytesTotal} bytes of JSON; at most ${limits.caseBytesMax} are allowed`,
  })
}
