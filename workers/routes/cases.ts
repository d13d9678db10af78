import { z } from 'zod'
import { caseFixSchema, casesAddSchema, caseSummarySchema, rejudgedSchema } from '../../shared/bounty.ts'
import { idSchema } from '../../shared/ids.ts'
import { decodeCursor, pageQuerySchema, pageSchema } from '../../shared/page.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { addCases, fixCase, rejudgeBounty } from '../flows/change-cases.ts'
import { bountyNotFound } from '../flows/submit-agent.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

export function addCaseRoutes(router: Router, services: Services): void {
  const { bounties, cases } = services

  router.add(
    {
      method: 'get',
      path: '/api/bounties/{id}/cases',
      summary: 'All cases of a bounty of your own by id, place and revision; what hidden ones hold is shown to nobody',
      access: 'account',
      scope: 'read',
      params: idParameters('bounty'),
      query: pageQuerySchema,
      answers: { 200: { description: 'A page of cases, in their order', schema: pageSchema(caseSummarySchema) } },
    },
    async ({ c, caller: { accountId }, params: { id }, query: { limit, cursor } }) => {
      const bounty = await bounties.findSummary(id)
      if (!bounty) throw bountyNotFound(id)
      if (bounty.accountId !== accountId) throw new ProblemError('forbidden', { detail: `bounty ${id} belongs to another account` })
      const list = `cases:${id}`
      const [after = -1] = decodeCursor(list, ['count'], cursor) ?? []
      const found = await cases.list(id, { after: Number(after), limit: limit + 1 })
      return c.json(pageOf(found, { list, limit, keyOf: ({ position }) => [position] }), 200)
    },
  )

  router.add(
    {
      method: 'post',
      path: '/api/bounties/{id}/cases',
      summary:
        'Add cases to an open bounty of your own. Submissions are judged by those that there are when they are made, or judged again',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      body: { schema: casesAddSchema, bytesMax: limits.caseBytesMax + limits.bodyBytesMax },
      answers: { 201: { description: 'The cases that were added', schema: z.object({ items: z.array(caseSummarySchema) }) } },
    },
    async ({ c, caller: { accountId }, params: { id }, body, attempt }) => {
      const items = await addCases(services, { accountId, bountyId: id, added: body, attempt })
      return c.json({ items }, 201, { location: `/api/bounties/${id}/cases` })
    },
  )

  router.add(
    {
      method: 'patch',
      path: '/api/bounties/{id}/cases/{caseId}',
      summary: 'Fix a case of an open bounty of your own. Verdicts stay as they are until submissions are judged again',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty').extend({ caseId: idSchema('case') }),
      body: { schema: caseFixSchema, bytesMax: 2 * limits.bodyBytesMax },
      answers: { 200: { description: 'The case in its next revision; in the same one when nothing changed', schema: caseSummarySchema } },
    },
    async ({ c, caller: { accountId }, params: { id, caseId }, body }) =>
      c.json(await fixCase(services, { accountId, bountyId: id, caseId, fix: body }), 200),
  )

  router.add(
    {
      method: 'post',
      path: '/api/bounties/{id}/rejudge',
      summary:
        'Judge submissions to an open bounty of your own again, by the cases that they were not judged by as they are now. Ranks stay until each has finished',
      access: 'account',
      scope: 'bounties',
      params: idParameters('bounty'),
      answers: { 202: { description: 'How many are judged again', schema: rejudgedSchema } },
    },
    async ({ c, caller: { accountId }, params: { id }, attempt }) =>
      c.json({ bountyId: id, submissions: await rejudgeBounty(services, { accountId, bountyId: id, attempt }) }, 202),
  )
}
