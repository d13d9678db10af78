import { bountyCreateSchema, bountyListQuerySchema, bountySchema, bountySummarySchema } from '../../shared/bounty.ts'
import { pageSchema } from '../../shared/page.ts'
import { submissionCreateSchema, submissionSchema } from '../../shared/submission.ts'
import { limits } from '../../shared/tiers.ts'
import { goOn } from '../background.ts'
import { cachedJson } from '../cached-json.ts'
import { postBounty } from '../flows/post-bounty.ts'
import { submitAgent } from '../flows/submit-agent.ts'
import { firstTurn } from '../flows/turns.ts'
import { bountiesRead, bountyRead } from '../public-reads.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { takeTurn } from '../take-messages.ts'
import { idParameters } from './path-parameters.ts'

/** All cases, and the fields around them. */
const bountyBytesMax = limits.caseBytesMax + limits.bodyBytesMax

export function addBountyRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'get',
      path: '/api/bounties',
      summary: 'Bounties, newest first; a page may hold fewer than `limit`, the list ends where `nextCursor` is null',
      access: 'public',
      query: bountyListQuerySchema,
      answers: { 200: { description: 'A page of bounties', schema: pageSchema(bountySummarySchema) } },
    },
    ({ c, caller, query }) => cachedJson(c, { services, caller, ...bountiesRead(services, query) }),
  )

  router.add(
    {
      method: 'get',
      path: '/api/bounties/{id}',
      summary: 'One bounty with its public cases and the number of hidden ones',
      access: 'public',
      params: idParameters('bounty'),
      answers: { 200: { description: 'The bounty', schema: bountySchema } },
    },
    ({ c, caller, params: { id } }) => cachedJson(c, { services, caller, ...bountyRead(services, id) }),
  )

  router.add(
    {
      method: 'post',
      path: '/api/bounties',
      summary: 'Post a bounty; the reward moves from your balance into escrow',
      access: 'account',
      scope: 'bounties',
      body: { schema: bountyCreateSchema, bytesMax: bountyBytesMax },
      answers: { 201: { description: 'The bounty, without its cases', schema: bountySummarySchema } },
    },
    async ({ c, caller: { accountId }, body, attempt }) => {
      const bounty = await postBounty(services, { accountId, bounty: body, attempt })
      return c.json(bounty, 201, { location: `/api/bounties/${bounty.id}` })
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/bounties/{id}/submissions',
      summary: 'Have an agent of your own judged by every case. A full pass wins a bounty of mode first',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      body: { schema: submissionCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 202: { description: 'The submission, queued; follow it at its Location, or its events', schema: submissionSchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, body, attempt }) => {
      const submission = await submitAgent(services, { accountId, bountyId: id, submission: body, attempt })
      // Sooner than the message arrives; whichever of the two takes the turn, the other finds it taken.
      if (submission.status === 'queued') goOn(c, takeTurn(services, { topic: 'judgings', submissionId: submission.id, turn: firstTurn }))
      return c.json(submission, 202, { location: `/api/submissions/${submission.id}` })
    },
  )
}
