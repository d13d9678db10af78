import { submissionEventSchema } from '../../shared/progress.ts'
import { submissionSchema } from '../../shared/submission.ts'
import { submissionReceiptSchema } from '../../shared/judgement-receipt.ts'
import { answerStream, streamAnswers, streamHeaders } from '../event-stream.ts'
import { followSubmission } from '../flows/follow-submission.ts'
import { readSubmission } from '../flows/read-submission.ts'
import { readSubmissionReceipt } from '../flows/read-submission-receipt.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idParameters } from './path-parameters.ts'

export function addSubmissionRoutes(router: Router, services: Services): void {
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
    async ({ c, caller: { accountId }, params: { id } }) => c.json(await readSubmission(services, { id, accountId }), 200),
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
      answers: streamAnswers('Events until it is finished, or for five minutes', submissionEventSchema.options),
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
