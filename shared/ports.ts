// What the Worker asks of the world, in domain words: each port is one adapter in workers/adapters and one fake in test/fakes, and both
// pass the same contract. Unless it says otherwise a method throws ProblemError `database-unavailable` when its store does not answer.
// Those of agents are in agent-ports.ts, of webhooks in webhook-ports.ts, of asynchronous executions in async-execution-ports.ts, of the event log in event-log-port.ts, of
// sandbox hosts in host-ports.ts.
import type { Account, QuotaName } from './account.ts'
import type { ApiKey, KeyGrant } from './api-key.ts'
import type { Program } from './agent.ts'
import type { Bounty, BountyMode, BountyStatus, BountySummary, CaseSummary } from './bounty.ts'
import type { ExecutionRecord, ExecutionStatus, ExecutionSummary, HostExecution, RunAnswer } from './execution.ts'
import type { Judgement, JudgementEnd, Manifest } from './execution.ts'
import type { JudgementReceipt } from './judgement-receipt.ts'
import type { DayUsage } from './day-usage.ts'
import type { BountyRank, GlobalRank } from './leaderboard.ts'
import type { StoredExecution } from './async-execution.ts'
import type { DueJudging, RevisedVerdict, TakenJudging } from './judging.ts'
import type { LedgerEntry } from './ledger.ts'
import type { HostReceiptKey, RegisteredReceiptKey } from './receipt.ts'
import type { NumberedVerdict } from './progress.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Submission, SubmissionStatus, SubmissionSummary } from './submission.ts'
import type { TierName } from './tiers.ts'

export interface AccountStore {
  /** With its first key. @throws ProblemError `name-taken` */
  create(account: Account, key: NewKey): Promise<void>
  find(id: string): Promise<Account | undefined>
  /** With its balance and what it has of each quota, at one moment. */
  findPage(id: string): Promise<(Account & { balanceCredits: number; used: Record<QuotaName, number> }) | undefined>
}

/**
 * One page of a list that can be filtered. `goOnAfter` is there when looking for matches was broken off before there were enough of them: the
 * next page begins behind it.
 */
export type Listed<T> = { items: T[]; goOnAfter?: string }
/** @param after id of the last item of the page before, or its `goOnAfter` */
export type Cut = { limit: number; after?: string | undefined }
/** `words` as searchWords gives them, all of which must be there. */
export type BountyFilters = {
  status?: BountyStatus | undefined
  mode?: BountyMode | undefined
  owner?: string | undefined
  words?: string[] | undefined
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

/** A case as it is posted: input and expectation are JSON text, so that they keep their bytes. */
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

/** A case as judging takes it. */
export type RevisedCase = StoredCase & { revision: number }

export type NewBounty = { summary: BountySummary; description: string; cases: StoredCase[] }

export interface BountyStore {
  /**
   * Moves the reward from its owner's balance into escrow. Only a version of an agent of the same account can be the checker: anything else
   * is an error. @throws ProblemError `insufficient-credits`, `quota-exceeded`; then nothing is written
   */
  create(bounty: NewBounty): Promise<void>
  find(id: string): Promise<Bounty | undefined>
  findSummary(id: string): Promise<BountySummary | undefined>
  /** Newest first. */
  list(page: BountyFilters & Cut): Promise<Listed<BountySummary>>
}

export type NewCase = Omit<StoredCase, 'position'>
/** Bytes of inputs and expectations. */
export type CaseTotals = { count: number; bytes: number }

/** The cases of a bounty. What changes them answers undefined, and changes nothing, when the bounty takes no submissions. */
export interface CaseStore {
  totals(bountyId: string): Promise<CaseTotals>
  /** In their order. @param after place of the last case of the page before; -1 for the first page */
  list(bountyId: string, page: { after: number; limit: number }): Promise<CaseSummary[]>
  /** Behind those that there are. @returns undefined also when there would be more of them, or larger ones, than `limits` allow */
  add(bountyId: string, added: { cases: NewCase[]; at: string }): Promise<CaseSummary[] | undefined>
  /** The next revision, with another salt, unless nothing changes. @returns undefined also when the bounty has no such case */
  fix(
    caseId: string,
    fix: { bountyId: string; input?: string | undefined; expected?: string | undefined; salt: string; at: string },
  ): Promise<CaseSummary | undefined>
  /**
   * Queues those that were accepted or rejected without having been judged by every case as it is now, due at once, for the next round. Ranks
   * stay until they finish. Those that have not finished are judged by what was added meanwhile, too. The last id again has no effect.
   * @returns how many are queued, or were by this id; undefined: the bounty takes no changes
   */
  rejudge(bountyId: string, rejudging: { id: string; at: string }): Promise<number | undefined>
}

export type SubmissionFilters = { bountyId?: string | undefined; status?: SubmissionStatus | undefined }
export type NewSubmission = Pick<Submission, 'id' | 'bountyId' | 'agentId' | 'version' | 'accountId' | 'createdAt'> & {
  stopAtFirstFailure: boolean
  /** When it is looked after, should nobody have taken the first turn. */
  dueAt: string
  /** The submission that it replays. */
  replayOf?: string | undefined
}
/** `failure` says why, to its author; `why` how the attempt that is under way ended, if one is, for its dead letter. */
export type FinishedSubmission =
  | { status: Extract<SubmissionStatus, 'accepted' | 'rejected'>; failure?: undefined; why?: undefined; at: string }
  | { status: 'failed'; failure: string; why?: string | undefined; at: string }
/** Sort key of an agent's place, ascending: -cases passed, place of its engine, fuel (unmetered last), instant, submission. */
export type AgentPlace = { casesPassed: number; enginePlace: number; fuelTotal: number | null; finishedAt: string; submissionId: string }
export type AccountPlace = { creditsWon: number; bountiesWon: number; casesPassed: number; accountId: string }

export interface SubmissionStore {
  /** As `queued`, in its turn 1, without verdicts, by all cases there are. @throws ProblemError `bounty-closed`, also at the deadline and behind it */
  create(submission: NewSubmission): Promise<{ casesTotal: number }>
  /** With the verdicts of public cases only: of each the one of its highest revision, by the engine that judged last. */
  find(id: string): Promise<Submission | undefined>
  /** Of one account, newest first. */
  list(accountId: string, page: SubmissionFilters & Cut): Promise<Listed<SubmissionSummary>>
  /** @returns undefined when there is no such bounty */
  rankAgents(bountyId: string, page: { limit: number; after?: AgentPlace | undefined }): Promise<Omit<BountyRank, 'rank'>[] | undefined>
  rankAccounts(page: { limit: number; after?: AccountPlace | undefined }): Promise<Omit<GlobalRank, 'rank'>[]>
}

export type Back = { turn: number; at: string; dueAt: string; isWaiting: boolean; why?: string | undefined }

/**
 * Judges a submission in turns. A turn is taken once, and all that is written names it: whoever's turn is over, because the submission has
 * finished or another turn has begun, changes nothing and is answered false, or undefined.
 */
export interface JudgingStore {
  /** Begins the turn behind `turn`, until `dueAt`, as one more attempt. @param taking.host where, when it is known */
  take(id: string, taking: { turn: number; at: string; dueAt: string; host?: string | undefined }): Promise<TakenJudging | undefined>
  /** Those of its cases, behind `after`, without a verdict of their revision by its engine; none once it stops at a failure. In their order. */
  nextCases(id: string, cut: { after: number; limit: number }): Promise<RevisedCase[]>
  /**
   * Adds verdicts, to `dueAt`; a case that has one of that revision by that engine keeps it. New ones end the count of attempts and of waiting.
   * Another engine than before is the submission's from now on: what the one before judged does not count, and its cases are open again.
   */
  record(id: string, judgement: { turn: number; dueAt: string; engine: string; verdicts: RevisedVerdict[] }): Promise<boolean>
  /** A part of the receipt, known by its engine and its first case in the revision `firstRevision`; one that is there stays as it is. */
  recordReceipt(receipt: JudgementReceipt, part: { turn: number; firstRevision: number }): Promise<boolean>
  /** Goes on until `dueAt`. */
  renew(id: string, renewal: { turn: number; dueAt: string }): Promise<boolean>
  /**
   * Ends the turn. `isWaiting`: it was no attempt, for want of a host. Otherwise the attempt, if one was begun, goes into the history with `why`;
   * without `why` it was none that failed. @returns the turn to be taken by then
   */
  putBack(id: string, back: Back): Promise<number | undefined>
  /**
   * Ends a submission, with its turn, and moves its agent and account on the leaderboards. Not accepted or rejected is what has a case to be
   * judged still. Of an open bounty of mode `first` the accepted one that was created first wins, as soon as none from before it is judged again.
   */
  finish(id: string, end: FinishedSubmission & { turn: number }): Promise<boolean>
  /** Whose turn is over without a word; the oldest first. */
  findDue(due: { at: string; limit: number }): Promise<DueJudging[]>
}

/** How a submission stands, at one moment, and the public verdicts up to the number `upTo`; `hasMore`: there are others behind it. */
export type SubmissionProgress = Omit<Submission, 'verdicts'> & {
  verdicts: NumberedVerdict[]
  upTo: number
  hasMore: boolean
  casesJudged: number
}

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

export type ExecutionFilters = { agentId?: string | undefined; status?: ExecutionStatus | undefined }

export interface ExecutionStore {
  /**
   * Records those that are not there yet, all at once, and ends those that are there and have not ended. What has ended stays as it is.
   * @returns the ids whose account or agent version is unknown; those are not recorded
   */
  record(records: ExecutionRecord[]): Promise<string[]>
  keepRejected(host: string, rejected: RejectedOutcome[]): Promise<void>
  find(id: string): Promise<StoredExecution | undefined>
  /** Of one account, newest first. */
  list(accountId: string, page: ExecutionFilters & Cut): Promise<Listed<ExecutionSummary>>
  /** Of recorded executions, newest first, days without any left out. @param since first UTC day, as 2000-01-31 */
  usageByDay(
    accountId: string,
    since: { from: string },
  ): Promise<Pick<DayUsage, 'day' | 'executions' | 'fuel' | 'wallMicros' | 'costMicroUsd'>[]>
}

/** What opens the commitment of a case. Input and expectation are JSON text. */
export type StatedCase = Pick<StoredCase, 'id' | 'input' | 'expected' | 'salt'> & {
  status: string
  fuel: number | null
  outputSha256: string | null
}

export interface JudgementReceiptStore {
  /** The parts of a submission, in the order of their first cases, and of these cases' revisions. */
  list(submissionId: string): Promise<JudgementReceipt[]>
  /** Judged cases of a submission in their order, once for each revision and engine: the public ones, or the hidden ones, too. */
  statedCases(submissionId: string, options: { withHidden: boolean }): Promise<StatedCase[]>
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

/** A range of an object; `length` is at least 1. */
export type ByteRange = { offset: number; length: number }

/** `storedAt` in ms since 1970, by the store's clock. */
export type StoredObject = { key: string; bytes: number; storedAt: number }

/** Throws ProblemError `artifacts-unavailable`. */
export interface ArtifactStore {
  /** The same bytes again change nothing. */
  putProgram(sha256: string, bytes: Uint8Array): Promise<void>
  /** @param key of a bundle or an artifact. @returns undefined while it is not in the store */
  read(key: string, range: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined>
  /**
   * A URL with which anybody reads the whole object, until it expires.
   * @returns undefined while it is not in the store. @throws ProblemError `presigning-unavailable`
   */
  presign(key: string, lifetime: { seconds: number }): Promise<string | undefined>
  /** In the order of keys. @param after key that the page begins behind; '' for the first one */
  list(prefix: string, page: { after: string; limit: number }): Promise<{ objects: StoredObject[]; hasMore: boolean }>
  /** At most 1,000 at once. What is not there is no error. */
  remove(keys: string[]): Promise<void>
  ping(): Promise<void>
}

export type JudgedCases = {
  submissionId: string
  program: Program
  /** Judges outputs in the place of JSON equality. */
  checker: Program | undefined
  accountId: string
  tier: TierName
  /** Cases after the first one, in their order, that is not accepted are not begun any more. */
  stopAtFirstFailure: boolean
  /** Cases that have not begun by then are not begun any more, and are among `notRun`. */
  beginMsMax: number
  /** Input and expectation as JSON text. */
  cases: Pick<StoredCase, 'id' | 'input' | 'expected' | 'salt' | 'hidden'>[]
}

/**
 * The sandbox hosts, or one of them. Throws ProblemError `sandbox-unavailable`, `draining` and `overloaded` (try again), `tier-unavailable`,
 * `engine-unsupported`, `artifacts-unavailable`, `body-too-large`.
 */
export interface Sandbox {
  /**
   * @param owner.accountId on whose share of the host a script is evaluated
   * @param owner.isNew for a version that is being made: a script without a mode is given one, which the manifest names
   * @throws ProblemError `invalid-program` with the compiler's message; `engine-unsupported` also where a new version wants to be compiled and
   * the host compiles none
   */
  prepare(program: Program, owner: { accountId: string; isNew: boolean }): Promise<Manifest>
  run(execution: HostExecution): Promise<RunAnswer>
  /**
   * The same, with the record, and told apart: what was thrown says whether the run was begun.
   * @throws ProblemError `execution-broken-off` when it was, and its outcome did not come; `execution-cancelled`
   */
  runAsync(execution: HostExecution): Promise<ExecutionRecord>
  /** Stops a run that waits or goes on, and for some minutes begins none with that id. */
  cancel(id: string): Promise<void>
  /**
   * `keep` is given the verdicts as they come and awaited before it is called again; what it was given stays true when the judging breaks
   * off afterwards. When `keep` throws, no further cases are begun.
   * @throws ProblemError `judgement-broken-off` when it was begun, and did not come to its end
   */
  judge(cases: JudgedCases, keep: (judged: Judgement) => Promise<void>): Promise<JudgementEnd>
  /** @returns undefined when it is not on the host, or no longer */
  findExecution(id: string): Promise<ExecutionRecord | undefined>
  /** @param key of a bundle or an artifact. @returns undefined when the host has not got it, or not that range of it */
  readObject(key: string, range: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined>
  /** Whether work would be taken. */
  ping(): Promise<void>
  /** Prometheus text, each sample labelled with its host. */
  metrics(): Promise<string>
}
