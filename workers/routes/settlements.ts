import { bountyAwardSchema, bountySummarySchema } from '../../shared/bounty.ts'
import { limits } from '../../shared/tiers.ts'
import { goOn } from '../background.ts'
import { deliverWebhooks } from '../flows/deliver-webhooks.ts'
import { awardBounty, cancelBounty } from '../flows/settle-bounty.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idParameters } from './path-parameters.ts'

export function addSettlementRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'post',
      path: '/api/bounties/{id}/award',
      summary: 'Award a bounty of your own, of mode best, to a submission that was judged; its author gets the reward',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      body: { schema: bountyAwardSchema, bytesMax: limits.bodyBytesMax },
      answers: { 200: { description: 'The bounty, awarded', schema: bountySummarySchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, body: { submissionId }, attempt }) => {
      const awarded = await awardBounty(services, { accountId, bountyId: id, submissionId, attempt })
      goOn(c, deliverWebhooks(services))
      return c.json(awarded, 200)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/bounties/{id}/cancel',
      summary: 'Cancel an open bounty of your own before its deadline; the reward comes back. What is being judged ends without an award',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      answers: { 200: { description: 'The bounty, cancelled', schema: bountySummarySchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, attempt }) => {
      const cancelled = await cancelBounty(services, { accountId, bountyId: id, attempt })
      goOn(c, deliverWebhooks(services))
      return c.json(cancelled, 200)
    },
  )
}
