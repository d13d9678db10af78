// The receipt of a submission: the parts that the host signed, and what opens the commitments in them. While the bounty takes submissions
// only public cases are opened; when it is closed, all.
import type { Opening, SubmissionReceipt } from '../../shared/judgement-receipt.ts'
import type { StatedCase } from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { sha256Hex } from '../hex.ts'
import type { Services } from '../services.ts'
import { isClosed, submissionNotFound } from './submit-agent.ts'

/** @throws ProblemError `submission-not-found`, `receipt-not-found` */
export async function readSubmissionReceipt(
  { submissions, bounties, judgementReceipts, now }: Services,
  { id, accountId }: { id: string; accountId: string },
): Promise<SubmissionReceipt> {
  const submission = await submissions.find(id)
  if (submission?.accountId !== accountId) throw submissionNotFound(id)
  const [bounty, parts] = await Promise.all([bounties.findSummary(submission.bountyId), judgementReceipts.list(id)])
  if (parts.length === 0) {
    throw new ProblemError('receipt-not-found', {
      detail: `submission ${id} is ${submission.status} and has no receipt: no case was judged in a way that repeats`,
    })
  }
  const withHidden = bounty !== undefined && isClosed(bounty, now())
  const stated = new Set(parts.flatMap(({ statement }) => statement.entries.map(({ caseId }) => caseId)))
  const cases = await judgementReceipts.statedCases(id, { withHidden })
  const openings = await Promise.all(cases.filter((found) => stated.has(found.id)).map(openingOf))
  return {
    submissionId: id,
    casesTotal: submission.casesTotal,
    parts,
    openings: openings.flatMap((opening) => opening ?? []),
    unstated: [...new Set(cases.map((found) => found.id))].filter((caseId) => !stated.has(caseId)),
  }
}

async function openingOf({ id, input, expected, salt, status, fuel, outputSha256 }: StatedCase): Promise<Opening | undefined> {
  if (fuel === null) return undefined
  const [inputSha256, expectedSha256] = await Promise.all([input, expected].map((text) => sha256Hex(JSON.stringify(JSON.parse(text)))))
  if (inputSha256 === undefined || expectedSha256 === undefined) return undefined
  return { caseId: id, salt, inputSha256, expectedSha256, outputSha256, status, fuel }
}
