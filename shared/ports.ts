// What the Worker asks of the world, in domain words: each port is one adapter in workers/adapters and one fake in test/fakes, and both
// pass the same contract. Unless it says otherwise a method throws ProblemError `database-unavailable` when its store does not answer.
import type { Account } from './account.ts'
import type { ApiKey, KeyGrant } from './api-key.ts'
import type { Agent, Program } from './agent.ts'
import type { Bounty, BountyStatus, BountySummary } from './bounty.ts'
import type { ExecutionRecord, HostExecution, Judgement, Manifest, Verdict } from './execution.ts'
import type { BountyRank, GlobalRank } from './leaderboard.ts'
import type { HostReceiptKey, RegisteredReceiptKey } from './receipt.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Submission, SubmissionStatus } from './submission.ts'
import type { TierName } from './tiers.ts'

export interface AccountStore {
  /** With its first key. @throws ProblemError `name-taken` */
  create(account: Account, key: NewKey): Promise<void>
  find(id: string): Promise<Account | undefined>
}

/** `sha256` is of the secret, which is kept nowhere. */
export type NewKey = ApiKey & { sha256: string; isRateLimited: boolean }

export interface KeyStore {
  /** @returns false, and makes none, when the account has `keysPerAccountMax` keys already */
  create(accountId: string, key: NewKey): Promise<boolean>
  /** Expired or not. */
  findGrant(sha256: string): Promise<KeyGrant | undefined>
  /** Newest first. @param after id of the last key of the page before */
  list(accountId: string, page: { limit: number; after?: string | undefined }): Promise<ApiKey[]>
  /** @param accountId whose key it must be; anybody's when absent. @returns the key's hash; undefined when there was none */
  remove(id: string, accountId?: string): Promise<string | undefined>
}

/** An answer as it is kept to be given again. */
export type KeptAnswer = { status: number; contentType: string; location: string | null; body: string }

/** `requestSha256` is of method, path and body; `claim` is random, and names whoever works on the request; instants are the Worker's. */
export type IdempotencyClaim = { owner: string; key: string; requestSha256: string; claim: string; at: string }

export type ClaimedKey =
  /** The caller does the work. `isRetry`: somebody began it before, and may have done it. `firstAt`: when the first one began. */
  | { state: 'claimed'; firstAt: string; isRetry: boolean }
  | { state: 'answered'; requestSha256: string; answer: KeptAnswer }
  | { state: 'in-progress'; requestSha256: string }

/** Which requests with an Idempotency-Key were made, and what they were answered. A key is free again `keptMs` after its first request. */
export interface IdempotencyStore {
  /** Of claims at the same time one is granted. A claim without an answer lapses after `claimMs`, for the same request. */
  claim(claim: IdempotencyClaim): Promise<ClaimedKey>
  /** Nothing happens when the claim has lapsed and somebody else has it. */
  answer(claim: Pick<IdempotencyClaim, 'owner' | 'key' | 'claim'>, answer: KeptAnswer): Promise<void>
  /** Lets the next request with the key try again, at once. */
  release(claim: Pick<IdempotencyClaim, 'owner' | 'key' | 'claim'>): Promise<void>
}

/** What callers used of what they may use, counted for all isolates together. Throws plain errors. */
export interface UsageCounter {
  /** Adds to the window of `limit` that is open now. @returns all that was used in it, at most `limit.requests` */
  add(subject: string, use: { amount: number; limit: RateLimit }): Promise<number>
}

/** One version of an agent, as far as running it needs. */
export type RunnableAgent = { agentId: string; accountId: string; version: number; program: Program }

export type NewVersion = { agentId: string; sha256: string; bytes: number; engine: string; at: string }

export interface AgentStore {
  /** Writes the agent with its first version. @throws ProblemError `name-taken` */
  create(agent: Agent, engine: string): Promise<void>
  /** @returns the agent as it is now; undefined when there is none */
  addVersion(version: NewVersion): Promise<Agent | undefined>
  find(id: string): Promise<Agent | undefined>
  /** @param version the latest when absent */
  findRunnable(id: string, version?: number): Promise<RunnableAgent | undefined>
  /** Newest first. @param after id of the last agent of the page before */
  list(page: { limit: number; after?: string | undefined }): Promise<Agent[]>
}

/** A case as it is kept: input and expectation are JSON text, so that they keep their bytes. */
export type StoredCase = { id: string; position: number; name: string | null; input: string; expected: string; hidden: boolean }

export type NewBounty = { summary: BountySummary; description: string; cases: StoredCase[] }

export interface BountyStore {
  create(bounty: NewBounty): Promise<void>
  find(id: string): Promise<Bounty | undefined>
  findSummary(id: string): Promise<BountySummary | undefined>
  /** Newest first. @param after id of the last bounty of the page before */
  list(page: { status?: BountyStatus | undefined; limit: number; after?: string | undefined }): Promise<BountySummary[]>
  /** Hidden and public cases in their order, beginning behind `position`. */
  casesAfter(bountyId: string, cut: { position: number; limit: number }): Promise<StoredCase[]>
}

export type NewSubmission = Pick<Submission, 'id' | 'bountyId' | 'agentId' | 'version' | 'accountId' | 'casesTotal' | 'createdAt'>
export type FinishedSubmission = { status: Extract<SubmissionStatus, 'accepted' | 'rejected' | 'failed'>; at: string }
/** Sort key of an agent's place, ascending: -cases passed, fuel (unmetered last), instant, submission. */
export type AgentPlace = { casesPassed: number; fuelTotal: number | null; finishedAt: string; submissionId: string }
export type AccountPlace = { creditsWon: number; bountiesWon: number; casesPassed: number; accountId: string }

export interface SubmissionStore {
  /** As `running`, without verdicts. */
  create(submission: NewSubmission): Promise<void>
  /** Adds verdicts, and their sums to the submission; a case that has one keeps it. */
  recordVerdicts(id: string, judgement: { engine: string; verdicts: Verdict[] }): Promise<void>
  /** Ends a running submission and moves its agent and account on the leaderboards; one that has ended stays as it is. */
  finish(id: string, end: FinishedSubmission): Promise<void>
  /** With the verdicts of public cases only. */
  find(id: string): Promise<Submission | undefined>
  rankAgents(bountyId: string, page: { limit: number; after?: AgentPlace | undefined }): Promise<Omit<BountyRank, 'rank'>[]>
  rankAccounts(page: { limit: number; after?: AccountPlace | undefined }): Promise<Omit<GlobalRank, 'rank'>[]>
}

/** What could not be recorded, kept for whoever looks into it. `record` is JSON text. */
export type RejectedOutcome = { id: string; reason: string; record: string }

export interface ExecutionStore {
  /**
   * Records those that are not there yet, all at once.
   * @returns the ids whose account or agent version is unknown; those are not recorded
   */
  record(records: ExecutionRecord[]): Promise<string[]>
  keepRejected(host: string, rejected: RejectedOutcome[]): Promise<void>
  find(id: string): Promise<ExecutionRecord | undefined>
}

export interface ReceiptKeyStore {
  /** A key that is there stays as it is. */
  register(key: HostReceiptKey): Promise<void>
  /** Newest first. */
  list(limit: number): Promise<RegisteredReceiptKey[]>
}

export interface DatabaseGauges {
  ping(): Promise<void>
  /** Rows per table; of large tables an estimate, named so. */
  counts(): Promise<Record<string, number>>
}

/** Faster than the database and never the truth: an error or a lost entry costs time only. Methods throw plain errors. */
export interface SharedCache {
  /** One round trip; null where there is nothing. */
  read(keys: string[]): Promise<(string | null)[]>
  write(key: string, entry: { text: string; lifetimeSeconds: number }): Promise<void>
  ping(): Promise<void>
}

/** A range of a bundle; `length` is at least 1. */
export type ByteRange = { offset: number; length: number }

/** Throws ProblemError `artifacts-unavailable`. */
export interface ArtifactStore {
  /** The same bytes again change nothing. */
  putProgram(sha256: string, bytes: Uint8Array): Promise<void>
  /** @returns undefined while the bundle is not in the store */
  readBundle(bundle: string, range: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined>
  ping(): Promise<void>
}

export type JudgedCases = {
  program: Program
  accountId: string
  tier: TierName
  /** Input and expectation as JSON text. */
  cases: { id: string; input: string; expected: string }[]
}

/**
 * The sandbox host. Throws ProblemError `sandbox-unavailable`, `draining` and `overloaded` (try again), `tier-unavailable`,
 * `engine-unsupported`, `artifacts-unavailable`, `body-too-large`.
 */
export interface Sandbox {
  /** @throws ProblemError `invalid-program` with the compiler's message */
  prepare(program: Program): Promise<Manifest>
  run(execution: HostExecution): Promise<ExecutionRecord>
  judge(cases: JudgedCases): Promise<Judgement>
  /** @returns undefined when it is not on the host, or no longer */
  findExecution(id: string): Promise<ExecutionRecord | undefined>
  readBundle(bundle: string, range: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined>
  /** Public key that the host signs with now. */
  receiptKey(): Promise<HostReceiptKey>
  ping(): Promise<void>
  /** Prometheus text. */
  metrics(): Promise<string>
}
