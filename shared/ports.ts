// What the Worker asks of the world, in domain words: each port is one adapter in workers/adapters and one fake in test/fakes, and both
// pass the same contract. Unless it says otherwise a method throws ProblemError `database-unavailable` when its store does not answer.
import type { Account } from './account.ts'
import type { ApiKey, KeyGrant } from './api-key.ts'
import type { Agent, Program } from './agent.ts'
import type { Bounty, BountyStatus, BountySummary } from './bounty.ts'
import type { ExecutionRecord, HostExecution, Judgement, JudgementEnd, Manifest, Verdict } from './execution.ts'
import type { JudgementReceipt } from './judgement-receipt.ts'
import type { DayUsage } from './day-usage.ts'
import type { BountyRank, GlobalRank } from './leaderboard.ts'
import type { LedgerEntry } from './ledger.ts'
import type { HostReceiptKey, RegisteredReceiptKey } from './receipt.ts'
import type { NumberedVerdict } from './progress.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Submission, SubmissionStatus } from './submission.ts'
import type { TierName } from './tiers.ts'
import type { AfterAttempt, AttemptEnd, Delivery, Webhook } from './webhook.ts'

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
export type StoredCase = {
  id: string
  position: number
  name: string | null
  input: string
  expected: string
  hidden: boolean
  /** Of the commitments in receipts; told to nobody but the host before the case may be opened. */
  salt: string
}

export type NewBounty = { summary: BountySummary; description: string; cases: StoredCase[] }

export interface BountyStore {
  /** Moves the reward from its owner's balance into escrow. @throws ProblemError `insufficient-credits`; then nothing is written */
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
  /** As `running`, without verdicts. @throws ProblemError `bounty-closed`, also at the deadline and behind it */
  create(submission: NewSubmission): Promise<void>
  /** Adds verdicts, and their sums to the submission; a case that has one keeps it. */
  recordVerdicts(id: string, judgement: { engine: string; verdicts: Verdict[] }): Promise<void>
  /**
   * Ends a running submission and moves its agent and account on the leaderboards; one that has ended stays as it is. An accepted one that
   * passed every case of an open bounty of mode `first` wins it: at most one does.
   */
  finish(id: string, end: FinishedSubmission): Promise<void>
  /** With the verdicts of public cases only. */
  find(id: string): Promise<Submission | undefined>
  rankAgents(bountyId: string, page: { limit: number; after?: AgentPlace | undefined }): Promise<Omit<BountyRank, 'rank'>[]>
  rankAccounts(page: { limit: number; after?: AccountPlace | undefined }): Promise<Omit<GlobalRank, 'rank'>[]>
}

/** How a submission stands, at one moment, and the public verdicts up to the number `upTo`; there are more where that is less than `casesJudged`. */
export type SubmissionProgress = Omit<Submission, 'verdicts'> & { verdicts: NumberedVerdict[]; upTo: number; casesJudged: number }

/** What is new about a submission. Its verdicts, those of hidden cases too, are numbered from 1 in the order in which they were stored. */
export interface ProgressStore {
  /** @param after number of the last verdict that is known. @param limit of the verdicts, hidden ones too, that are looked at */
  find(id: string, cut: { after: number; limit: number }): Promise<SubmissionProgress | undefined>
}

export type Mint = { id: string; accountId: string; credits: number; reason: string | null; at: string }
/** `number` counts the entries of one account from 1, without gaps. */
export type NumberedEntry = LedgerEntry & { number: number }

export interface LedgerStore {
  /** New credits; the same id again changes nothing. @throws ProblemError `account-not-found`, `supply-exhausted` */
  mint(mint: Mint): Promise<NumberedEntry>
  /** @returns undefined when there is no such account */
  balance(accountId: string): Promise<number | undefined>
  /** Newest first. @param before number of the last entry of the page before */
  entries(accountId: string, page: { limit: number; before?: number | undefined }): Promise<NumberedEntry[]>
  /** Newest first, days without entries left out. @param since first day, as 2000-01-31 */
  byDay(accountId: string, since: { from: string }): Promise<Pick<DayUsage, 'day' | 'creditsIn' | 'creditsOut'>[]>
}

/** Closes bounties, and with them their escrow: all of it moves, to one account, once. */
export interface SettlementStore {
  /**
   * To the author of a submission that was judged, for an open bounty of mode `best` before its deadline.
   * @returns the bounty as it is now; undefined when there is no such open bounty
   */
  award(bountyId: string, award: { submissionId: string; at: string }): Promise<BountySummary | undefined>
  /** Back to the owner, before the deadline. @returns undefined when there is no such open bounty */
  cancel(bountyId: string, cancellation: { at: string }): Promise<BountySummary | undefined>
  /** Open bounties whose deadline has passed and whose submissions are judged, or were not within `judgingMsMax` of it; the oldest first. */
  findDue(due: { at: string; judgingMsMax: number; limit: number }): Promise<string[]>
  /**
   * At the deadline: to the author of the best submission, if the mode is `best` and it passed a case; else back to the owner.
   * @returns undefined when there is no such open bounty whose deadline has passed
   */
  settle(bountyId: string, settlement: { at: string }): Promise<BountySummary | undefined>
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
  /** Of recorded executions, newest first, days without any left out. @param since first UTC day, as 2000-01-31 */
  usageByDay(accountId: string, since: { from: string }): Promise<Pick<DayUsage, 'day' | 'executions' | 'fuel' | 'wallMicros'>[]>
}

/** What opens the commitment of a case. Input and expectation are JSON text. */
export type StatedCase = Pick<StoredCase, 'id' | 'input' | 'expected' | 'salt'> & {
  status: string
  fuel: number | null
  outputSha256: string | null
}

export interface JudgementReceiptStore {
  /** A part of a submission is known by its first case; one that is there stays as it is. */
  record(receipt: JudgementReceipt): Promise<void>
  /** The parts of a submission, in the order of their cases. */
  list(submissionId: string): Promise<JudgementReceipt[]>
  /** Judged cases of a submission in their order: the public ones, or the hidden ones, too. */
  statedCases(submissionId: string, options: { withHidden: boolean }): Promise<StatedCase[]>
}

export interface ReceiptKeyStore {
  /** A key that is there stays as it is. */
  register(key: HostReceiptKey): Promise<void>
  /** Newest first. */
  list(limit: number): Promise<RegisteredReceiptKey[]>
}

/** `sealedSecret` is encrypted for this webhook alone; the store cannot read it. */
export type NewWebhook = Webhook & { sealedSecret: string }
/** What sending takes. `body` is the event's JSON text, byte for byte what is signed; `attempts` counts this one. */
export type ClaimedDelivery = Pick<Delivery, 'id' | 'webhookId' | 'eventId' | 'attempts'> & {
  url: string
  sealedSecret: string
  body: string
}
export type DeliveryClaim = { claim: string; at: string; leaseMs: number }

/**
 * Webhooks and what is sent to them. Events of bounties and submissions, and their deliveries, are written by the stores that change those,
 * in the transaction of the change, when a webhook of a concerned account (shared/events.ts) is made for that type.
 */
export interface WebhookStore {
  /** @returns false, and makes none, when the account has `webhooksPerAccountMax` already */
  create(accountId: string, webhook: NewWebhook): Promise<boolean>
  find(id: string, accountId: string): Promise<Webhook | undefined>
  /** Newest first. @param after id of the last webhook of the page before */
  list(accountId: string, page: { limit: number; after?: string | undefined }): Promise<Webhook[]>
  /** With its deliveries. @returns whether there was one */
  remove(id: string, accountId: string): Promise<boolean>
  /** Writes the event `webhook.ping` and its delivery, once for each id. @returns undefined when there is no such webhook */
  ping(webhookId: string, ping: { accountId: string; eventId: string; deliveryId: string; at: string }): Promise<Delivery | undefined>
  /** Newest first. @param after id of the last delivery of the page before */
  deliveries(webhookId: string, page: { limit: number; after?: string | undefined }): Promise<Delivery[]>
  /**
   * Makes a delivery due at once: with all its attempts anew unless it was pending. One that is being sent stays as it is.
   * @returns it as it is now; undefined when the webhook has no such delivery
   */
  redeliver(id: string, to: { webhookId: string; accountId: string; at: string }): Promise<Delivery | undefined>
  /**
   * One delivery that is due, for whoever names itself in `claim`, until the lease ends: first those that were tried least. A webhook that is
   * being sent `sendingPerWebhookMax` gets no more, so that a slow receiver holds up itself alone.
   */
  claimDelivery(claim: DeliveryClaim): Promise<ClaimedDelivery | undefined>
  /** Nothing happens when the claim has lapsed and somebody else has it. */
  endAttempt(delivery: Pick<ClaimedDelivery, 'id'> & { claim: string }, end: AttemptEnd & AfterAttempt): Promise<void>
  /** Some of the events from before `before`, with their deliveries. @returns how many */
  forgetOld(old: { before: string; limit: number }): Promise<number>
}

/** What a name stands for, at this moment. */
export interface AddressResolver {
  /** Addresses of IPv4 and IPv6; none when there is no such name. @throws Error when nobody can say */
  resolve(name: string): Promise<string[]>
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
  submissionId: string
  program: Program
  accountId: string
  tier: TierName
  /** Cases after the first one, in their order, that is not accepted are not begun any more. */
  stopAtFirstFailure: boolean
  /** Input and expectation as JSON text. */
  cases: { id: string; input: string; expected: string; salt: string }[]
}

/**
 * The sandbox host. Throws ProblemError `sandbox-unavailable`, `draining` and `overloaded` (try again), `tier-unavailable`,
 * `engine-unsupported`, `artifacts-unavailable`, `body-too-large`.
 */
export interface Sandbox {
  /**
   * @param accountId on whose share of the host a script is evaluated
   * @throws ProblemError `invalid-program` with the compiler's message
   */
  prepare(program: Program, accountId: string): Promise<Manifest>
  run(execution: HostExecution): Promise<ExecutionRecord>
  /**
   * `keep` is given the verdicts as they come and awaited before it is called again; what it was given stays true when the judging breaks
   * off afterwards. When `keep` throws, no further cases are begun.
   */
  judge(cases: JudgedCases, keep: (judged: Judgement) => Promise<void>): Promise<JudgementEnd>
  /** @returns undefined when it is not on the host, or no longer */
  findExecution(id: string): Promise<ExecutionRecord | undefined>
  readBundle(bundle: string, range: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined>
  /** Public key that the host signs with now. */
  receiptKey(): Promise<HostReceiptKey>
  ping(): Promise<void>
  /** Prometheus text. */
  metrics(): Promise<string>
}
