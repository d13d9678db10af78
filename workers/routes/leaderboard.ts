import { z } from 'zod'
import { idSchema } from '../../shared/ids.ts'
import { bountyRankSchema, globalRankSchema } from '../../shared/leaderboard.ts'
import { pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { cachedJson } from '../cached-json.ts'
import { accountRanksRead, agentRanksRead } from '../public-reads.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'

const querySchema = pageQuerySchema.extend({
  bounty: idSchema('bounty').optional().describe('Ranks the agents of this bounty; without it, accounts over all bounties'),
})

export function addLeaderboardRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/leaderboard',
      summary:
        'Per bounty: cases passed, then least fuel within one engine and mode, then earliest. Global: credits won, bounties won, cases passed',
      access: 'public',
      query: querySchema,
      answers: {
        200: { description: 'A page of ranks', schema: z.union([pageSchema(bountyRankSchema), pageSchema(globalRankSchema)]) },
      },
    },
    ({ c, caller, query: { bounty, limit, cursor } }) => {
      // A cursor that is no cursor of this list is refused before any cache is asked.
      if (bounty) return cachedJson(c, { services, caller, ...agentRanksRead(services, { bounty, limit, cursor }) })
      return cachedJson(c, { services, caller, ...accountRanksRead(services, { limit, cursor }) })
    },
  )
}
