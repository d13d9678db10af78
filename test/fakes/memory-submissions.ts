// Submissions over plain maps: their turns, their verdicts, the cases that they are judged by, and the leaderboards that move with them.
import type { Account } from '../../shared/account.ts'
import { scriptModeOf, type Agent, type Program } from '../../shared/agent.ts'
import type { JudgementReceipt } from '../../shared/judgement-receipt.ts'
import type {
  CaseStore,
  JudgementReceiptStore,
  JudgingStore,
  NewBounty,
  ProgressStore,
  RevisedCase,
  SubmissionStore,
} from '../../shared/ports.ts'
import { ProblemError } from '../../shared/problem.ts'
import { limits } from '../../shared/tiers.ts'
import { isAny, listed } from './listed.ts'
import type { MemoryDeadLetters } from './memory-dead-letters.ts'
import { seen, type EngineVerdict, type Kept, type Rank } from './kept-submission.ts'
import { byAccountPlace, byAge, byPlace, byScore } from './submission-order.ts'
import { memoryMoney, type MemoryMoney } from './memory-money.ts'
import type { MemoryWebhooks } from './memory-webhooks.ts'

export type MemoryBounty = Omit<NewBounty, 'cases'> & { cases: RevisedCase[] }

export type MemorySubmissionsOptions = {
  accounts: Map<string, Account>
  agents: Map<string, Agent>
  bounties: Map<string, MemoryBounty>
  webhooks: MemoryWebhooks
  deadLetters: MemoryDeadLetters
  program: (agentId: string, version: number) => Program
}

export type MemorySubmissions = {
  submissions: SubmissionStore
  judgings: JudgingStore
  cases: CaseStore
  progress: ProgressStore
  judgementReceipts: JudgementReceiptStore
  money: MemoryMoney
  /** Of turns. */
  dueTimes: () => (string | null)[]
}

export function memorySubmissions({
  accounts,
  agents,
  bounties,
  webhooks,
  deadLetters,
  program,
}: MemorySubmissionsOptions): MemorySubmissions {
  const submissions = new Map<string, Kept>()
  /** By bounty and agent. */
  const ranks = new Map<string, Rank>()
  /** Of each bounty, in the order in which their first submission finished. */
  const engines = new Map<string, Set<string>>()
  const former = new Map<string, RevisedCase>()
  /** The last one of each bounty. */
  const rejudgings = new Map<string, { id: string; submissions: number }>()
  const receipts: { receipt: JudgementReceipt; firstRevision: number }[] = []
  const casesOf = (bountyId: string) => bounties.get(bountyId)?.cases ?? []
  const ranked = (bountyId?: string) =>
    [...ranks.values()].filter((rank) => bountyId === undefined || rank.bountyId === bountyId).toSorted(byPlace)
  const isJudged = ({ status }: Kept) => status === 'accepted' || status === 'rejected'
  const money = memoryMoney({
    bounties,
    submissions: () => [...submissions.values()],
    ranked: (bountyId) => ranked(bountyId).flatMap(({ id }) => submissions.get(id) ?? []),
    webhooks,
  })

  /** Of each case the verdict of the highest revision, by the engine that judged last. */
  function counting(kept: Kept): EngineVerdict[] {
    const best = new Map<string, EngineVerdict>()
    for (const verdict of kept.verdicts.filter(({ engine }) => engine === kept.engine))
      if (verdict.revision > (best.get(verdict.caseId)?.revision ?? 0)) best.set(verdict.caseId, verdict)
    return [...best.values()]
  }
  const verdictOf = (kept: Kept, { id, revision }: RevisedCase) =>
    kept.verdicts.find(({ caseId, engine, ...verdict }) => caseId === id && verdict.revision === revision && engine === kept.engine)
  function openCases(kept: Kept, casesTotal = kept.casesTotal): RevisedCase[] {
    const all = casesOf(kept.bountyId)
    const isFailed = all.some((found) => (verdictOf(kept, found)?.status ?? 'accepted') !== 'accepted')
    if (kept.stopAtFirstFailure && isFailed) return []
    return all.filter((found) => found.position < casesTotal && !verdictOf(kept, found))
  }
  function inTurn(id: string, turn: number): Kept | undefined {
    const kept = submissions.get(id)
    return kept?.turn === turn && kept.finishedAt === null ? kept : undefined
  }
  function openBounty(bountyId: string, at: string): MemoryBounty | undefined {
    const bounty = bounties.get(bountyId)
    const { status, deadline = null } = bounty?.summary ?? {}
    return status === 'open' && (deadline === null || deadline > at) ? bounty : undefined
  }

  function moveRank(kept: Kept): void {
    const place = `${kept.bountyId} ${kept.agentId}`
    if (ranks.get(place)?.id === kept.id) ranks.delete(place)
    const places = engines.get(kept.bountyId) ?? new Set()
    engines.set(kept.bountyId, isJudged(kept) && kept.engine !== null ? places.add(kept.engine) : places)
    const own = [...submissions.values()].filter((other) => other.bountyId === kept.bountyId && other.agentId === kept.agentId)
    const placed = own.filter(isJudged).map((other) => ({ ...other, enginePlace: [...places].indexOf(other.engine ?? '') + 1 }))
    const [best] = placed.toSorted(byPlace)
    const held = ranks.get(place)
    if (best && (!held || byScore(best, held) < 0)) ranks.set(place, best)
  }

  function awardFirst({ bountyId }: Kept, at: string): void {
    const all = [...submissions.values()].filter((found) => found.bountyId === bountyId).toSorted(byAge)
    const best = all.find(({ status, casesPassed, casesTotal }) => status === 'accepted' && casesPassed === casesTotal)
    const isAwaited = best && all.some((found) => found.finishedAt === null && found.round > 1 && byAge(found, best) < 0)
    if (best && !isAwaited) money.awardFirst(best, at)
  }

  function endAttempt(kept: Kept, endedAt: string, why: string | undefined): void {
    const { beganAt, host, history } = kept
    if (beganAt !== null && why !== undefined) kept.history = [...history.slice(-19), { beganAt, endedAt, host, end: why }]
  }

  const judgings: JudgingStore = {
    async take(id, { turn, at, dueAt, host = null }) {
      const kept = inTurn(id, turn)
      const summary = bounties.get(kept?.bountyId ?? '')?.summary
      if (!kept || !summary) return undefined
      Object.assign(kept, { turn: turn + 1, status: 'running', attempts: kept.attempts + 1, dueAt, beganAt: at, host })
      const { bountyId, agentId, accountId, version, stopAtFirstFailure, attempts, waits, waitingSince } = kept
      const { mode, tier } = summary
      const checker = summary.checker ? program(summary.checker.agentId, summary.checker.version) : undefined
      const of = { id, bountyId, agentId, accountId, version, turn: turn + 1, mode, tier, program: program(agentId, version), checker }
      return { ...of, stopAtFirstFailure, attempts, waits, waitingSince }
    },
    async nextCases(id, { after, limit }) {
      const kept = submissions.get(id)
      return kept
        ? openCases(kept)
            .filter(({ position }) => position > after)
            .slice(0, limit)
        : []
    },
    async record(id, { turn, dueAt, engine, verdicts }) {
      const kept = inTurn(id, turn)
      if (!kept) return false
      const fresh = verdicts.filter(({ caseId, revision }) => {
        return !kept.verdicts.some((verdict) => verdict.caseId === caseId && verdict.revision === revision && verdict.engine === engine)
      })
      Object.assign(kept, { engine, verdicts: [...kept.verdicts, ...fresh.map((verdict) => ({ ...verdict, engine }))] })
      const all = counting(kept)
      const fuels = all.map(({ usage }) => usage.fuel)
      const sums = {
        casesPassed: all.filter(({ status }) => status === 'accepted').length,
        fuelTotal: fuels.includes(null) ? null : fuels.reduce<number>((sum, fuel) => sum + (fuel ?? 0), 0),
      }
      Object.assign(kept, {
        dueAt,
        ...sums,
        ...(fresh.length > 0 ? { attempts: 0, waits: 0, waitingSince: null, history: [] } : {}),
      })
      return true
    },
    async recordReceipt(receipt, { turn, firstRevision }) {
      const { submissionId, entries, engine } = receipt.statement
      if (!inTurn(submissionId, turn)) return false
      const isThere = receipts.some(({ receipt: { statement }, firstRevision: of }) => {
        const isOfEngine = statement.submissionId === submissionId && statement.engine === engine
        return isOfEngine && of === firstRevision && statement.entries[0]?.caseId === entries[0]?.caseId
      })
      if (!isThere) receipts.push({ receipt, firstRevision })
      return true
    },
    async renew(id, { turn, dueAt }) {
      const kept = inTurn(id, turn)
      if (kept) kept.dueAt = dueAt
      return kept !== undefined
    },
    async putBack(id, { turn, at, dueAt, isWaiting, why }) {
      const kept = inTurn(id, turn)
      if (!kept) return undefined
      if (!isWaiting) endAttempt(kept, at, why)
      Object.assign(kept, { turn: turn + 1, dueAt, beganAt: null, host: null })
      if (isWaiting) {
        const { attempts, waits, waitingSince } = kept
        Object.assign(kept, { attempts: Math.max(attempts - 1, 0), waits: waits + 1, waitingSince: waitingSince ?? at })
      }
      return kept.turn
    },
    async finish(id, { turn, status, failure = null, why, at }) {
      const kept = inTurn(id, turn)
      if (!kept || (status !== 'failed' && openCases(kept).length > 0)) return false
      endAttempt(kept, at, why)
      Object.assign(kept, { status, failure, finishedAt: at, dueAt: null, beganAt: null, host: null })
      const { accountId, agentId, version, round, history: attempts } = kept
      if (status === 'failed') {
        deadLetters.leave({ submissionId: id, round, accountId, agentId, version, reason: failure ?? '', attempts, createdAt: at })
      }
      webhooks.submissionFinished(kept, bounties.get(kept.bountyId)?.summary.accountId ?? '')
      moveRank(kept)
      awardFirst(kept, at)
      return true
    },
    async findDue({ at, limit }) {
      const due = [...submissions.values()].filter(({ dueAt }) => dueAt !== null && dueAt <= at)
      return due
        .toSorted((a, b) => ((a.dueAt ?? '') < (b.dueAt ?? '') ? -1 : 1))
        .slice(0, limit)
        .map(({ id, turn, attempts, bountyId }) => {
          return { id, turn, attempts, bountyId, mode: bounties.get(bountyId)?.summary.mode ?? 'first' }
        })
    },
  }

  const bytesOf = (cases: { input: string; expected: string }[]) =>
    cases.reduce((sum, { input, expected }) => sum + Buffer.byteLength(input) + Buffer.byteLength(expected), 0)
  const summaryOf = ({ id, position, name, hidden, revision }: RevisedCase) => ({ id, position, name, hidden, revision })
  const cases: CaseStore = {
    totals: async (bountyId) => ({ count: casesOf(bountyId).length, bytes: bytesOf(casesOf(bountyId)) }),
    list: async (bountyId, { after, limit }) =>
      casesOf(bountyId)
        .filter(({ position }) => position > after)
        .slice(0, limit)
        .map(summaryOf),
    async add(bountyId, { cases: added, at }) {
      const bounty = openBounty(bountyId, at)
      if (!bounty) return undefined
      const { cases: held, summary } = bounty
      const isTooMuch = held.length + added.length > limits.casesPerBountyMax || bytesOf(held) + bytesOf(added) > limits.caseBytesMax
      if (isTooMuch) return undefined
      const made = added.map((found, i) => ({ ...found, position: held.length + i, revision: 1 }))
      bounties.set(bountyId, { ...bounty, summary: { ...summary, caseCount: held.length + made.length }, cases: [...held, ...made] })
      return made.map(summaryOf)
    },
    async fix(caseId, { bountyId, input, expected, salt, at }) {
      const bounty = openBounty(bountyId, at)
      const held = bounty?.cases.find(({ id }) => id === caseId)
      if (!bounty || !held) return undefined
      const fixed = { ...held, input: input ?? held.input, expected: expected ?? held.expected }
      if (fixed.input === held.input && fixed.expected === held.expected) return summaryOf(held)
      former.set(`${caseId} ${held.revision}`, held)
      const next = { ...fixed, salt, revision: held.revision + 1 }
      bounties.set(bountyId, { ...bounty, cases: bounty.cases.map((found) => (found.id === caseId ? next : found)) })
      return summaryOf(next)
    },
    async rejudge(bountyId, { id, at }) {
      const last = rejudgings.get(bountyId)
      if (last?.id === id) return last.submissions
      const bounty = openBounty(bountyId, at)
      if (!bounty) return undefined
      const casesTotal = bounty.cases.length
      const again = [...submissions.values()].filter((kept) => {
        return kept.bountyId === bountyId && isJudged(kept) && openCases(kept, casesTotal).length > 0
      })
      for (const kept of submissions.values())
        if (kept.bountyId === bountyId && kept.finishedAt === null) Object.assign(kept, { casesTotal })
      for (const kept of again) {
        Object.assign(kept, { status: 'queued', round: kept.round + 1, turn: kept.turn + 1, casesTotal, finishedAt: null, dueAt: at })
      }
      rejudgings.set(bountyId, { id, submissions: again.length })
      return again.length
    },
  }

  const judgementReceipts: JudgementReceiptStore = {
    async list(id) {
      const places = new Map(casesOf(submissions.get(id)?.bountyId ?? '').map((found) => [found.id, found.position]))
      const place = ({ receipt: { statement }, firstRevision }: (typeof receipts)[number]) =>
        (places.get(statement.entries[0]?.caseId ?? '') ?? 0) + firstRevision / 1_000
      const own = receipts.filter(({ receipt }) => receipt.statement.submissionId === id)
      return own.toSorted((a, b) => place(a) - place(b)).map(({ receipt }) => receipt)
    },
    async statedCases(id, { withHidden }) {
      const kept = submissions.get(id)
      return casesOf(kept?.bountyId ?? '').flatMap((found) => {
        if (found.hidden && !withHidden) return []
        const verdicts = kept?.verdicts.filter(({ caseId }) => caseId === found.id).toSorted((a, b) => a.revision - b.revision) ?? []
        return verdicts.map(({ revision, status, outputSha256, usage }) => {
          const { input, expected, salt } = former.get(`${found.id} ${revision}`) ?? found
          return { id: found.id, input, expected, salt, status, fuel: usage.fuel, outputSha256 }
        })
      })
    },
  }

  const store: SubmissionStore = {
    async create({ stopAtFirstFailure: wanted, dueAt, replayOf = null, ...submission }) {
      const open = openBounty(submission.bountyId, submission.createdAt)
      if (!open) {
        throw new ProblemError('bounty-closed', { detail: `bounty ${submission.bountyId} takes no more submissions` })
      }
      const none = {
        status: 'queued',
        casesPassed: 0,
        fuelTotal: 0,
        engine: null,
        scriptMode: scriptModeOf(program(submission.agentId, submission.version)),
        round: 1,
        failure: null,
        replayOf,
        finishedAt: null,
      } as const
      const stopAtFirstFailure = submissions.get(replayOf ?? '')?.stopAtFirstFailure ?? wanted
      const turns = {
        stopAtFirstFailure,
        turn: 1,
        dueAt,
        attempts: 0,
        waits: 0,
        waitingSince: null,
        beganAt: null,
        host: null,
        history: [],
      }
      const casesTotal = open.cases.length
      submissions.set(submission.id, { ...submission, casesTotal, ...none, ...turns, verdicts: [] })
      return { casesTotal }
    },
    async find(id) {
      const kept = submissions.get(id)
      if (!kept) return undefined
      const all = new Map(counting(kept).map((verdict) => [verdict.caseId, verdict]))
      const shown = casesOf(kept.bountyId).flatMap(({ id: caseId, hidden }) => (hidden ? [] : (all.get(caseId) ?? [])))
      return { ...seen(kept), verdicts: shown.map(({ revision: _revision, engine: _engine, outputSha256: _hash, ...verdict }) => verdict) }
    },
    async list(accountId, { bountyId, status, ...cut }) {
      const own = [...submissions.values()].filter((kept) => kept.accountId === accountId)
      const { items } = listed(own, cut, (kept) => isAny(bountyId, kept.bountyId) && isAny(status, kept.status))
      return { items: items.map(seen) }
    },
    async rankAgents(bountyId, { limit, after }) {
      if (!bounties.has(bountyId)) return undefined
      const place = after && { ...after, id: after.submissionId }
      const rest = ranked(bountyId).filter((rank) => place === undefined || byPlace(place, rank) < 0)
      return rest.slice(0, limit).map((rank) => ({
        agentId: rank.agentId,
        agentName: agents.get(rank.agentId)?.name ?? '',
        accountId: rank.accountId,
        accountName: accounts.get(rank.accountId)?.name ?? '',
        submissionId: rank.id,
        casesPassed: rank.casesPassed,
        casesTotal: bounties.get(bountyId)?.summary.caseCount ?? 0,
        enginePlace: rank.enginePlace,
        fuelTotal: rank.fuelTotal,
        engine: rank.engine,
        scriptMode: rank.scriptMode,
        finishedAt: rank.finishedAt ?? '',
      }))
    },
    async rankAccounts({ limit, after }) {
      const sums = new Map<string, number>()
      for (const { accountId, casesPassed } of ranked()) sums.set(accountId, (sums.get(accountId) ?? 0) + casesPassed)
      const all = [...sums].map(([accountId, casesPassed]) => {
        const { credits: creditsWon = 0, bounties: bountiesWon = 0 } = money.won.get(accountId) ?? {}
        return { accountId, accountName: accounts.get(accountId)?.name ?? '', creditsWon, bountiesWon, casesPassed }
      })
      const rest = all.filter((rank) => after === undefined || byAccountPlace(after, rank) < 0)
      return rest.toSorted(byAccountPlace).slice(0, limit)
    },
  }

  const progress: ProgressStore = {
    async find(id, { after, limit }) {
      const kept = submissions.get(id)
      if (!kept) return undefined
      const hidden = new Set(casesOf(kept.bountyId).flatMap((found) => (found.hidden ? [found.id] : [])))
      const upTo = Math.min(kept.verdicts.length, after + limit)
      const numbered = kept.verdicts.map(({ revision: _revision, engine: _engine, outputSha256: _hash, ...verdict }, i) => ({
        number: i + 1,
        ...verdict,
      }))
      const verdicts = numbered.slice(after, upTo).filter(({ caseId }) => !hidden.has(caseId))
      return { ...seen(kept), verdicts, upTo, hasMore: upTo < kept.verdicts.length, casesJudged: counting(kept).length }
    },
  }

  const dueTimes = () => [...submissions.values()].map(({ dueAt }) => dueAt)
  return { submissions: store, judgings, cases, progress, judgementReceipts, money, dueTimes }
}
