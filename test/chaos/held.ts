// What the cloud holds when a storm is over: rows of Postgres, bytes of artifacts, and what webhooks were told. Read by read-held.ts.
import type { ExecutionRecord, ExecutionStatus } from '../../shared/execution.ts'
import type { SubmissionStatus } from '../../shared/submission.ts'

export type HeldTransfer = {
  id: string
  kind: string
  subject: string
  fromId: string
  toId: string
  credits: number
  reason: string | null
}

export type HeldBounty = {
  id: string
  title: string
  accountId: string
  status: string
  rewardCredits: number
  awardedSubmissionId: string | null
  hasChecker: boolean
  /** Whether its deadline has been over for longer than a sweep takes. */
  isOverdue: boolean
}

export type HeldSubmission = {
  id: string
  bountyId: string
  agentId: string
  accountId: string
  status: SubmissionStatus
  round: number
  casesTotal: number
  casesPassed: number
}

/** An execution that nobody waited for. */
export type HeldAsyncExecution = {
  id: string
  accountId: string
  seed: number
  status: ExecutionStatus
  replayOf: string | null
  /** JSON text. */
  output: string | null
}

/** One revision of a case. */
export type HeldCase = {
  id: string
  bountyId: string
  name: string | null
  revision: number
  isCurrent: boolean
  n: number
  expected: number
}

export type HeldVerdict = { submissionId: string; caseId: string; revision: number; status: string }

/** Hashes of one artifact's bytes, as the API and as the bucket gave them; otherwise why they did not. */
export type HeldArtifact = { api: string; bucket: string }

export type Held = {
  /** Those with a record, whoever waited for them. */
  executions: { id: string; record: ExecutionRecord }[]
  asyncExecutions: HeldAsyncExecution[]
  /** How many executions an account is charged with that have not ended. */
  waiting: { accountId: string; count: number }[]
  deadLetters: { id: string; executionId: string | null; submissionId: string | null; attempts: number }[]
  rejectedOutcomes: string[]
  agents: { id: string; accountId: string; name: string; version: number }[]
  versions: { agentId: string; version: number; sha256: string }[]
  bounties: HeldBounty[]
  submissions: HeldSubmission[]
  /** One for each row, so that a case that was judged twice is there twice. */
  verdicts: HeldVerdict[]
  /** What was there at some earlier look, as it was then. */
  earlierVerdicts: HeldVerdict[]
  cases: HeldCase[]
  agentRanks: { bountyId: string; agentId: string; accountId: string; submissionId: string; casesPassed: number }[]
  accountRanks: { accountId: string; casesPassed: number }[]
  holders: { id: string; balance: number }[]
  transfers: HeldTransfer[]
  entries: { holderId: string; transferId: string; credits: number }[]
  deliveries: { id: string; eventId: string; status: string }[]
  events: { id: string; type: string; subject: string }[]
  /** Of the events that the receiver took. */
  heardEventIds: string[]
  /** By execution id and name, joined with a slash. */
  artifacts: Record<string, HeldArtifact>
}
