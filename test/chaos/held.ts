// What the cloud holds when a storm is over: rows of Postgres, bytes of artifacts, and what webhooks were told. Read by read-held.ts.
import type { ExecutionRecord } from '../../shared/execution.ts'
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
  /** Whether its deadline has been over for longer than a sweep takes. */
  isOverdue: boolean
}

export type HeldSubmission = {
  id: string
  bountyId: string
  agentId: string
  accountId: string
  status: SubmissionStatus
  casesTotal: number
  casesPassed: number
}

/** Hashes of one artifact's bytes, as the API and as the bucket gave them; otherwise why they did not. */
export type HeldArtifact = { api: string; bucket: string }

export type Held = {
  executions: { id: string; record: ExecutionRecord }[]
  rejectedOutcomes: string[]
  agents: { id: string; accountId: string; name: string; version: number }[]
  versions: { agentId: string; version: number; sha256: string }[]
  bounties: HeldBounty[]
  submissions: HeldSubmission[]
  /** One for each row, so that a case that was judged twice is there twice. */
  verdicts: { submissionId: string; caseId: string; status: string }[]
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
