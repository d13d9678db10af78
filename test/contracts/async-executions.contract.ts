// What executions that nobody waits for promise, whatever holds them. Runs over maps in the fast run and over Postgres in the full one.
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { StoredExecution, UnrecordedExecution } from '../../shared/async-execution.ts'
import { isRecorded } from '../../shared/async-execution.ts'
import type { ExecutionRecord } from '../../shared/execution.ts'
import type { AsyncExecutionStore } from '../../shared/async-execution-ports.ts'
import type { AgentStore } from '../../shared/agent-ports.ts'
import type { AccountStore, ExecutionStore } from '../../shared/ports.ts'
import { limits } from '../../shared/tiers.ts'
import { idOf } from '../fakes/id-of.ts'
import { newKey } from '../fakes/new-key.ts'

export type AsyncExecutionStores = {
  accounts: AccountStore
  agents: AgentStore
  executions: ExecutionStore
  asyncExecutions: AsyncExecutionStore
}

/** Instants of a day that no sweep of a running Worker has reached. */
const at = (second: number) => new Date(Date.UTC(2126, 3, 5, 12, 0, second)).toISOString()
const unique = () => randomBytes(16).toString('hex')
const program = { kind: 'script', sha256: '0'.repeat(64) } as const
const conditions = { version: 1, tier: 'standard', seed: 7, startTime: '2000-01-01T00:00:00Z', program } as const
const input = '{"b":1,"a":1.50}'

export function asyncExecutionsContract(name: string, open: () => AsyncExecutionStores): void {
  let stores: AsyncExecutionStores
  let accountId: string
  let agentId: string
  beforeEach(async () => {
    stores = open()
    accountId = await newAccount()
    agentId = idOf('agent')
    const dates = { createdAt: at(0), updatedAt: at(0) }
    await stores.agents.create(
      { id: agentId, accountId, name: `agent-${unique()}`, ...program, scriptMode: 'interpreted', version: 1, bytes: 1, ...dates },
      { engine: 'e' },
    )
  })

  async function newAccount(): Promise<string> {
    const id = idOf('account')
    await stores.accounts.create({ id, name: `a ${unique()}`, createdAt: at(0) }, newKey())
    return id
  }
  async function queued(by = accountId): Promise<string> {
    const id = idOf('execution')
    const dates = { createdAt: at(2), dueAt: at(17) }
    expect(await stores.asyncExecutions.create({ id, accountId: by, agentId, ...conditions, input, ...dates })).toBe(true)
    return id
  }
  const take = (id: string, { turn = 1, second = 3, host }: { turn?: number; second?: number; host?: string } = {}) =>
    stores.asyncExecutions.take(id, { turn, at: at(second), dueAt: at(100), host })
  const putBack = (id: string, { turn, second = 5, isWaiting = false }: { turn: number; second?: number; isWaiting?: boolean }) =>
    stores.asyncExecutions.putBack(id, { turn, at: at(second), dueAt: at(second + 15), isWaiting, why: 'the host died' })
  async function find(id: string): Promise<StoredExecution> {
    return (await stores.executions.find(id)) ?? expect.fail('there is no such execution')
  }
  async function unrecorded(id: string): Promise<UnrecordedExecution> {
    const found = await find(id)
    return isRecorded(found) ? expect.fail('it is recorded') : found
  }
  const isDue = async (id: string, second: number) =>
    (await stores.asyncExecutions.findDue({ at: at(second), limit: 10_000 })).find((due) => due.id === id)
  const waiting = async (of = accountId) => (await stores.accounts.findPage(of))?.used.executionsWaiting
  const listed = async (status?: ExecutionRecord['status'] | 'queued' | 'running' | 'cancelled' | 'failed') =>
    (await stores.executions.list(accountId, { limit: 100, status })).items

  function recordOf(id: string, more: Partial<ExecutionRecord> = {}): ExecutionRecord {
    return {
      ...conditions,
      id,
      accountId,
      agentId,
      status: 'completed',
      output: '{"n":1}',
      logs: { stdout: '', stderr: '', truncated: false },
      artifacts: [],
      usage: { fuel: 9, wallMicros: 5, memoryBytesPeak: 65_536, costMicroUsd: 2.375 },
      engine: 'engine-1',
      finishedAt: at(9),
      receipt: null,
      ...more,
    }
  }

  describe(`${name} holds asynchronous executions as the port promises`, () => {
    test('one is there before it runs, and is made once', async () => {
      const id = await queued()
      const of = { id, accountId, agentId, ...conditions }
      expect(await find(id)).toEqual({ ...of, status: 'queued', failure: null, createdAt: at(2), finishedAt: null, attempts: [] })
      expect(await stores.asyncExecutions.create({ ...of, input: '2', createdAt: at(3), dueAt: at(4) })).toBe(false)
      expect(await listed('queued')).toEqual([
        { id, agentId, version: 1, status: 'queued', fuel: null, costMicroUsd: null, finishedAt: null },
      ])
      expect([await waiting(), (await take(id))?.input]).toEqual([1, input])
    })

    test('a turn is taken once, whoever else holds the same message', async () => {
      const id = await queued()
      const taken = await Promise.all([take(id), take(id), take(id)])
      const of = { id, accountId, agentId, ...conditions, input }
      expect(taken.filter(Boolean)).toEqual([{ ...of, turn: 2, attempts: 1, waits: 0, waitingSince: at(2) }])
      expect(await find(id)).toMatchObject({ status: 'running', attempts: [] })
      expect([await take(id, { turn: 3 }), await take(idOf('execution'))]).toEqual([undefined, undefined])
      expect(await listed('running')).toMatchObject([{ id }])
    })

    test('whoever has lost the turn changes nothing', async () => {
      const id = await queued()
      await take(id)
      expect(await putBack(id, { turn: 2 })).toBe(3)
      expect(await stores.asyncExecutions.renew(id, { turn: 2, dueAt: at(9_999) })).toBe(false)
      expect(await stores.asyncExecutions.fail(id, { turn: 2, at: at(9), failure: 'x' })).toBe(false)
      expect(await putBack(id, { turn: 2 })).toBeUndefined()
      expect(await isDue(id, 20)).toMatchObject({ turn: 3 })
    })

    test('each attempt is kept with when, where and how it ended; waiting is none', async () => {
      const id = await queued()
      await take(id, { host: 'host-a' })
      await putBack(id, { turn: 2, second: 5 })
      expect(await take(id, { turn: 3, second: 6 })).toMatchObject({ attempts: 2, waits: 0, waitingSince: at(5) })
      await putBack(id, { turn: 4, second: 7, isWaiting: true })
      expect(await take(id, { turn: 5, second: 8 })).toMatchObject({ attempts: 2, waits: 1, waitingSince: at(5) })
      const first = { beganAt: at(3), endedAt: at(5), host: 'host-a', end: 'the host died' }
      expect((await unrecorded(id)).attempts).toEqual([first])
      expect(await stores.asyncExecutions.fail(id, { turn: 6, at: at(9), failure: 'the reason' })).toBe(true)
      expect(await find(id)).toMatchObject({
        status: 'failed',
        failure: 'the reason',
        finishedAt: at(9),
        attempts: [first, { beganAt: at(8), endedAt: at(9), host: null, end: 'the reason' }],
      })
    })

    test('a message that nobody took is no attempt, and does not end the waiting', async () => {
      const id = await queued()
      expect(await isDue(id, 16)).toBeUndefined()
      expect(await isDue(id, 17)).toEqual({ id, turn: 1, attempts: 0, waitingSince: at(2) })
      expect(await putBack(id, { turn: 1, second: 20 })).toBe(2)
      expect(await isDue(id, 34)).toBeUndefined()
      expect(await isDue(id, 35)).toEqual({ id, turn: 2, attempts: 0, waitingSince: at(2) })
      expect((await unrecorded(id)).attempts).toEqual([])
      expect(await find(id)).toMatchObject({ status: 'queued' })
    })

    test('is due when its turn is over without a word', async () => {
      const id = await queued()
      await take(id)
      expect(await isDue(id, 99)).toBeUndefined()
      expect(await stores.asyncExecutions.renew(id, { turn: 2, dueAt: at(200) })).toBe(true)
      expect(await isDue(id, 199)).toBeUndefined()
      expect(await isDue(id, 200)).toMatchObject({ turn: 2, attempts: 1 })
    })

    test.each([['queued'], ['running']])('a record ends one that is %s, whoever has the turn, and counts once', async (state) => {
      const id = await queued()
      if (state === 'running') await take(id)
      const record = recordOf(id, { status: 'threw', finishedAt: '2026-11-23T12:00:00.000Z' })
      expect(await stores.executions.record([record, record])).toEqual([])
      await stores.executions.record([record])
      expect(await find(id)).toEqual(record)
      expect(await stores.executions.usageByDay(accountId, { from: '2026-11-23' })).toMatchObject([{ executions: 1, fuel: 9 }])
      for (const turn of [1, 2, 3]) {
        expect(await take(id, { turn })).toBeUndefined()
        expect(await putBack(id, { turn })).toBeUndefined()
        expect(await stores.asyncExecutions.fail(id, { turn, at: at(9), failure: 'x' })).toBe(false)
      }
      expect(await stores.asyncExecutions.cancel(id, { at: at(9) })).toBe(false)
      expect([await find(id), await isDue(id, 9_999), await waiting()]).toEqual([record, undefined, 0])
      expect(await listed('threw')).toMatchObject([{ id, fuel: 9 }])
    })

    test.each([['queued'], ['running']])('one that is %s is cancelled once, and nothing that comes later changes it', async (state) => {
      const id = await queued()
      if (state === 'running') await take(id)
      const both = await Promise.all([1, 2].map((second) => stores.asyncExecutions.cancel(id, { at: at(second + 10) })))
      expect(both.filter(Boolean)).toEqual([true])
      const cancelled = await unrecorded(id)
      expect(cancelled).toMatchObject({ status: 'cancelled', failure: null })
      expect(cancelled.attempts.map(({ end }) => end)).toEqual(state === 'running' ? ['cancelled'] : [])
      expect(await stores.executions.record([recordOf(id)])).toEqual([])
      expect(await take(id, { turn: state === 'running' ? 2 : 1 })).toBeUndefined()
      expect([await find(id), await waiting(), await isDue(id, 9_999)]).toEqual([cancelled, 0, undefined])
      expect(await stores.executions.usageByDay(accountId, { from: '2026-11-23' })).toEqual([])
      expect(await listed('cancelled')).toMatchObject([{ id, finishedAt: cancelled.finishedAt }])
    })

    test('of a record, a cancellation and a failure at the same time one is the end', async () => {
      for (let round = 0; round < 5; round++) {
        const id = await queued()
        await take(id)
        const [isCancelled, isFailed] = await Promise.all([
          stores.asyncExecutions.cancel(id, { at: at(9) }),
          stores.asyncExecutions.fail(id, { turn: 2, at: at(9), failure: 'x' }),
          stores.executions.record([recordOf(id)]),
        ])
        const { status } = await find(id)
        expect(status).toBe(isCancelled ? 'cancelled' : isFailed ? 'failed' : 'completed')
        expect([isCancelled && isFailed, await waiting()]).toEqual([false, 0])
      }
    })

    test('a record of another account ends nothing', async () => {
      const id = await queued()
      await stores.executions.record([recordOf(id, { accountId: await newAccount() })])
      expect(await find(id)).toMatchObject({ status: 'queued', accountId })
    })

    const max = limits.executionsWaitingPerAccountMax
    test(`an account has ${max} that have not ended at most, whoever is first; each that ends leaves its place`, async () => {
      const ids = await Promise.all(Array.from({ length: max - 2 }, () => queued()))
      const raced = await Promise.allSettled(Array.from({ length: 5 }, () => queued()))
      const refused = raced.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
      expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'too-many-waiting'))
      expect(await waiting()).toBe(max)
      const [first = '', second = '', third = ''] = ids
      await take(first)
      await stores.executions.record([recordOf(first)])
      await stores.asyncExecutions.cancel(second, { at: at(9) })
      await take(third)
      await stores.asyncExecutions.fail(third, { turn: 2, at: at(9), failure: 'x' })
      expect(await waiting()).toBe(max - 3)
      for (let i = 0; i < 3; i++) await queued()
      await expect(queued()).rejects.toMatchObject({ code: 'too-many-waiting' })
      expect(await queued(await newAccount())).toMatch(/^exe_/)
    })

    test('batches of two hosts that end executions of the same accounts do not wait for each other', async () => {
      const accounts = await Promise.all(Array.from({ length: 6 }, newAccount))
      const batch = async (of: string[]) => Promise.all(of.map(async (by) => recordOf(await queued(by), { accountId: by })))
      for (let round = 0; round < 3; round++) {
        const batches = [await batch(accounts), await batch(accounts.toReversed()), await batch(accounts)]
        await Promise.all(batches.map((records) => stores.executions.record(records)))
      }
      expect(await Promise.all(accounts.map((of) => waiting(of)))).toEqual(accounts.map(() => 0))
    })
  })
}
