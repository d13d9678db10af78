// Executions over a plain map: those that were recorded, and those that wait for it in their turns.
import type { ExecutionAttempt, StoredExecution, TakenExecution, UnrecordedExecution } from '../../shared/async-execution.ts'
import { hasEnded, isRecorded } from '../../shared/async-execution.ts'
import type { ExecutionRecord } from '../../shared/execution.ts'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import type { ExecutionStore, RejectedOutcome } from '../../shared/ports.ts'
import { tooManyWaiting } from '../../shared/quotas.ts'
import { limits } from '../../shared/tiers.ts'
import { isAny, listed } from './listed.ts'
import type { MemoryDeadLetters } from './memory-dead-letters.ts'
import type { MemoryWebhooks } from './memory-webhooks.ts'

type Turns = Pick<TakenExecution, 'turn' | 'waits' | 'waitingSince'> & {
  input: string
  begun: number
  beganAt: string | null
  dueAt: string
  host: string | null
  replayOf?: string
}
type Waiting = UnrecordedExecution & Turns

export type MemoryExecutions = {
  executions: ExecutionStore
  asyncExecutions: AsyncExecutionStore
  waitingOf: (accountId: string) => number
  ended: () => StoredExecution[]
  remove: (id: string) => void
  /** Of turns. */
  dueTimes: () => string[]
}

export type MemoryExecutionsOptions = {
  isKnown: (execution: Pick<ExecutionRecord, 'accountId' | 'agentId' | 'version'>) => boolean
  webhooks: MemoryWebhooks
  deadLetters: MemoryDeadLetters
  rejected: RejectedOutcome[]
}

export function memoryExecutions({ isKnown, webhooks, deadLetters, rejected }: MemoryExecutionsOptions): MemoryExecutions {
  const records = new Map<string, ExecutionRecord>()
  const waiting = new Map<string, Waiting>()
  const find = (id: string): StoredExecution | undefined => records.get(id) ?? seen(waiting.get(id))
  const waitingOf = (accountId: string) =>
    [...waiting.values()].filter((kept) => kept.accountId === accountId && !hasEnded(kept.status)).length

  function inTurn(id: string, turn: number | undefined): Waiting | undefined {
    const kept = waiting.get(id)
    return kept && (turn === undefined || kept.turn === turn) && !hasEnded(kept.status) ? kept : undefined
  }
  function closeAttempt(kept: Waiting, attempt: Pick<ExecutionAttempt, 'endedAt' | 'end'>): void {
    if (kept.beganAt !== null) kept.attempts = [...kept.attempts, { beganAt: kept.beganAt, host: kept.host, ...attempt }]
    kept.beganAt = null
  }
  function end(
    kept: Waiting | undefined,
    { at, why, ...how }: { at: string; why?: string | undefined; status: 'failed' | 'cancelled'; failure: string | null },
  ): boolean {
    if (!kept) return false
    closeAttempt(kept, { endedAt: at, end: why ?? how.failure ?? how.status })
    Object.assign(kept, { ...how, finishedAt: at })
    webhooks.executionFinished({ ...kept, status: how.status, finishedAt: at })
    const { id: executionId, accountId, agentId, version, attempts } = kept
    if (how.status === 'failed') {
      deadLetters.leave({ executionId, accountId, agentId, version, reason: how.failure ?? '', attempts, createdAt: at })
    }
    return true
  }

  const asyncExecutions: AsyncExecutionStore = {
    async create({ dueAt, ...execution }) {
      if (find(execution.id)) return false
      if (waitingOf(execution.accountId) >= limits.executionsWaitingPerAccountMax) throw tooManyWaiting()
      const none = { failure: null, finishedAt: null, attempts: [], begun: 0, waits: 0, beganAt: null, host: null }
      waiting.set(execution.id, { ...execution, ...none, status: 'queued', turn: 1, waitingSince: execution.createdAt, dueAt })
      return true
    },
    async replay(id, { replayOf, createdAt, dueAt }) {
      const failed = waiting.get(replayOf)
      if (failed?.status !== 'failed') return false
      const { agentId, accountId, version, tier, seed, startTime, program, input } = failed
      const isNew = await asyncExecutions.create({
        id,
        agentId,
        accountId,
        version,
        tier,
        seed,
        startTime,
        program,
        input,
        createdAt,
        dueAt,
      })
      const made = waiting.get(id)
      if (isNew && made) made.replayOf = replayOf
      return isNew
    },
    async take(id, { turn, at, dueAt, host = null }) {
      const kept = inTurn(id, turn)
      if (!kept) return undefined
      Object.assign(kept, { status: 'running', turn: turn + 1, begun: kept.begun + 1, beganAt: at, dueAt, host })
      const { agentId, accountId, version, tier, seed, startTime, program, input, begun, waits, waitingSince } = kept
      const run = { id, agentId, accountId, version, tier, seed, startTime, program, input }
      return { ...run, turn: kept.turn, attempts: begun, waits, waitingSince }
    },
    async renew(id, { turn, dueAt }) {
      const kept = inTurn(id, turn)
      if (kept) kept.dueAt = dueAt
      return kept !== undefined
    },
    async putBack(id, { turn, at, dueAt, isWaiting, why }) {
      const kept = inTurn(id, turn)
      if (!kept) return undefined
      if (isWaiting) Object.assign(kept, { begun: Math.max(kept.begun - 1, 0), waits: kept.waits + 1 })
      else if (kept.beganAt !== null) {
        closeAttempt(kept, { endedAt: at, end: why })
        Object.assign(kept, { waits: 0, waitingSince: at })
      }
      Object.assign(kept, { turn: turn + 1, dueAt, beganAt: null, host: null })
      return kept.turn
    },
    fail: async (id, { turn, at, failure, why }) => end(inTurn(id, turn), { at, why, status: 'failed', failure }),
    cancel: async (id, { at }) => end(inTurn(id, undefined), { at, status: 'cancelled', failure: null }),
    async findDue({ at, limit }) {
      const due = [...waiting.values()].filter((kept) => !hasEnded(kept.status) && kept.dueAt <= at)
      const oldestFirst = due.toSorted((a, b) => (a.dueAt < b.dueAt ? -1 : 1)).slice(0, limit)
      return oldestFirst.map(({ id, turn, begun, waitingSince }) => ({ id, turn, attempts: begun, waitingSince }))
    },
  }

  const executions: ExecutionStore = {
    async record(incoming) {
      for (const record of incoming) {
        const held = waiting.get(record.id)
        const isWaitedFor = !held || (!hasEnded(held.status) && held.accountId === record.accountId)
        if (!isKnown(record) || records.has(record.id) || !isWaitedFor) continue
        records.set(record.id, { ...record, ...(held?.replayOf === undefined ? {} : { replayOf: held.replayOf }) })
        waiting.delete(record.id)
        if (held) webhooks.executionFinished(record)
      }
      return incoming.filter((record) => !isKnown(record)).map(({ id }) => id)
    },
    async keepRejected(_host, outcomes) {
      rejected.push(...outcomes)
    },
    find: async (id) => find(id),
    async list(accountId, { agentId, status, ...cut }) {
      const own = [...records.values(), ...waiting.values()].filter((execution) => execution.accountId === accountId)
      const { items } = listed(own, cut, (execution) => isAny(agentId, execution.agentId) && isAny(status, execution.status))
      return {
        items: items.map((execution) => {
          const { id, agentId: of, version, status: is, finishedAt } = execution
          const { fuel, costMicroUsd } = isRecorded(execution) ? execution.usage : { fuel: null, costMicroUsd: null }
          return { id, agentId: of, version, status: is, fuel, costMicroUsd, finishedAt }
        }),
      }
    },
    async usageByDay(accountId, { from }) {
      const own = [...records.values()].filter((record) => record.accountId === accountId)
      const days = Map.groupBy(own, ({ finishedAt }) => finishedAt.slice(0, 10))
      const sum = (all: ExecutionRecord[], of: 'fuel' | 'wallMicros' | 'costMicroUsd') =>
        all.reduce((total, { usage }) => total + (usage[of] ?? 0), 0)
      return [...days]
        .filter(([day]) => day >= from)
        .map(([day, of]) => ({
          day,
          executions: of.length,
          fuel: sum(of, 'fuel'),
          wallMicros: sum(of, 'wallMicros'),
          costMicroUsd: Math.round(sum(of, 'costMicroUsd') * 1_000) / 1_000,
        }))
        .toSorted((a, b) => (a.day < b.day ? 1 : -1))
    },
  }

  return {
    executions,
    asyncExecutions,
    waitingOf,
    dueTimes: () => [...waiting.values()].filter(({ status }) => !hasEnded(status)).map(({ dueAt }) => dueAt),
    ended: () => [...records.values(), ...[...waiting.values()].filter(({ status }) => hasEnded(status))],
    remove(id) {
      records.delete(id)
      waiting.delete(id)
    },
  }
}

function seen(kept: Waiting | undefined): UnrecordedExecution | undefined {
  if (!kept) return undefined
  const {
    turn: _turn,
    waits: _waits,
    waitingSince: _since,
    input: _input,
    begun: _begun,
    beganAt: _at,
    dueAt: _due,
    host: _host,
    ...shown
  } = kept
  return shown
}
