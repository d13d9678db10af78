import { submissionSchema } from '../../shared/submission.ts'
import { submissionNotFound } from '../flows/submit-agent.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'
import { idParameters } from './path-parameters.ts'

export function addSubmissionRoutes(router: Router, { submissions }: Services): void {
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
}
