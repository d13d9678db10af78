import { submissionEventSchema } from '../../shared/progress.ts'
import { decodeCursor, pageSchema } from '../../shared/page.ts'
import { submissionListQuerySchema, submissionSchema, submissionSummarySchema } from '../../shared/submission.ts'
import { submissionReceiptSchema } from '../../shared/judgement-receipt.ts'
import { answerStream, streamAnswers, streamHeaders } from '../event-stream.ts'
import { followSubmission } from '../flows/follow-submission.ts'
import { readSubmissionReceipt } from '../flows/read-submission-receipt.ts'
import { submissionNotFound } from '../flows/submit-agent.ts'
import { describeStreamEvents } from '../openapi.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { listName, pageOf } from './page-of.ts'
import { idParameters } from './path-parameters.ts'

export function addSubmissionRoutes(router: Router, services: Services): void {
  const { submissions } = services
  describeStreamEvents(router.app, { name: 'SubmissionEvent', schema: submissionEventSchema })
  router.add(
    {
      method: 'get',
      path: '/api/submissions',
      summary: 'Submissions of your own, newest first, without verdicts; a page may hold fewer than `limit`',
      access: 'account',
      scope: 'read',
      query: submissionListQuerySchema,
      answers: { 200: { description: 'A page of submissions', schema: pageSchema(submissionSummarySchema) } },
    },
    async ({ c, caller: { accountId }, query: { limit, cursor, bounty, status } }) => {
      const list = await listName('submissions', { bounty, status })
      const [after] = decodeCursor(list, ['string'], cursor) ?? []
      const page = { limit: limit + 1, after: after === undefined ? undefined : String(after) }
      const found = await submissions.list(accountId, { bountyId: bounty, status, ...page })
      return c.json(pageOf(found, { list, limit, keyOf: ({ id }) => [id] }), 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/submissions/{id}',
      summary: 'A submission of your own, with the verdicts of public cases',
      access: 'account',
      scope: 'read',
      params: idParameters('submission'),
      answers: { 200: { description: 'The submission', schema: submissionSchema } },
    },
    async ({ c, caller, params: { id } }) => {
      const submission = await submissions.find(id)
      if (submission?.accountId !== caller.accountId) throw submissionNotFound(id)
      return c.json(submission, 200)
    },
  )

  router.add(
    {
      method: 'get',
      path: '/api/submissions/{id}/events',
      summary: 'Follow a submission of your own: verdict (of public cases), progress (of all, in numbers), at last finished',
      access: 'account',
      scope: 'read',
      params: idParameters('submission'),
      headers: streamHeaders,
      answers: streamAnswers('Events, each a SubmissionEvent, until it is finished, or for five minutes'),
    },
    async ({ c, caller: { accountId }, params: { id } }) =>
      answerStream(c, services, (from) => followSubmission(services, { id, accountId, from })),
  )

  router.add(
    {
      method: 'get',
      path: '/api/submissions/{id}/receipt',
      summary: 'What the host signed about a submission of your own; hidden cases are opened when the bounty is closed',
      access: 'account',
      scope: 'read',
      params: idParameters('submission'),
      answers: {
        200: { description: 'Signed parts, and the openings of the cases that you may look into', schema: submissionReceiptSchema },
      },
    },
    async ({ c, caller: { accountId }, params: { id } }) => c.json(await readSubmissionReceipt(services, { id, accountId }), 200),
  )
}
