import { z } from 'zod'
import { idSchema } from '../../shared/ids.ts'
import { bountyRankSchema, globalRankSchema } from '../../shared/leaderboard.ts'
import { decodeCursor, pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { cachedJson } from '../cached-json.ts'
import { bountyNotFound } from '../flows/submit-agent.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { pageOf } from './page-of.ts'

/** The platform's published figure. */
const lifetimeSeconds = 60

const querySchema = pageQuerySchema.extend({
  bounty: idSchema('bounty').optional().describe('Ranks the agents of this bounty; without it, accounts over all bounties'),
})

export function addLeaderboardRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/leaderboard',
      summary: 'Per bounty: cases passed, then least fuel, then earliest. Global: credits won, bounties won, cases passed',
      access: 'public',
      query: querySchema,
      answers: {
        200: { description: 'A page of ranks', schema: z.union([pageSchema(bountyRankSchema), pageSchema(globalRankSchema)]) },
      },
    },
    ({ c, caller, query: { bounty, limit, cursor } }) => {
      const list = bounty ? `leaderboard:${bounty}` : 'leaderboard'
      // A cursor that is no cursor of this list is refused before any cache is asked.
      const page = bounty ? agentPage(services, { bounty, list, limit, cursor }) : accountPage(services, { list, limit, cursor })
      return cachedJson(c, { services, caller, key: `${list}:${limit}:${cursor ?? ''}`, group: list, lifetimeSeconds, load: page })
    },
  )
}

type Cut = { list: string; limit: number; cursor: string | undefined }

/** Cursors carry the rank of their last item, so that counting goes on. */
function agentPage({ submissions }: Services, { bounty, list, limit, cursor }: Cut & { bounty: string }) {
  const key = decodeCursor(list, ['count', 'number', 'instant', 'string', 'count'], cursor)
  const [casesPassed, fuel, finishedAt, submissionId, rank] = key ?? []
  const after = key && {
    casesPassed: Number(casesPassed),
    // Where fuel was not metered the cursor has -1: JSON has no place for "behind every figure".
    fuelTotal: Number(fuel) < 0 ? null : Number(fuel),
    finishedAt: String(finishedAt),
    submissionId: String(submissionId),
  }
  return async () => {
    const found = await submissions.rankAgents(bounty, { limit: limit + 1, after })
    if (!found) throw bountyNotFound(bounty)
    const ranked = found.map((item, i) => ({ rank: Number(rank ?? 0) + i + 1, ...item }))
    return pageOf(ranked, {
      list,
      limit,
      keyOf: (item) => [item.casesPassed, item.fuelTotal ?? -1, item.finishedAt, item.submissionId, item.rank],
    })
  }
}

function accountPage({ submissions }: Services, { list, limit, cursor }: Cut) {
  const key = decodeCursor(list, ['number', 'count', 'number', 'string', 'count'], cursor)
  const [creditsWon, bountiesWon, casesPassed, accountId, rank] = key ?? []
  const after = key && {
    creditsWon: Number(creditsWon),
    bountiesWon: Number(bountiesWon),
    casesPassed: Number(casesPassed),
    accountId: String(accountId),
  }
  return async () => {
    const found = await submissions.rankAccounts({ limit: limit + 1, after })
    const ranked = found.map((item, i) => ({ rank: Number(rank ?? 0) + i + 1, ...item }))
    return pageOf(ranked, {
      list,
      limit,
      keyOf: (item) => [item.creditsWon, item.bountiesWon, item.casesPassed, item.accountId, item.rank],
    })
  }
}
