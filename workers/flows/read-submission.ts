import type { Submission } from '../../shared/submission.ts'
import type { Services } from '../services.ts'
import { submissionNotFound } from './submit-agent.ts'

/** A submission of the account's own, with the verdicts of public cases. @throws ProblemError `submission-not-found` */
export async function readSubmission(
  { submissions }: Pick<Services, 'submissions'>,
  { id, accountId }: { id: string; accountId: string },
): Promise<Submission> {
  const submission = await submissions.find(id)
  if (submission?.accountId !== accountId) throw submissionNotFound(id)
  return submission
}
