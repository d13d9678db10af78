import { bountyCreateSchema, bountyListQuerySchema, bountySchema, bountySummarySchema } from '../../shared/bounty.ts'
import { decodeCursor, pageSchema } from '../../shared/page.ts'
import { searchWords } from '../../shared/search-words.ts'
import { submissionCreateSchema, submissionSchema } from '../../shared/submission.ts'
import { limits } from '../../shared/tiers.ts'
import { goOn } from '../background.ts'
import { cachedJson } from '../cached-json.ts'
import { deliverWebhooks } from '../flows/deliver-webhooks.ts'
import { postBounty } from '../flows/post-bounty.ts'
import { bountyNotFound, submitAgent } from '../flows/submit-agent.ts'
import { freshJson } from '../fresh-json.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { listName, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

/** All cases, and the fields around them. */
const bountyBytesMax = limits.caseBytesMax + limits.bodyBytesMax
/** The platform's published figure. */
const lifetimeSeconds = 300

export function addBountyRoutes(router: Router, services: Services): void {
  const { bounties } = services

  router.add(
    {
      method: 'get',
      path: '/api/bounties',
      summary: 'Bounties, newest first; a page may hold fewer than `limit`, the list ends where `nextCursor` is null',
      access: 'public',
      query: bountyListQuerySchema,
      answers: { 200: { description: 'A page of bounties', schema: pageSchema(bountySummarySchema) } },
    },
    async ({ c, caller, query: { limit, cursor, status, mode, owner, q } }) => {
      const list = await listName('bounties', { status, mode, owner, q })
      const [after] = decodeCursor(list, ['string'], cursor) ?? []
      const words = q === undefined ? undefined : searchWords(q)
      const load = async () => {
        const page = { limit: limit + 1, after: after === undefined ? undefined : String(after) }
        return pageOf(await bounties.list({ status, mode, owner, words, ...page }), { list, limit, keyOf: ({ id }) => [id] })
      }
      if (q !== undefined || owner !== undefined || cursor !== undefined) return freshJson(c, { caller, load })
      return cachedJson(c, { services, caller, key: `${list}:${limit}`, group: 'bounties', lifetimeSeconds, load })
    },
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
    ({ c, caller, params: { id } }) => {
      const load = async () => {
        const bounty = await bounties.find(id)
        if (!bounty) throw bountyNotFound(id)
        return bounty
      }
      return cachedJson(c, { services, caller, key: `bounty:${id}`, group: `bounty:${id}`, lifetimeSeconds, load })
    },
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
      summary:
        'Judge an agent of your own by every case; the answer comes with the verdict for now. A full pass wins a bounty of mode first',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      body: { schema: submissionCreateSchema, bytesMax: limits.bodyBytesMax },
      answers: { 202: { description: 'The submission, with the verdicts of public cases', schema: submissionSchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, body, attempt }) => {
      const submission = await submitAgent(services, { accountId, bountyId: id, submission: body, attempt })
      goOn(c, deliverWebhooks(services))
      return c.json(submission, 202, { location: `/api/submissions/${submission.id}` })
    },
  )
}
