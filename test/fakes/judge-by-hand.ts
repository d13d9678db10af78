// A judge for tests: its turn begins with the submission, and is the only one.
import type { Verdict } from '../../shared/execution.ts'
import type { JudgingStore, NewSubmission, SubmissionStore } from '../../shared/ports.ts'

/** Later than any sweep of a running Worker. */
export const dueNever = '2127-01-01T00:00:00.000Z'
const turn = 2

type End = { status: 'accepted' | 'rejected' | 'failed'; at: string }

export function judgeByHand({ submissions, judgings }: { submissions: SubmissionStore; judgings: JudgingStore }) {
  return {
    async begin(submission: Omit<NewSubmission, 'stopAtFirstFailure' | 'dueAt'>): Promise<void> {
      await submissions.create({ ...submission, stopAtFirstFailure: false, dueAt: dueNever })
      await judgings.take(submission.id, { turn: 1, at: submission.createdAt, dueAt: dueNever })
    },
    record(id: string, { engine, verdicts }: { engine: string; verdicts: Verdict[] }): Promise<boolean> {
      return judgings.record(id, { turn, dueAt: dueNever, engine, verdicts: verdicts.map((verdict) => ({ ...verdict, revision: 1 })) })
    },
    finish(id: string, { status, at }: End): Promise<boolean> {
      return judgings.finish(id, { turn, at, ...(status === 'failed' ? { status, failure: 'of the test' } : { status }) })
    },
  }
}
